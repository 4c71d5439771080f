/** A running server as a subject: its address, a check that it responds, and its processes. */
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { CannotRun } from './cannot-run.js';
import { LONGEST_SOCKET_PATH } from './folder.js';
import { listeningAt } from './listening-processes.js';
import { PeerError } from './peer.js';
import { cpuOf, processFamily } from './process-table.js';
import type { BroughtSubject } from './subject-module.js';
import type { Target } from './work/words.js';

const ATTACHED = 'attached';
/** The cases that run if none are named. */
export const ATTACHED_HTTP_CASES = ['http', 'http-close'];
const ECHO_CASES = ['rtt', 'pipeline', 'fanin', 'growth', 'churn'];
/** For one response: anything slower has hung. */
const PATIENCE_MS = 5_000;

export interface AttachChoice {
  /** The path of a UNIX socket, or HOST:PORT. */
  readonly target: string;
  /** The path of the requests. */
  readonly path: string;
  readonly pid: number | undefined;
}

/** A target with a slash, or without a port at its end, is a path. */
function parseTarget(text: string): Target {
  const [, host, port] = /^([^/]+):(\d+)$/.exec(text) ?? [];
  return host !== undefined && Number(port) <= 65535 ? { host, port: Number(port) } : { path: resolve(text) };
}

export function familyOf(text: string): 'unix' | 'tcp' {
  return 'path' in parseTarget(text) ? 'unix' : 'tcp';
}

/** Throws CannotRun if the server cannot be reached or, for HTTP cases, gives no response. */
export async function attachTo(choice: AttachChoice, cases: readonly string[]): Promise<BroughtSubject> {
  const { target: text, path, pid } = choice;
  const target = await connectTo(text);
  const isAsked = cases.some((name) => ATTACHED_HTTP_CASES.includes(name));
  const answer = isAsked ? [await askOnce(target, text, path)] : [];
  if (pid !== undefined && !existsSync(`/proc/${String(pid)}`)) {
    throw new CannotRun(`--pid ${String(pid)}: there is no such process in /proc`);
  }
  const { pids, note } = processesOf(target, pid);
  return {
    subject: {
      ...{ name: ATTACHED, title: `the server at ${text}`, program: 'attached' },
      cases: [...ATTACHED_HTTP_CASES, ...ECHO_CASES],
      families: [familyOf(text)],
      server: {
        address: 'path' in target ? target.path : `${target.host}:${String(target.port)}`,
        words: { path, anyAnswer: true },
        ask: () => Promise.resolve().then(() => sumOf(pids)),
      },
    },
    notes: [...answer, note].map((told) => `${ATTACHED}: ${told}`),
  };
}

/** Connects once. Returns the target by address, as the load generator resolves no names. */
async function connectTo(text: string): Promise<Target> {
  const target = parseTarget(text);
  // Some versions of Node truncate it and connect to another path.
  if ('path' in target && Buffer.byteLength(target.path) > LONGEST_SOCKET_PATH) {
    throw new CannotRun(`--attach ${text}: a socket's path has up to ${String(LONGEST_SOCKET_PATH)} bytes`);
  }
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const socket = net.connect('path' in target ? target : { ...target, family: 4 });
  try {
    await once(socket, 'connect', { signal });
    return 'path' in target ? target : { host: socket.remoteAddress ?? target.host, port: target.port };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = signal.aborted ? `no ${ANSWER}` : message;
    const reason = reasonOf(code, target) ?? why;
    const tried = 'path' in target ? `a connect to the UNIX socket ${target.path}, ${code}` : why;
    throw new CannotRun(`--attach ${text}: ${reason} (tried: ${tried})`);
  } finally {
    socket.destroy();
  }
}

const ANSWER = `answer within ${String(PATIENCE_MS / 1e3)} s`;
const NO_NAME = 'there is no IPv4 address of this name';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens on this port',
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  ENOENT: 'there is no such socket file',
  EACCES: 'this user may not connect: that takes the right to write the socket file',
  EAGAIN: 'its queue of connections is full',
};

function reasonOf(code: string, target: Target): string | undefined {
  if (code !== 'ECONNREFUSED' || !('path' in target)) return REASONS[code];
  const isSocket = statSync(target.path).isSocket();
  return isSocket ? 'nobody listens there: the server has ended and left its file' : 'this file is no socket';
}

/** Sends the request of the cases, and describes its response. */
async function askOnce(target: Target, text: string, path: string): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const where = 'path' in target ? { socketPath: target.path } : target;
  try {
    const request = http.get({ ...where, path, signal, agent: false, headers: { Host: 'localhost' } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const { length } = await buffer(response);
    const answer = `status ${String(response.statusCode)} and ${String(length)} bytes`;
    return `GET ${path} is answered with ${answer}, and each later answer has to be the like`;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const badly = code.startsWith('HPE_') ? `what it answers is no HTTP/1.1: ${message}` : message;
    const why = signal.aborted ? `no whole ${ANSWER}` : badly;
    throw new CannotRun(`--attach ${text}: ${why} (tried: GET ${path})`);
  }
}

/** The processes whose CPU counts as the server's, and a note about them. */
function processesOf(
  target: Target,
  given: number | undefined,
): { readonly pids: readonly number[]; readonly note: string } {
  try {
    const first = given === undefined ? listenersAt(target) : [given];
    const pids = processFamily(({ pid }) => first.includes(pid));
    return { pids, note: `its CPU is that of ${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}` };
  } catch (error) {
    return { pids: [], note: `its CPU is left out: ${(error as Error).message}; --pid names its process` };
  }
}

/** Throws if none is visible. */
function listenersAt(target: Target): readonly number[] {
  const { pids, hidden } = listeningAt(target);
  const others = hidden > 0 ? `, and ${String(hidden)} processes of other users cannot be examined` : '';
  if (pids.length === 0) throw new Error(`no visible process listens there${others}`);
  return pids;
}

function sumOf(pids: readonly number[]): number {
  if (pids.length === 0) return NaN;
  try {
    return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  } catch (error) {
    throw new PeerError(`a process of the attached server has ended: ${(error as Error).message}`);
  }
}
