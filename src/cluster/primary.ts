/**
 * A cluster's primary: opens the listening sockets that workers share, and closes each when its last worker has left.
 */
import type { ChildProcess } from 'node:child_process';
import type { Cluster, Worker } from 'node:cluster';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import {
  CLUSTER,
  isMessage,
  isOurs,
  keyOf,
  keyOfNext,
  PRIMARY_VARIABLE,
  QUERY,
  type Close,
  type Query,
} from './messages.js';
import { Places } from './places.js';
import { sendPlainHandle } from '../node/plain-handle.js';
import { nodeCluster } from '../runtime/modules.js';

/** One of node's handles, bound but not listening: each worker calls listen() on its own descriptor. */
interface BoundHandle {
  close(): void;
  fchmod?(flags: number): number;
}

/** Bits of `fchmod`'s argument, as in libuv. */
const CHMOD_READABLE = 1;
const CHMOD_WRITABLE = 2;

interface NetInternals {
  /** A handle, or a negative errno. */
  _createServerHandle(
    address: string | null,
    port: number,
    addressType: number | null,
    fd: number | undefined,
    flags: number | undefined,
  ): BoundHandle | number;
}

const nodeNet = createRequire(import.meta.url)('node:net') as NetInternals;

interface SharedSocket {
  handle: BoundHandle;
  workers: Set<Worker>;
  places: Places;
}

const sockets = new Map<string, SharedSocket>();

/** A relative path may fit into a socket address where the absolute one does not. */
function shortest(query: Query): string | null {
  const { address, port } = query;
  if (port >= 0 || address === null || address.startsWith('\0')) return address;
  const short = relative(process.cwd(), address);
  return short.length < address.length ? short : address;
}

function open(query: Query): BoundHandle | number {
  const { port, addressType, fd, flags, readableAll, writableAll } = query;
  const handle = nodeNet._createServerHandle(shortest(query), port, addressType, fd, flags);
  if (typeof handle === 'number') return handle;
  const mode = (readableAll ? CHMOD_READABLE : 0) | (writableAll ? CHMOD_WRITABLE : 0);
  const error = mode === 0 ? 0 : (handle.fchmod?.(mode) ?? 0);
  if (error === 0) return handle;
  handle.close();
  return error;
}

function answer(worker: Worker, query: Query): void {
  // The worker is exiting and has closed its end of the channel: sending it a handle would fail it.
  if (worker.exitedAfterDisconnect) return;
  const first = keyOf(query);
  const key = sockets.get(first)?.workers.has(worker) ? keyOfNext(query) : first;
  let shared = sockets.get(key);
  let errno = 0;
  if (shared === undefined) {
    const handle = open(query);
    if (typeof handle === 'number') errno = handle;
    else sockets.set(key, (shared = { handle, workers: new Set(), places: new Places() }));
  }
  shared?.workers.add(worker);
  const reply = { cmd: CLUSTER, ack: query.seq, errno, key, data: null };
  if (!worker.isConnected()) {
    leave(worker, key);
    return;
  }
  shared?.places.seat(worker, query.seq);
  sendPlainHandle(worker, reply, shared?.handle);
}

function leave(worker: Worker, key: string): void {
  const shared = sockets.get(key);
  if (!shared?.workers.delete(worker)) return;
  shared.places.vacate(worker);
  if (shared.workers.size > 0) return;
  sockets.delete(key);
  shared.places.close();
  shared.handle.close();
}

function serve(worker: Worker): void {
  const child: ChildProcess = worker.process;
  child.on('internalMessage', (message: unknown) => {
    if (isMessage<Query>(message, QUERY, 'queryServer')) answer(worker, message);
    else if (isMessage<Close>(message, CLUSTER, 'close') && isOurs(message.key)) leave(worker, message.key);
  });
  const leaveAll = (): void => {
    for (const key of [...sockets.keys()]) leave(worker, key);
  };
  child.once('disconnect', leaveAll);
  child.once('exit', leaveAll);
}

/** Makes this process answer the workers that it forks from now on, and announces that in their environment. */
export function installPrimary(): void {
  const cluster = nodeCluster();
  const { fork } = cluster;
  const patched: Cluster['fork'] = (env?: unknown) => {
    const worker = fork.call(cluster, { ...(env as object | undefined), [PRIMARY_VARIABLE]: String(process.pid) });
    serve(worker);
    return worker;
  };
  cluster.fork = patched;
}
