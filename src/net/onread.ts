/** The option `onread`: a socket that reads into a buffer of the program's, without a copy and without 'data'. */
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import type { OnreadOptions } from './socket-options.js';

/** The reading part of a connection. */
interface ReadingConnection {
  readonly id: number;
  readonly open: boolean;
  readonly engine: Engine;
  stopReading(): void;
  startReading(): void;
  readOn(): void;
}

interface ReadingSocket extends net.Socket {
  readonly _connection: ReadingConnection | undefined;
  _onread?: Onread;
}

export class Onread {
  private readonly socket: ReadingSocket;
  private readonly options: OnreadOptions;
  /** The buffer that is read into. */
  private buffer: Uint8Array | undefined;

  constructor(socket: ReadingSocket, options: OnreadOptions) {
    this.socket = socket;
    this.options = options;
  }

  /** Makes a new connection read into the buffer. */
  begin(connection: ReadingConnection): void {
    const { buffer } = this.options;
    this.use(connection, typeof buffer === 'function' ? buffer() : buffer);
  }

  /**
   * Bytes have arrived. Reading continues after the callback, unless it returns false, pauses the socket or closes it.
   */
  tell(connection: ReadingConnection, length: number): void {
    const { socket, options, buffer } = this;
    let more = true;
    try {
      if (buffer !== undefined) more = options.callback.call(socket, length, buffer) !== false;
      if (typeof options.buffer === 'function') this.use(connection, options.buffer());
    } finally {
      if (!more) connection.stopReading();
      connection.readOn();
    }
  }

  /** As in node, keeps using the last buffer if the program's function returns anything else. */
  private use(connection: ReadingConnection, buffer: unknown): void {
    if (!(buffer instanceof Uint8Array)) return;
    this.buffer = buffer;
    if (connection.open) connection.engine.native.readInto(connection.id, buffer);
  }
}

function isUnderstood(onread: unknown): onread is OnreadOptions {
  if (typeof onread !== 'object' || onread === null) return false;
  const { buffer, callback } = onread as Partial<Record<keyof OnreadOptions, unknown>>;
  return (buffer instanceof Uint8Array || typeof buffer === 'function') && typeof callback === 'function';
}

/**
 * Makes an unconnected socket read into the buffer. Invalid options are ignored, as in node. Pausing such a socket
 * stops its reads at once, because nothing is buffered for it.
 */
export function installOnread(socket: ReadingSocket, onread: unknown): void {
  if (!isUnderstood(onread)) return;
  socket._onread = new Onread(socket, onread);
  const { pause, resume, read } = socket;
  const own = {
    pause() {
      if (!socket.connecting) socket._connection?.stopReading();
      return pause.call(socket);
    },
    resume() {
      if (!socket.connecting) socket._connection?.startReading();
      return resume.call(socket);
    },
    read(size?: number): unknown {
      if (!socket.connecting) socket._connection?.startReading();
      return read.call(socket, size);
    },
  };
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(socket, name, { value, writable: true, configurable: true });
  }
}
