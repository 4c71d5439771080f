/** The programs that stacks are made of: where they are, their versions, and what to type to have them. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';

import { isExecutable } from '../executable.js';
import { findFloor } from '../floor.js';
import { packageVersion } from '../package-root.js';
import type { Program, ProgramName } from './model.js';

/** Off the PATH of many users. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin', '/opt/homebrew/bin'];
/** Debian's, Fedora's, Homebrew's. */
const APACHE_MODULES = [
  '/usr/lib/apache2/modules',
  '/usr/lib64/httpd/modules',
  '/etc/httpd/modules',
  '/opt/homebrew/lib/httpd/modules',
];
/** A program that tells its version takes no longer, Erlang on a busy machine included. */
const VERSION_MS = 20_000;

const INSTALL: Readonly<Record<ProgramName, string>> = {
  nginx: 'apt-get install nginx',
  uwsgi: 'apt-get install uwsgi',
  'uwsgi-python3': 'apt-get install uwsgi-plugin-python3',
  apache2: 'apt-get install apache2',
  mod_wsgi: 'apt-get install libapache2-mod-wsgi-py3',
  yaws: 'apt-get install yaws',
  'python3-jinja2': 'apt-get install python3-jinja2',
  'uWebSockets.js': 'npm install uNetworking/uWebSockets.js#v20.57.0',
  bun: 'npm install bun',
  strace: 'apt-get install strace',
  floor: 'npm run build:native',
};

/** Names another than the one that is installed, by a path; of uwsgi-python3 the name of uWSGI's plugin. */
const PROGRAM_VARIABLES: Readonly<Record<ProgramName, string>> = {
  nginx: 'NEARWIRE_NGINX',
  uwsgi: 'NEARWIRE_UWSGI',
  'uwsgi-python3': 'NEARWIRE_UWSGI_PLUGIN',
  apache2: 'NEARWIRE_APACHE2',
  mod_wsgi: 'NEARWIRE_MOD_WSGI',
  yaws: 'NEARWIRE_YAWS',
  'python3-jinja2': 'NEARWIRE_PYTHON3',
  'uWebSockets.js': 'NEARWIRE_UWEBSOCKETS',
  bun: 'NEARWIRE_BUN',
  strace: 'NEARWIRE_STRACE',
  floor: 'NEARWIRE_FLOOR',
};

/** What stands for the plugin where it is part of uWSGI, as in what pip builds. */
export const BUILT_IN = 'built in';

type Found = Pick<Program, 'file' | 'version'>;

/** Looks for all of them. `folder` is where the user is: its node_modules may have some. */
export async function findPrograms(folder = process.cwd()): Promise<ReadonlyMap<ProgramName, Program>> {
  const uwsgi = findCommand('uwsgi', ['uwsgi', 'uwsgi-core']);
  const apache = findCommand('apache2', ['apache2', 'httpd']);
  const found: Readonly<Record<ProgramName, Promise<Found>>> = {
    nginx: versioned(findCommand('nginx', ['nginx']), ['-v'], /nginx\/(\S+)/),
    uwsgi: versioned(uwsgi, ['--version'], /^(\S+)/),
    'uwsgi-python3': findUwsgiPlugin(uwsgi),
    apache2: versioned(apache, ['-v'], /Apache\/(\S+)/),
    mod_wsgi: Promise.resolve(findModWsgi()),
    yaws: versioned(findCommand('yaws', ['yaws']), ['--version'], /(\d+\.\S+)/),
    'python3-jinja2': findJinja(),
    'uWebSockets.js': Promise.resolve(findUwebsockets(folder)),
    bun: versioned(findCommand('bun', ['bun'], [join(folder, 'node_modules', '.bin')]), ['--version'], /^(\S+)/),
    strace: versioned(findCommand('strace', ['strace']), ['--version'], /version (\S+)/),
    floor: Promise.resolve(floorProgram()),
  };
  const entries = Object.entries(found) as [ProgramName, Promise<Found>][];
  return new Map(
    await Promise.all(
      entries.map(async ([name, program]) => [name, { name, install: INSTALL[name], ...(await program) }] as const),
    ),
  );
}

