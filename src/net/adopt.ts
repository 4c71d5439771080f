/** `new Socket({ fd })`: a native socket over a descriptor that was opened elsewhere. */
import { constants } from 'node:os';
import { socketScope } from './async-scopes.js';
import { connectionOptions, type SocketOptions } from './socket-options.js';
import { SocketConnection } from './socket-connection.js';
import type { NativeSocket } from './socket.js';

const { EBADF } = constants.errno;

/** Options by which node's own code creates paused sockets. */
interface PauseOptions {
  pauseOnCreate?: boolean;
  manualStart?: boolean;
}

/**
 * Puts a new socket on `options.fd`, which it then owns, and starts to read. Returns 0, or a negative errno if the
 * engine cannot take the descriptor; then the caller still owns it.
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
