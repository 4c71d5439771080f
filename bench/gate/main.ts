/** `npm run bench:ab` and `npm run bench:instructions`: their arguments and exit codes. */
import { Command, InvalidArgumentError, Option } from 'commander';

import { CannotRun } from '../cannot-run.js';
import { findFloor } from '../floor.js';
import { withFolder } from '../folder.js';
import { compareWith } from './ab.js';
import { COUNTED_CASES, TIMED_CASES, type GateCase } from './cases.js';
import { countCases, OWN_FILE, type CountOptions } from './instructions.js';
import type { GateContext } from './peers.js';

/** Something is more expensive. */
const DEARER_EXIT = 1;
const USAGE_EXIT = 2;

interface CaseOptions {
  readonly cases: readonly GateCase[];
}

/** With `--cases`, which defaults to all. */
function gateCommand(script: string, cases: readonly GateCase[]): Command {
  const names = cases.map(({ name }) => name).join(', ');
  const chosen = (text: string): GateCase[] =>
    text.split(',').map((name) => {
      const found = cases.find((entry) => entry.name === name);
      if (!found) throw new InvalidArgumentError(`no case ${name}: there are ${names}`);
      return found;
    });
  return new Command(`npm run ${script} --`)
    .addOption(new Option('--cases <a,b>', `only these: ${names}`).argParser(chosen).default(cases, 'all'))
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : USAGE_EXIT));
}

/** Runs a comparison. Ctrl-C ends it with an error, so that everything is cleaned up. */
async function run(command: Command, work: (context: GateContext) => Promise<boolean>): Promise<void> {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new CannotRun('interrupted'));
  });
  try {
    const floor = findFloor();
    if (floor === undefined) throw new CannotRun('the plain C program is not built: npm run build:native');
    const { signal } = controller;
    const isDearer = await withFolder('nearwire-gate-', 'before', (folder) => work({ floor, folder, signal }));
    if (isDearer) process.exitCode = DEARER_EXIT;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    command.error(`error: ${error.message}`);
  }
}

const COMMANDS: Readonly<Record<string, Command>> = {
  ab: gateCommand('bench:ab', TIMED_CASES)
    .description('CPU a request of this tree against that of a commit')
    .argument('<ref>', 'the commit')
    .action((ref: string, { cases }: CaseOptions, command: Command) =>
      run(command, (context) => compareWith(ref, cases, context)),
    ),
  instructions: gateCommand('bench:instructions', COUNTED_CASES)
    .description('count the instructions of a request, and compare them with what is recorded')
    .option('--record', 'record them for this Node')
    // For tests.
    .addOption(new Option('--file <file>').default(OWN_FILE).hideHelp())
    .action((options: CaseOptions & CountOptions, command: Command) =>
      run(command, (context) => countCases(options.cases, options, context)),
    ),
};
const [name = '', ...words] = process.argv.slice(2);
const command = COMMANDS[name];
// A gate that does nothing must not look like one that has found nothing.
if (!command) throw new RangeError(`no command "${name}": there are ${Object.keys(COMMANDS).join(', ')}`);
await command.parseAsync(words, { from: 'user' });
