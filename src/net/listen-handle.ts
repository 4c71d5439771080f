/** The object that replaces node's handle under a server that listens natively. */
import * as net from 'node:net';
import { errnoError } from '../errors/index.js';
import type { SocketFile } from '../engine/socket-file.js';
import type { EngineListener } from '../engine/listener.js';
import { handleOf } from '../node/handles.js';
import type { ListenHandle } from '../node/server-internals.js';

/** Bits of `fchmod`'s argument, as in libuv. */
const CHMOD_READABLE = 1;
const CHMOD_WRITABLE = 2;
/** The mode bits that let all users read, and write. */
const ALL_READ = 0o444;
const ALL_WRITE = 0o222;

interface NodesHandle {
  close(): void;
}

function originalHandle(fd: number): NodesHandle {
  if (fd < 0) throw errnoError(fd, 'dup');
  return handleOf(new net.Socket({ fd, readable: false })) as NodesHandle;
}

/** Whether this is the handle of a server that listens natively. */
export function isListenHandle(handle: unknown): handle is ListenHandle {
  return typeof handle === 'object' && handle !== null && 'genuine' in handle;
}

/** What belongs to a listening socket and is released when it closes. */
export interface Belongings {
  /** The socket file of a path. */
  file?: SocketFile | undefined;
  /** The handle from which the descriptor came. */
  origin?: { close(): void } | undefined;
  /** Called after it has closed. */
  closed: () => void;
}

export function listenHandle(
  listener: EngineListener,
  tcp: boolean,
  { file, origin, closed }: Belongings,
): ListenHandle {
  const { native } = listener.engine;
  let referenced = true;
  let genuine: NodesHandle | undefined;
  const setReference = (on: boolean): void => {
    referenced = on;
    listener.setRef(on);
  };
  const handle: ListenHandle = {
    close(callback) {
      referenced = false;
      listener.close();
      file?.remove();
      origin?.close();
      genuine?.close();
      closed();
      if (callback !== undefined) process.nextTick(callback);
    },
    ref() {
      setReference(true);
    },
    unref() {
      setReference(false);
    },
    hasRef: () => referenced,
    genuine: () => (genuine ??= originalHandle(native.duplicateListener(listener.id))),
    get fd() {
      return native.listenerDescriptor(listener.id);
    },
  };
  if (file !== undefined) {
    handle.fchmod = (flags) =>
      file.allow(((flags & CHMOD_READABLE) !== 0 ? ALL_READ : 0) | ((flags & CHMOD_WRITABLE) !== 0 ? ALL_WRITE : 0));
  }
  if (tcp) {
    handle.getsockname = (out) => {
      const name = native.listenerAddress(listener.id);
      if (typeof name === 'number') return name;
      Object.assign(out, name);
      return 0;
    };
  }
  return handle;
}
