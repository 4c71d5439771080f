/** The programs that stacks consist of: their files, their versions, and how to install them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

import { findProgram } from '../executable.js';
import { findFloor } from '../floor.js';
import { ownVersion } from '../package-root.js';

/** Debian's, Fedora's, Homebrew's. */
const APACHE_MODULES = [
  '/usr/lib/apache2/modules',
  '/usr/lib64/httpd/modules',
  '/etc/httpd/modules',
  '/opt/homebrew/lib/httpd/modules',
];
/** Printing a version takes no longer, including Erlang on a busy machine. */
const VERSION_MS = 20_000;
/** The plugin's name if it is part of uWSGI, as in pip's builds. */
export const BUILT_IN = 'built in';

export interface Program {
  readonly name: ProgramName;
  /** Its file, or a module's name; undefined: not installed. */
  readonly file: string | undefined;
  readonly version: string | undefined;
  /** The command to install it: `apt-get install nginx`. */
  readonly install: string;
}

type Found = Partial<Pick<Program, 'file' | 'version'>>;

interface Source {
  /** The command and its argument: programs with the same command are combined into one line. */
  readonly install: readonly [words: string, name: string];
  /** `folder` is the user's working directory: its node_modules may contain some. */
  find(folder: string): Found | Promise<Found>;
}

const APT = 'apt-get install';
const NPM = 'npm install';

/** Each can be set by an environment variable with its path; that of uwsgi-python3 is the name of uWSGI's plugin. */
const SOURCES = {
  nginx: command([APT, 'nginx'], 'NEARWIRE_NGINX', ['nginx'], ['-v'], /nginx\/(\S+)/),
  uwsgi: command([APT, 'uwsgi'], 'NEARWIRE_UWSGI', ['uwsgi', 'uwsgi-core'], ['--version'], /^(\S+)/),
  'uwsgi-python3': { install: [APT, 'uwsgi-plugin-python3'], find: findUwsgiPlugin },
  apache2: command([APT, 'apache2'], 'NEARWIRE_APACHE2', ['apache2', 'httpd'], ['-v'], /Apache\/(\S+)/),
  // It reports its version only in a server's responses.
  mod_wsgi: { install: [APT, 'libapache2-mod-wsgi-py3'], find: () => ({ file: findModWsgi() }) },
  yaws: command([APT, 'yaws'], 'NEARWIRE_YAWS', ['yaws'], ['--version'], /(\d+\.\S+)/),
  'python3-markdown': { install: [APT, 'python3-markdown'], find: findMarkdown },
  'uWebSockets.js': { install: [NPM, 'uNetworking/uWebSockets.js#v20.57.0'], find: findUwebsockets },
  bun: command([NPM, 'bun'], 'NEARWIRE_BUN', ['bun'], ['--version'], /^(\S+)/),
  strace: command([APT, 'strace'], 'NEARWIRE_STRACE', ['strace'], ['--version'], /version (\S+)/),
  floor: { install: ['npm run', 'build:floor'], find: () => ({ file: findFloor(), version: ownVersion() }) },
} satisfies Readonly<Record<string, Source>>;

export type ProgramName = keyof typeof SOURCES;

export async function findPrograms(folder = process.cwd()): Promise<ReadonlyMap<ProgramName, Program>> {
  const entries = Object.entries(SOURCES) as [ProgramName, Source][];
  return new Map(
    await Promise.all(
      entries.map(async ([name, { install, find }]) => {
        const { file, version } = await find(folder);
        return [name, { name, install: install.join(' '), file, version }] as const;
      }),
    ),
  );
}

/** Why a stack cannot be started: the commands to run. Undefined if nothing is missing. */
export function missingOf(
  needs: readonly ProgramName[],
  programs: ReadonlyMap<ProgramName, Program>,
): string | undefined {
  const byTool = new Map<string, string[]>();
  for (const name of needs.filter((need) => programs.get(need)?.file === undefined)) {
    const [words, what] = SOURCES[name].install;
    byTool.set(words, [...(byTool.get(words) ?? []), what]);
  }
  const lines = [...byTool].map(([words, names]) => `${words} ${names.join(' ')}`);
  return lines.length === 0 ? undefined : `not installed: ${lines.join('; ')}`;
}

/** `form` matches the version in the program's output for `words`. */
function command(
  install: Source['install'],
  variable: string,
  names: readonly string[],
  words: readonly string[],
  form: RegExp,
): Source {
  return {
    install,
    async find(folder) {
      const first = install[0] === NPM ? [join(folder, 'node_modules', '.bin')] : [];
      const file = findProgram(variable, names, first);
      return file === undefined ? {} : { file, version: form.exec(await said(file, words))?.[1] };
    },
  };
}

/** Asks uWSGI itself whether it can load it, as its plugins may be anywhere. */
async function findUwsgiPlugin(folder: string): Promise<Found> {
  const { file: uwsgi } = await SOURCES.uwsgi.find(folder);
  if (uwsgi === undefined) return {};
  const hasPython = async (words: readonly string[]): Promise<boolean> =>
    /^\d+: python$/m.test(await said(uwsgi, [...words, '--plugin-list']));
  const plugin = process.env['NEARWIRE_UWSGI_PLUGIN'];
  if (plugin === undefined && (await hasPython([]))) return { file: BUILT_IN };
  const name = plugin ?? 'python3';
  return (await hasPython(['--plugin', name])) ? { file: name } : {};
}

function findModWsgi(): string | undefined {
  const files = APACHE_MODULES.map((folder) => join(folder, 'mod_wsgi.so'));
  const named = process.env['NEARWIRE_MOD_WSGI'];
  return (named === undefined ? files : [named]).find(existsSync);
}

/** The file of the interpreter that has it: uWSGI and Apache use the system's Python, not a user's. */
async function findMarkdown(): Promise<Found> {
  const python = findProgram('NEARWIRE_PYTHON3', ['python3'], ['/usr/bin']);
  if (python === undefined) return {};
  const answer = await said(python, ['-c', 'import markdown; print("markdown", markdown.__version__)']);
  const version = /^markdown (\S+)/m.exec(answer)?.[1];
  return version === undefined ? {} : { file: python, version };
}

/** The file of a module, which the server imports. */
function findUwebsockets(folder: string): Found {
  const named = process.env['NEARWIRE_UWEBSOCKETS'];
  const name = named === undefined ? 'uWebSockets.js' : resolve(folder, named);
  try {
    const file = createRequire(join(folder, 'index.js')).resolve(name);
    const manifest = JSON.parse(readFileSync(join(dirname(file), 'package.json'), 'utf8')) as { version?: string };
    return { file, version: manifest.version };
  } catch {
    return {};
  }
}

/** Its output on stdout and stderr, whatever its exit code. */
async function said(file: string, words: readonly string[]): Promise<string> {
  // Not one of node's pipes for stdin, which is a socket: uWSGI would serve on it.
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: VERSION_MS, killSignal: 'SIGKILL' });
  try {
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return (out + error).trim();
  } catch {
    return '';
  }
}
