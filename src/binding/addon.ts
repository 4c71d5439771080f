/**
 * The boundary: everything the addon exports, declared once. Nothing else in src touches the addon. The engine, the other
 * objects, the words that both sides share, and sockets of any process have files of their own, which are imported by way of
 * this one.
 *
 * Connections and listeners are small integers ("ids"), not objects: a connection costs no wrapper, and a stale id is
 * refused with EBADF. An id is used again only after the turn in which its close was asked for.
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

/** native/addon.cc has the same: goes up when what is declared here, or in the files above, changes its meaning. */
export const CONTRACT = 8;

export interface NativeAddon {
  createEngine(): NativeEngine;
  createPage(): NativePage;
  createTally(): NativeTally;
  createBalance(): NativeBalance;
  /**
   * The UNIX sockets of this network namespace, or those that listen. ENOSYS where the system tells nothing; EPROTONOSUPPORT,
   * EPERM and the like where it refuses to.
   */
  unixSockets(listenersOnly: boolean): NativeUnixSocket[] | number;
  /** The one with this id. ESRCH: none. */
  unixSocket(id: string): NativeUnixSocket | number;
  /** The ids of the sockets that wait in this listener's queue. ESRCH: no such listener. EMSGSIZE: too many to be told. */
  waitingClients(id: string): string[] | number;
  /** The TCP listeners on a port. */
  tcpListeners(port: number): NativeTcpListener[] | number;
  /** EPROTOTYPE: no stream socket of AF_UNIX or TCP. */
  describeSocket(fd: number): NativeSocketDescription | number;
  /**
   * Whether a socket is bound to a path, found out without a trace at its owner. 0: a datagram socket; EPROTOTYPE: another;
   * ECONNREFUSED: none; else what a connect fails with.
   */
  probePath(path: string): number;
  /**
   * Makes each of the system's calls that the engine uses once, on a socket of its own that it binds to `path` (which is
   * left behind) and on files in memory. 0, or the negative errno that it failed with; a call that has nothing to work
   * on, because an earlier one failed, is left out. A sandbox may end the process for it.
   */
  tryCalls(path: string): [call: string, outcome: number][];
  /** The living pages of this process, all threads of it together, and the bytes reserved for them. */
  pageTotals(): [pages: number, bytes: number];
  /** The table of socket options: an option is named by its place in it. */
  socketOptions(): NativeOptionRow[];
  /** What kind of socket a descriptor is; ENOTSOCK: none. */
  socketState(fd: number): NativeSocketState | number;
  /** `error` is 0 or a negative errno. */
  getSocketOption(fd: number, option: number): [error: number, value: number];
  /** Sets an option and reads it back. `clampedBy` names the limit that has changed the value. */
  setSocketOption(fd: number, option: number, value: number): [error: number, effective: number, clampedBy?: string];
  /** Gives a socket that is not the engine's its buffers; 0 leaves one as it is. `AUTO_BUFFER` is the engine's alone. */
  setBuffers(fd: number, sendBufferSize: number, recvBufferSize: number, smallBuffers: boolean): number;
  /** What SO_SNDBUF and SO_RCVBUF of any socket read back, in bytes. */
  bufferSizes(fd: number): [send: number, recv: number] | number;
  /** Memory of the addon's can be an ArrayBuffer's. */
  readonly lendsMemory: boolean;
  /** `CONTRACT`, as the addon was built. */
  readonly contract: number;
  /** The engine's platform file: linux, darwin or posix. */
  readonly system: string;
  /** Built with assertions. */
  readonly debug: boolean;
  /** The numbers and names of words.ts, objects.ts and sockets.ts, as the addon was built: for the test that compares them. */
  abi(): object;
  /** Does nothing: the cost of crossing the border, for bench/micro. */
  noop(): void;
}

export interface AddonStatus {
  addon: NativeAddon | undefined;
  /** Where the addon came from. */
  file: string | undefined;
  /** Why it did not load. */
  reason: Error | undefined;
}

const require = createRequire(import.meta.url);
/** From dist/src/binding, and from dist/bundle/chunks. */
const packageRoot = fileURLToPath(new URL('../../..', import.meta.url));

/** Prebuilt or built in a clone; else where node-gyp puts it that a user has run on native/binding.gyp. */
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
    // Without this a stale addon would not fail, but be silent.
    if (addon.contract !== CONTRACT) throw new Error(`${file} was built from other sources: npm run build:native`);
    if (!addon.lendsMemory) {
      throw new Error('An addon may not share memory with JavaScript here, as in Electron');
    }
    return { addon, file, reason: undefined };
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error));
    // Until somebody reads the stack, V8 keeps the objects whose calls led here: a first page, or socket, would live for ever.
    Reflect.get(reason, 'stack');
    return { addon: undefined, file: undefined, reason };
  }
}

let status: AddonStatus | undefined;

/** Loads the addon on first use. */
export function addonStatus(): AddonStatus {
  return (status ??= load());
}
