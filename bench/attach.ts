/** A server that runs already, as a subject: where it is, that it answers, and which processes are it. */
import { statSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import * as net from 'node:net';
import { resolve } from 'node:path';

import { CannotRun } from './cannot-run.js';
import { LONGEST_SOCKET_PATH } from './folder.js';
import { listeningAt } from './listening-processes.js';
import { PeerError } from './peer.js';
import { cpuOf, processFamily } from './process-table.js';
import type { Subject } from './subjects.js';

export const ATTACHED = 'attached';
/** The cases that are run where none are named. */
export const ATTACHED_HTTP_CASES = ['http', 'http-close'];
const ECHO_CASES = ['rtt', 'pipeline', 'fanin', 'growth', 'churn'];
/** For one answer: what takes longer has hung. */
const PATIENCE_MS = 5_000;

export interface AttachChoice {
  /** The path of a UNIX socket, or HOST:PORT. */
  readonly target: string;
  /** Of the requests. */
  readonly path: string;
  readonly pid: number | undefined;
}

type AttachedTarget = { readonly path: string } | { readonly host: string; readonly port: number };

export interface AttachedServer {
  /** As clients are told it. */
  readonly address: string;
  /** Command words of its clients besides those of all. */
  clientWords(benchCase: string): string[];
  /** `cpu`: microseconds of its processes so far, NaN where they are not known. */
  ask(word: string): Promise<number>;
}

export interface Attachment {
  readonly subject: Subject;
  /** What a reader is to know of it. */
  readonly notes: readonly string[];
}

/** What has a slash is a path, and so is what does not end in a port. */
function parseTarget(text: string): AttachedTarget {
  const [, host, port] = /^([^/]+):(\d+)$/.exec(text) ?? [];
  return host !== undefined && Number(port) <= 65535 ? { host, port: Number(port) } : { path: resolve(text) };
}

function isHttp(benchCase: string): boolean {
  return ATTACHED_HTTP_CASES.includes(benchCase);
}

export function familyOf(text: string): 'unix' | 'tcp' {
  return 'path' in parseTarget(text) ? 'unix' : 'tcp';
}

/** Throws CannotRun where the server can't be reached or, if it is to be asked by HTTP, gives no answer. */
export async function attachTo(choice: AttachChoice, cases: readonly string[]): Promise<Attachment> {
  const { target: text, path, pid } = choice;
  const target = await connectTo(text);
  const notes = cases.some(isHttp) ? [await askOnce(target, text, path)] : [];
  const cpu = pid === undefined ? processesAt(target) : given(pid);
  const address = 'path' in target ? target.path : `${target.host}:${String(target.port)}`;
  const server: AttachedServer = {
    address,
    clientWords: (benchCase) => (isHttp(benchCase) ? ['--path', path, '--any-answer', '1'] : []),
    ask: () => Promise.resolve().then(() => sumOf(cpu.pids)),
  };
  const subject: Subject = {
    name: ATTACHED,
    title: `the server at ${text}`,
    program: 'attached',
    needsAddon: false,
    cases: [...ATTACHED_HTTP_CASES, ...ECHO_CASES],
    families: [familyOf(text)],
    server,
  };
  return { subject, notes: [...notes, cpu.note].map((note) => `${ATTACHED}: ${note}`) };
}

/** Connects once. Answers the target by its address, as the load generator looks up no names. */
async function connectTo(text: string): Promise<AttachedTarget> {
  const target = parseTarget(text);
  // Some versions of Node cut it, and connect to another.
  if ('path' in target && Buffer.byteLength(target.path) > LONGEST_SOCKET_PATH) {
    throw new CannotRun(`--attach ${text}: a socket's path has up to ${String(LONGEST_SOCKET_PATH)} bytes`);
  }
  const socket = net.connect('path' in target ? target : { ...target, family: 4 });
  try {
    await new Promise<void>((done, fail) => {
      socket.on('connect', done).on('error', fail);
      socket.setTimeout(PATIENCE_MS, () => {
        fail(new Error(`no answer within ${String(PATIENCE_MS / 1e3)} s`));
      });
    });
    return 'path' in target ? target : { host: socket.remoteAddress ?? target.host, port: target.port };
  } catch (error) {
    throw new CannotRun(`--attach ${text}: ${whyNot(error as NodeJS.ErrnoException, target)}`);
  } finally {
    socket.destroy();
  }
}

function whyNot({ code, message }: NodeJS.ErrnoException, target: AttachedTarget): string {
  const tried = 'path' in target ? `a connect to the UNIX socket ${target.path}` : message;
  return `${reasonOf(code, target) ?? message} (tried: ${tried}${code === undefined || !('path' in target) ? '' : `, ${code}`})`;
}

function reasonOf(code: string | undefined, target: AttachedTarget): string | undefined {
  const isPath = 'path' in target;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such socket file';
    case 'EACCES':
    case 'EPERM':
      return isPath ? 'this user may not connect: that takes the right to write the socket file' : undefined;
    case 'ECONNREFUSED':
      if (!isPath) return 'nobody listens on this port';
      if (!statSync(target.path).isSocket()) return 'this file is no socket';
      return 'nobody listens there: the server has ended and left its file';
    case 'EAGAIN':
      return 'its queue of connections is full';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no IPv4 address of this name';
    default:
      return undefined;
  }
}

/** Asks as the cases will, and tells what answer that gives. */
async function askOnce(target: AttachedTarget, text: string, path: string): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const where = 'path' in target ? { socketPath: target.path } : target;
  try {
    const { status, bytes } = await new Promise<{ status: number; bytes: number }>((done, fail) => {
      get({ ...where, path, signal, agent: false, headers: { Host: 'localhost' } }, (response) => {
        void bytesOf(response).then((count) => {
          done({ status: response.statusCode ?? 0, bytes: count });
        }, fail);
      }).on('error', fail);
    });
    return `GET ${path} is answered with status ${String(status)} and ${String(bytes)} bytes, and each later answer has to be the like`;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const badly = code.startsWith('HPE_') ? `what it answers is no HTTP/1.1: ${message}` : message;
    const why = signal.aborted ? `no whole answer within ${String(PATIENCE_MS / 1e3)} s` : badly;
    throw new CannotRun(`--attach ${text}: ${why} (tried: GET ${path})`);
  }
}

async function bytesOf(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  return bytes;
}

interface Processes {
  readonly pids: readonly number[];
  readonly note: string;
}

function processesAt(target: AttachedTarget): Processes {
  const unknown = (why: string): Processes => ({
    pids: [],
    note: `its CPU is left out: ${why}; --pid names its process`,
  });
  try {
    const { pids, hidden } = listeningAt(target);
    if (pids.length > 0) return told(pids);
    const others = hidden > 0 ? `, and ${String(hidden)} processes of other users may not be looked into` : '';
    return unknown(`no process is seen that listens there${others}`);
  } catch (error) {
    return unknown((error as Error).message);
  }
}

function given(pid: number): Processes {
  try {
    cpuOf(pid);
  } catch {
    throw new CannotRun(`--pid ${String(pid)}: there is no such process in /proc`);
  }
  return told([pid]);
}

function told(pids: readonly number[]): Processes {
  const all = processFamily(({ pid }) => pids.includes(pid));
  const names = all.length === 1 ? 'process' : 'processes';
  return { pids: all, note: `its CPU is that of ${names} ${all.join(', ')}` };
}

function sumOf(pids: readonly number[]): number {
  if (pids.length === 0) return NaN;
  try {
    return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  } catch (error) {
    throw new PeerError(`a process of the attached server has ended: ${(error as Error).message}`);
  }
}
