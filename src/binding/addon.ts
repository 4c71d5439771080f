/**
 * The JavaScript/native boundary: all exports of the addon, declared once. Nothing else in src touches the addon. The
 * engine, the other objects, the constants that both sides share, and the sockets of any process are declared in files
 * of their own, which are imported through this one.
 *
 * Connections and listeners are small integers ("ids"), not objects: a connection needs no wrapper, and a stale id is
 * refused with EBADF. An id is not reused before the event-loop iteration in which its close was requested has ended.
 * Every number that can fail is 0 or more on success and a negative errno on failure.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeEngine } from './engine.js';
import type { NativeBalance, NativePage, NativeTally } from './objects.js';
import type {
  NativeOptionRow,
  NativeSocketDescription,
  NativeSocketState,
  NativeTcpListener,
  NativeUnixSocket,
} from './sockets.js';

export * from './engine.js';
export * from './objects.js';
export * from './words.js';
export * from './sockets.js';

/** As in native/addon.cc. Increment it when a declaration here, or in the files above, changes its meaning. */
export const CONTRACT = 12;

export interface NativeAddon {
  createEngine(): NativeEngine;
  createPage(): NativePage;
  createTally(): NativeTally;
  createBalance(): NativeBalance;
  /**
   * The UNIX sockets of this network namespace, or only the listening ones. ENOSYS if the system does not report them;
   * EPROTONOSUPPORT, EPERM and the like if it refuses to.
   */
  unixSockets(listenersOnly: boolean): NativeUnixSocket[] | number;
  /** The socket with this id. ESRCH: none. */
  unixSocket(id: string): NativeUnixSocket | number;
  /** The ids of the sockets in this listener's accept queue. ESRCH: no such listener. EMSGSIZE: too many to report. */
  waitingClients(id: string): string[] | number;
  /** The TCP listeners on a port. */
  tcpListeners(port: number): NativeTcpListener[] | number;
  /** EPROTOTYPE: not a stream socket of AF_UNIX or TCP. */
  describeSocket(fd: number): NativeSocketDescription | number;
  /**
   * Whether a socket is bound to a path, checked without the owner noticing. 0: a datagram socket; EPROTOTYPE: another
   * type; ECONNREFUSED: none; otherwise the error of a connect.
   */
  probePath(path: string): number;
  /**
   * Reads as much of a file as is in memory by now into `memory`: at `offset`, or, where that is negative, at the
   * file's own position, which then moves. Returns the bytes; 0 at the file's end. EAGAIN: a disk has to be waited for.
   * ENOSYS: the system does not tell.
   */
  readResident(fd: number, memory: Uint8Array, offset: number): number;
  /** What identifies an open regular file, as fs.fstatSync() has it. ESPIPE: another kind of file. */
  identifyFile(fd: number): [device: number, inode: number] | number;
  /**
   * Makes each system call that the engine uses once, on a socket of its own that it binds to `path` (which is left
   * behind) and on files in memory. The outcome is 0 or the negative errno; a call that depends on one that failed is
   * left out. A sandbox may kill the process for such a call.
   */
  tryCalls(path: string): [call: string, outcome: number][];
  /** The live pages of this process, in all its threads, and the bytes reserved for them. */
  pageTotals(): [pages: number, bytes: number];
  /** The table of socket options: an option is identified by its index. */
  socketOptions(): NativeOptionRow[];
  /** The kind of socket behind a descriptor; ENOTSOCK: not a socket. */
  socketState(fd: number): NativeSocketState | number;
  /** `error` is 0 or a negative errno. */
  getSocketOption(fd: number, option: number): [error: number, value: number];
  /** Sets an option and reads it back. `clampedBy` names the limit that changed the value. */
  setSocketOption(fd: number, option: number, value: number): [error: number, effective: number, clampedBy?: string];
  /**
   * Sets the buffer sizes of a socket that the engine does not own; 0 leaves one unchanged. `AUTO_BUFFER` works only in
   * the engine.
   */
  setBuffers(fd: number, sendBufferSize: number, recvBufferSize: number, smallBuffers: boolean): number;
  /** SO_SNDBUF and SO_RCVBUF of any socket as read back, in bytes. */
  bufferSizes(fd: number): [send: number, recv: number] | number;
  /** Whether an ArrayBuffer can have the addon's memory. */
  readonly lendsMemory: boolean;
  /** `CONTRACT` when the addon was built. */
  readonly contract: number;
  /** The engine's platform file: linux, darwin or posix. */
  readonly system: string;
  /** Built with assertions. */
  readonly debug: boolean;
  /** The numbers and names of words.ts, objects.ts and sockets.ts, as the addon was built: for the test that compares them. */
  abi(): object;
  /** Does nothing: measures the cost of a call into the addon, for bench/micro. */
  noop(): void;
}

export interface AddonStatus {
  addon: NativeAddon | undefined;
  /** The addon's file. */
  file: string | undefined;
  /** Why it did not load. */
  reason: Error | undefined;
}

const require = createRequire(import.meta.url);
/** From dist/src/binding, and from dist/bundle/chunks. */
const packageRoot = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A prebuilt addon or one built in a clone; otherwise where node-gyp puts it when a user runs it on native/binding.gyp.
 */
function findAddon(): string {
  const nodeGypBuild = require('node-gyp-build') as { resolve(dir: string): string };
  try {
    return nodeGypBuild.resolve(packageRoot);
  } catch (error) {
    const built = join(packageRoot, 'native', 'build', 'Release', 'nearwire.node');
    if (existsSync(built)) return built;
    throw error;
  }
}

function load(): AddonStatus {
  try {
    const file = process.env['NEARWIRE_ADDON'] ?? findAddon();
    const addon = require(file) as NativeAddon;
    // Without this check a stale addon would misbehave silently.
    if (addon.contract !== CONTRACT) throw new Error(`${file} was built from other sources: npm run build:native`);
    if (!addon.lendsMemory) {
      throw new Error('An addon may not share memory with JavaScript here, as in Electron');
    }
    return { addon, file, reason: undefined };
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error));
    // Until the stack is read, V8 keeps the objects whose calls led here: a first page, or socket, would never be
    // freed.
    Reflect.get(reason, 'stack');
    return { addon: undefined, file: undefined, reason };
  }
}

let status: AddonStatus | undefined;

/** Loads the addon on first use. */
export function addonStatus(): AddonStatus {
  return (status ??= load());
}
