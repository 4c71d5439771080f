/** `new Socket({ fd })`: a native socket over a descriptor that something else has opened. */
import { constants } from 'node:os';
import { socketScope } from './async-scopes.js';
import { connectionOptions, type SocketOptions } from './socket-options.js';
import { SocketConnection } from './socket-connection.js';
import type { NativeSocket } from './socket.js';

const { EBADF } = constants.errno;

/** node's own code pauses by these what it makes. */
interface PauseOptions {
  pauseOnCreate?: boolean;
  manualStart?: boolean;
}

/**
 * Puts a fresh socket on `options.fd`, which is the socket's from then on, and starts to read. Answers 0, or a negative
 * errno where the engine can't take it, and then it is still the caller's.
 */
export function adoptDescriptor(socket: NativeSocket, options: SocketOptions): number {
  const { engine } = socket._settings;
  const fd: unknown = options.fd;
  const { pauseOnCreate, manualStart } = options as PauseOptions;
  const reading = options.readable !== false && !pauseOnCreate && !manualStart;
  const id = typeof fd === 'number' ? engine.adopt(fd, connectionOptions(socket._settings, !reading)) : -EBADF;
  if (id < 0) return id;
  const name = engine.native.localAddress(id);
  const tcp = typeof name === 'object' && name.family !== undefined;
  socket._connection = new SocketConnection(engine, id, socket, socketScope(), tcp, reading);
  socket._onread?.begin(socket._connection);
  if (pauseOnCreate) socket.pause();
  return 0;
}
