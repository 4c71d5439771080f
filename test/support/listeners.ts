/** Listeners in processes of their own that can be stopped, so that their queues stand still, and what `ss` says of them. */
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { transportStatus } from 'nearwire';
import { heard } from './children.js';
import { cleanup, nextTurn } from './sockets.js';

const { addon } = transportStatus();

/** The addon has this platform's own means; its portable build has none. */
export const hasDiagnosis =
  addon !== undefined && (createRequire(import.meta.url)(addon) as { system: string }).system === 'linux';

/** Longer than any child of ours needs; its end by this is a failure. */
const PATIENCE_MILLIS = 25_000;

/** Starts a program that belongs to the test and is killed with it. */
export function startProgram(words: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const [program = '', ...rest] = words;
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MILLIS);
  child.on('exit', () => {
    clearTimeout(timer);
  });
  cleanup(() => child.kill('SIGKILL'));
  return child;
}

const LISTEN = `
  const server = require('node:net').createServer((socket) => socket.on('error', () => {}));
  server.listen(JSON.parse(process.argv[1]), () => console.log(JSON.stringify(server.address())));
`;

/** A node:net server in another process, listening. `wrap` are words to start it with. */
export async function otherServer(
  where: net.ListenOptions,
  { cwd, wrap = [] }: { cwd?: string; wrap?: readonly string[] } = {},
): Promise<ChildProcess> {
  const words = [...wrap, process.execPath, '-e', LISTEN, JSON.stringify(where)];
  const child = startProgram(words, { cwd });
  await heard(child);
  return child;
}

/** Stops a process, and waits until it has. */
export async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  while (stateOf(child) !== 'T') await nextTurn();
}

export function proceed(child: ChildProcess): void {
  child.kill('SIGCONT');
}

function stateOf({ pid }: ChildProcess): string | undefined {
  const status = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return status[status.lastIndexOf(')') + 2];
}

/** Connects so many times; each waits in the queue of a listener that does not accept. They read nothing. */
export async function connectMany(where: net.NetConnectOpts, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = net.connect(where).pause();
    cleanup(() => socket.destroy());
    await once(socket, 'connect');
    // The listener is killed at the end.
    socket.on('error', () => undefined);
    sockets.push(socket);
  }
  return sockets;
}

export interface Depth {
  queued: number;
  backlog: number;
}

/** Recv-Q and Send-Q of the listeners whose local address is this, as `ss` shows them. */
export function depthsBySs(words: string, local: string): Depth[] {
  const out = execFileSync('ss', [words], { encoding: 'utf8' });
  return out
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map((fields) => fields.slice(fields.indexOf('LISTEN')))
    .filter(([, , , address]) => address === local || (local.startsWith('@') && address?.replace(/@+$/, '') === local))
    .map(([, queued, backlog]) => ({ queued: Number(queued), backlog: Number(backlog) }));
}
