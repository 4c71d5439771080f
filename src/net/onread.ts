/** The option `onread`: a socket that reads into a buffer of the program's, without a copy and without 'data'. */
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import type { OnreadOptions } from './socket-options.js';

/** The part of a connection that reads. */
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
  /** What is being read into. */
  private buffer: Uint8Array | undefined;

  constructor(socket: ReadingSocket, options: OnreadOptions) {
    this.socket = socket;
    this.options = options;
  }

  /** A fresh connection is to read into the buffer. */
  begin(connection: ReadingConnection): void {
    const { buffer } = this.options;
    this.use(connection, typeof buffer === 'function' ? buffer() : buffer);
  }

  /** Bytes have come. Reading goes on after the callback, unless it says no, pauses the socket or closes it. */
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

  /** As node, goes on with the last buffer where a program's function answers something else. */
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
 * Has a socket that is not connected yet read so. What makes no sense is passed over, as in node. Pausing stops such a
 * socket's reading at once: nothing is buffered for it.
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
