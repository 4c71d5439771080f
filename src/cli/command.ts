/** A subcommand: its options as a table, from which parsing, help and completion are derived. */
import { parseArgs } from 'node:util';

import { checkWritable } from './output-file.js';
import { nearest, UsageError } from './usage.js';

export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  /** The name of its value in the help. */
  readonly value?: string;
  readonly help: string;
}
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** Indexed by option name. */
export type Given<Options extends OptionTable> = {
  readonly [Name in keyof Options]?: Options[Name]['type'] extends 'boolean' ? boolean : string;
};

/** The part of a command that completion and the overview use. */
export interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  /** With the leading dashes. */
  readonly options: readonly string[];
}

export interface Command extends CommandOutline {
  execute(args: readonly string[]): Promise<void>;
}

interface CommandSpec<Options extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  /** As shown in the help. */
  readonly operands?: string;
  readonly fewestOperands?: number;
  /** Absent: none. */
  readonly mostOperands?: number;
  readonly options: Options;
  /** Follows the options in the help. */
  readonly more?: string;
  run(given: Given<Options>, operands: readonly string[]): Promise<void> | void;
}

const HELP = { help: { type: 'boolean', help: 'print this text' } } as const;
/** Options of all commands that print a report. */
export const REPORT_OPTIONS = {
  json: { type: 'boolean', help: 'print JSON' },
  output: { type: 'string', value: 'file', help: 'write to a file instead of stdout' },
} as const satisfies OptionTable;

export function command<const Options extends OptionTable>(spec: CommandSpec<Options>): Command {
  const options: OptionTable = { ...spec.options, ...HELP };
  return {
    name: spec.name,
    summary: spec.summary,
    options: Object.keys(options).map((name) => `--${name}`),
    async execute(args) {
      const { values, positionals } = parse(spec.name, options, args);
      if (values['help'] === true) {
        process.stdout.write(helpOf(spec, options));
        return;
      }
      checkOperands(spec, positionals);
      if (typeof values['output'] === 'string') checkWritable({ '--output': values['output'] });
      await spec.run(values as Given<Options>, positionals);
    },
  };
}

interface Parsed {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

function parse(name: string, options: OptionTable, args: readonly string[]): Parsed {
  const types = Object.fromEntries(Object.entries(options).map(([key, { type }]) => [key, { type }]));
  try {
    return parseArgs({ args: [...args], options: types, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('ERR_PARSE_ARGS_') !== true) throw error;
    const [, unknown] = /^Unknown option '(-[^']*)'/.exec(message) ?? [];
    if (unknown === undefined) throw new UsageError(`${message} (see nearwire ${name} --help)`);
    const near = nearest(
      unknown,
      Object.keys(options).map((key) => `--${key}`),
    );
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw new UsageError(`unknown option '${unknown}'.${hint} (see nearwire ${name} --help)`);
  }
}

function checkOperands(
  { name, operands = '', fewestOperands = 0, mostOperands = 0 }: CommandSpec<OptionTable>,
  given: readonly string[],
): void {
  const usage = `usage: nearwire ${[name, '[options]', operands].filter(Boolean).join(' ')}`;
  if (given.length < fewestOperands) throw new UsageError(`${operands} is missing. ${usage}`);
  const surplus = given[mostOperands];
  if (surplus !== undefined) throw new UsageError(`unexpected argument '${surplus}'. ${usage}`);
}

function helpOf({ name, summary, operands = '', more }: CommandSpec<OptionTable>, options: OptionTable): string {
  const rows = Object.entries(options).map(
    ([key, { value, help }]) => [`--${key}${value === undefined ? '' : ` <${value}>`}`, help] as const,
  );
  const usage = `Usage: nearwire ${[name, '[options]', operands].filter(Boolean).join(' ')}`;
  return [usage, '', summary, '', 'Options:', ...columns(rows), ...(more === undefined ? [] : ['', more]), ''].join(
    '\n',
  );
}

/** Two columns, indented. */
export function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
