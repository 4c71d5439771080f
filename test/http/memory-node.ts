/** A server of node:http on sockets of node's own whose handle is an object, not the kernel's. */
import * as http from 'node:http';
import * as net from 'node:net';
import { runTicks, type NodeParser } from 'nearwire/internal';
import { createTelling, type Setting, type Talk } from './talk.js';
import type { MemoryServer, Wire } from './memory-wire.js';

/** What node's sockets call of a handle. */
class Handle {
  reading = false;
  bytesRead = 0;
  bytesWritten = 0;
  closed = false;
  /** Reported in the next round. */
  ended: { oncomplete(status: number): void } | undefined;
  onClose: (() => void) | undefined;

  constructor(readonly wire: Wire) {}

  readStart(): number {
    this.reading = true;
    return 0;
  }

  readStop(): number {
    this.reading = false;
    return 0;
  }

  shutdown(request: { oncomplete(status: number): void }): number {
    this.wire.finish();
    this.ended = request;
    return 0;
  }

  close(callback?: () => void): void {
    this.closed = true;
    this.wire.close(false);
    this.onClose = callback;
  }

  reset(callback?: () => void): number {
    this.closed = true;
    this.wire.close(true);
    this.onClose = callback;
    return 0;
  }

  ref(): void {
    // Nothing is in the event loop.
  }

  unref(): void {
    // The same.
  }
}

class MemorySocket extends net.Socket {
  declare parser?: NodeParser | null;
  readonly handle: Handle;

  constructor(wire: Wire) {
    const handle = new Handle(wire);
    // It is an option of node's, though not of its types.
    super({ handle, allowHalfOpen: true } as net.SocketConstructorOpts);
    this.handle = handle;
  }

  /** What a handle's parser reads does not go through the stream, which would start reading again after node:http has stopped. */
  override _read(size: number): void {
    if (!this.parser) super._read(size);
  }

  /** As a kernel that takes all. */
  override _write(data: Buffer | string, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding) : data;
    this.handle.bytesWritten += bytes.length;
    this.handle.wire.receive(bytes.toString('latin1'));
    done();
  }

  override _writev(
    parts: { chunk: Buffer | string; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    for (const { chunk, encoding } of parts) this._write(chunk, encoding, () => undefined);
    done();
  }
}

/**
 * From a handle of its own node's parser runs ticks after each piece of a body and each part of a header block, and what it
 * can't read of the body of an upgrade is lost. From a stream there are no ticks, and the tunnel gets that.
 */
function asFromHandle(parser: NodeParser, read: () => void): void {
  const { kOnBody, kOnHeaders } = parser.constructor;
  const before = [kOnBody, kOnHeaders].map((index) => [index, parser[index] ?? undefined] as const);
  for (const [index, callback] of before) {
    parser[index] = function (this: NodeParser, ...told: unknown[]) {
      const result: unknown = callback === undefined ? undefined : Reflect.apply(callback, this, told);
      runTicks();
      return result;
    };
  }
  const { execute } = parser;
  parser.execute = function (this: NodeParser, chunk) {
    const { length } = chunk;
    const result = execute.call(this, chunk);
    const { incoming } = this;
    return typeof result === 'number' && incoming?.upgrade === true && !incoming.complete ? length : result;
  };
  read();
  parser.execute = execute;
  for (const [index, callback] of before) parser[index] = callback ?? null;
}

export class NodeInMemory implements MemoryServer {
  private sockets: MemorySocket[] = [];

  /** `onSocket`: before the server has it. */
  constructor(
    private readonly server: http.Server,
    private readonly onSocket: (socket: net.Socket, wire: Wire) => void = () => undefined,
  ) {}

  connect(wire: Wire): void {
    const socket = new MemorySocket(wire);
    this.sockets.push(socket);
    this.onSocket(socket, wire);
    this.server.emit('connection', socket);
    socket.handle.readStart();
    runTicks();
  }

  round(): boolean {
    let happened = false;
    for (const socket of this.sockets) if (report(socket)) happened = true;
    for (const socket of this.sockets) if (read(socket)) happened = true;
    for (const { handle } of this.sockets) {
      const { onClose } = handle;
      if (onClose === undefined) continue;
      handle.onClose = undefined;
      onClose();
      runTicks();
      happened = true;
    }
    return happened;
  }

  clear(): void {
    for (const socket of this.sockets) socket.destroy();
    runTicks();
    this.round();
    this.sockets = [];
  }
}

/** One whose listeners tell the connection's talk. */
export function tellingNode(setting: Setting): MemoryServer {
  const talks = new WeakMap<net.Socket, Talk>();
  const server = createTelling(http.createServer, setting, (socket) => talks.get(socket));
  return new NodeInMemory(server, (socket, { talk }) => {
    talks.set(socket, talk);
    talk.accept(socket);
  });
}

function report({ handle }: MemorySocket): boolean {
  const { ended } = handle;
  if (ended === undefined) return false;
  handle.ended = undefined;
  ended.oncomplete(0);
  runTicks();
  return true;
}

function read(socket: MemorySocket): boolean {
  const { handle, parser } = socket;
  if (!handle.reading || handle.closed) return false;
  const data = handle.wire.next();
  if (data === undefined) return false;
  const deliver = (): void => {
    if (data === null) {
      // As node does it at a handle's end.
      socket.push(null);
      socket.read(0);
    } else {
      handle.bytesRead += data.length;
      if (!socket.push(data)) handle.readStop();
    }
    runTicks();
  };
  if (parser) asFromHandle(parser, deliver);
  else deliver();
  return true;
}
