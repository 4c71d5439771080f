/** Options of `nearwire bench` for what the user provides: running servers, modules, other Nodes, an environment. */
import { Option } from 'commander';

import { ATTACHED_HTTP_CASES, familyOf } from '../attach.js';
import type { Brought } from '../lineup.js';
import { parseWhole, UsageError } from 'nearwire/internal';

const MOST_PID = 2 ** 31 - 1;
/** The name appears in tables, in a page and in arguments of a command line. */
const SUBJECT_NAME = /^[a-zA-Z][\w.:-]{0,23}$/;

export interface BringWords {
  readonly attach?: string;
  readonly path?: string;
  readonly pid?: string;
  readonly subject?: readonly string[];
  readonly node?: readonly string[];
  readonly env?: readonly string[];
  readonly cases?: string;
  readonly families?: string;
}

export function bringOptions(): Option[] {
  const repeatable = (flags: string, description: string): Option =>
    new Option(flags, description).argParser((word: string, before: string[] | undefined) => [...(before ?? []), word]);
  return [
    repeatable('--subject <name=module>', 'also measure your own module (a file or a package); repeatable'),
    repeatable(
      '--node <version|path>',
      'also measure on this Node: a program, or 24 to install it with npm; repeatable',
    ),
    repeatable('--env <name[=value]>', 'pass this variable to the measured programs; repeatable'),
    new Option('--attach <path|host:port>', 'measure a running server; alone, or with the given --subjects'),
    new Option('--path <path>', 'the path requested from it over HTTP (default: "/")'),
    new Option('--pid <n>', 'its process, if it is not the one that listens'),
  ];
}

export function parseBrought(words: BringWords): Brought {
  const { attach, path = '/', pid } = words;
  if (attach === undefined && (words.path ?? pid) !== undefined)
    throw new UsageError('--path and --pid require --attach');
  if (attach === '') throw new UsageError('--attach takes a path or HOST:PORT');
  if (!/^\/[!-~]*$/.test(path))
    throw new UsageError(`--path takes a path as in a request, as in --path /x, not '${path}'`);
  const given = pid === undefined ? undefined : parseWhole('--pid', pid, 1, MOST_PID);
  return {
    modules: (words.subject ?? []).map(parseModule),
    nodes: words.node ?? [],
    attach: attach === undefined ? undefined : { target: attach, path, pid: given },
  };
}

function parseModule(word: string): { name: string; module: string } {
  const [, name = '', module = ''] = /^([^=]*)=(.*)$/.exec(word) ?? [];
  if (module === '')
    throw new UsageError(`--subject takes NAME=MODULE, not '${word}'; --subjects chooses built-in ones`);
  if (!SUBJECT_NAME.test(name)) {
    throw new UsageError(`--subject ${word}: a name has up to 24 letters, digits and .:_-, and begins with a letter`);
  }
  return { name, module };
}

/** The default cases and families for an attached server. */
export function attachedDefaults({ attach, cases, families }: BringWords): Partial<BringWords> {
  if (attach === undefined) return {};
  const family = familyOf(attach);
  if (families !== undefined && families !== family) {
    throw new UsageError(`--families ${families}: the server at ${attach} is measured over ${family}`);
  }
  return { cases: cases ?? ATTACHED_HTTP_CASES.join(','), families: family };
}

export function parseEnvironment({ env = [] }: BringWords): Record<string, string> {
  return Object.fromEntries(
    env.map((word) => {
      const [, name = '', , given] = /^([A-Za-z_]\w*)(=(.*))?$/s.exec(word) ?? [];
      if (name === '') throw new UsageError(`--env takes NAME or NAME=VALUE, not '${word}'`);
      const value = given ?? process.env[name];
      if (value === undefined) throw new UsageError(`--env ${name}: it is not set; use --env ${name}=VALUE to set it`);
      return [name, value];
    }),
  );
}