/** Why a stack can't be started: what to type. Undefined where all is there. */
export function missingOf(
  needs: readonly ProgramName[],
  programs: ReadonlyMap<ProgramName, Program>,
): string | undefined {
  const missing = needs.filter((name) => programs.get(name)?.file === undefined);
  if (missing.length === 0) return undefined;
  return `not installed: ${joinInstalls(missing.map((name) => INSTALL[name]))}`;
}

/** `apt-get install a`, `apt-get install b` as one line. */
function joinInstalls(lines: readonly string[]): string {
  const byTool = new Map<string, string[]>();
  for (const line of lines) {
    const [, tool = line, what = ''] = /^(\S+ install) (.*)$/.exec(line) ?? [];
    byTool.set(tool, [...(byTool.get(tool) ?? []), what]);
  }
  return [...byTool].map(([tool, names]) => `${tool} ${names.join(' ')}`.trim()).join('; ');
}

function named(name: ProgramName): string | undefined {
  return process.env[PROGRAM_VARIABLES[name]];
}

function findCommand(name: ProgramName, files: readonly string[], first: readonly string[] = []): string | undefined {
  const other = named(name);
  if (other !== undefined) return isExecutable(other) ? resolve(other) : undefined;
  const folders = [...first, ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...MORE_FOLDERS];
  return folders.flatMap((folder) => files.map((file) => join(folder, file))).find(isExecutable);
}

async function versioned(file: string | undefined, words: readonly string[], form: RegExp): Promise<Found> {
  if (file === undefined) return { file, version: undefined };
  return { file, version: form.exec((await said(file, words)).trim())?.[1] };
}

/** uWSGI itself is asked whether it can load it, as its plugins may lie anywhere. */
async function findUwsgiPlugin(uwsgi: string | undefined): Promise<Found> {
  const none = { file: undefined, version: undefined };
  if (uwsgi === undefined) return none;
  const hasPython = async (words: readonly string[]): Promise<boolean> =>
    /^\d+: python$/m.test(await said(uwsgi, [...words, '--plugin-list']));
  const plugin = named('uwsgi-python3');
  if (plugin === undefined && (await hasPython([]))) return { file: BUILT_IN, version: undefined };
  const name = plugin ?? 'python3';
  return (await hasPython(['--plugin', name])) ? { file: name, version: undefined } : none;
}

function findModWsgi(): Found {
  const file = named('mod_wsgi') ?? APACHE_MODULES.map((folder) => join(folder, 'mod_wsgi.so')).find(existsSync);
  if (file === undefined || !existsSync(file)) return { file: undefined, version: undefined };
  // It tells its version only in the answers of a server.
  return { file, version: undefined };
}

/** The file is that of the interpreter that has it: uWSGI's and Apache's Python is the system's, not one of a user's. */
async function findJinja(): Promise<Found> {
  const other = named('python3-jinja2');
  const python = other ?? ['/usr/bin/python3', findCommand('python3-jinja2', ['python3'])].find(isThere);
  if (!isThere(python)) return { file: undefined, version: undefined };
  const answer = await said(python, ['-c', 'import jinja2; print("jinja2", jinja2.__version__)']);
  const version = /^jinja2 (\S+)/m.exec(answer)?.[1];
  return { file: version === undefined ? undefined : python, version };
}

function isThere(file: string | undefined): file is string {
  return file !== undefined && isExecutable(file);
}

/** A module's file, which the server imports. */
function findUwebsockets(folder: string): Found {
  const other = named('uWebSockets.js');
  const name = other === undefined ? 'uWebSockets.js' : isAbsolute(other) ? other : resolve(folder, other);
  try {
    const file = createRequire(join(folder, 'index.js')).resolve(name);
    const manifest = JSON.parse(readFileSync(join(dirname(file), 'package.json'), 'utf8')) as { version?: string };
    return { file, version: manifest.version };
  } catch {
    return { file: undefined, version: undefined };
  }
}

function floorProgram(): Found {
  const file = findFloor();
  return { file, version: file === undefined ? undefined : packageVersion() };
}

/** What it writes to stdout and stderr, whatever it exits with. */
function said(file: string, words: readonly string[]): Promise<string> {
  // Not a pipe of node's for stdin, which is a socket: uWSGI would serve on it.
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: VERSION_MS, killSignal: 'SIGKILL' });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  return new Promise((done) => {
    child.once('error', () => {
      done('');
    });
    child.once('close', () => {
      done(text);
    });
  });
}
