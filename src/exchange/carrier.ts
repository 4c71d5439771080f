/** The connection under an exchange: a connection of the native engine, or one of node:net's sockets. */
import * as net from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FileRange } from '../binding/file-range.js';
import { errnoError, writeError } from '../errors/index.js';
import type { TransportName } from '../config/options.js';
import { COPY_LIMIT } from '../engine/outbound.js';
import { referenceTo } from '../files/page.js';
import { connectionStats, nodeConnectionStats } from '../stats/events.js';
import type { ConnectionStats } from '../stats/server-stats.js';
import { EngineConnection } from '../engine/connection.js';
import type { Engine } from '../engine/engine.js';

/** Receives a carrier's events. */
export interface CarrierOwner {
  /** Bytes `[start, end)`, lent for this call. */
  onBytes(data: Buffer, start: number, end: number): void;
  /** A piece in memory of its own. Returns false to give the memory back, if no reference to it is left. */
  onBlock?(block: Buffer): boolean;
  /** The kernel has taken all bytes written before `notifyFlushed()`. */
  onFlushed(): void;
  /** The kernel has room again. */
  onDrained?(): void;
  /** FIN has been sent. */
  onShutdown?(): void;
  onPeerEnd(): void;
  /** What received in place of JavaScript has stopped; see Completion.Taken. */
  onTaken?(status: number): void;
  /** Reading or writing failed, or the connection was closed from elsewhere. The carrier is still to be closed. */
  onFailure(error: Error | undefined): void;
}

/** One of several writes. */
export interface Piece {
  readonly data: string | Uint8Array;
  readonly encoding: BufferEncoding;
}

export interface Carrier {
  readonly transport: TransportName;
  owner: CarrierOwner;
  /** The kernel has not taken all bytes; `queued` is the number left. */
  readonly blocked: boolean;
  readonly queued: number;
  /** Whether the kernel has taken queued bytes since the last call, or since the write; only native carriers know. */
  hasSent?(): boolean;
  /**
   * Queues bytes, which leave by the end of the tick. Large ones are lent: they must not change until `onFlushed`.
   * Returns their number.
   */
  write(data: string | Uint8Array, encoding: BufferEncoding): number;
  /** As `write()` of one text: a head, of which the bytes are known, and a body. See `areShort`. */
  writeHead?(head: Uint8Array, body: string, encoding: 'latin1' | 'utf8'): number;
  /** As `write()`, for several that leave together. */
  writeAll(pieces: readonly Piece[]): number;
  /** Requests one `onFlushed` call, which comes asynchronously. */
  notifyFlushed(): void;
  flush(): void;
  /** Flushes. Whether an `onFlushed` is owed, and the kernel has taken all. */
  hasLeft(): boolean;
  /**
   * Called where node would hand over its corked writes. Natively, the end of the tick does that for all connections.
   */
  uncorked(): void;
  pause(): void;
  resume(): void;
  /** Sends FIN after all queued bytes. */
  end(): void;
  /** All has been written, and `destroy()` comes next: it is to send the peer an end. A native one always does. */
  finish?(): void;
  /** Hands over what the kernel takes, and closes. No callback follows. */
  destroy(): void;
  readonly localAddress: string | undefined;
  /** The counters so far, after a flush. undefined: it is closed. */
  stats(): ConnectionStats | undefined;
}

/** A string up to this length never needs more than COPY_LIMIT bytes. */
const SHORT_STRING = COPY_LIMIT / 3;

/** Whether `writeHead` takes them. */
export function areShort(head: string, body: string): boolean {
  return head.length + body.length <= SHORT_STRING;
}

/** Whether it is copied. */
function isShort({ data }: Piece): boolean {
  return data.length <= (typeof data === 'string' ? SHORT_STRING : COPY_LIMIT);
}

export class NativeCarrier extends EngineConnection implements Carrier {
  readonly transport = 'native';
  readonly nodeTicks: boolean;
  declare owner: CarrierOwner;
  /** Its end is to be a reset. */
  resets = false;
  /** `queued` when it was last looked at; -1: it has not been since the write. */
  private lastQueued = -1;

  /** `nodeTicks`: next ticks run after each event, as they do for a socket of node's. */
  constructor(engine: Engine, id: number, nodeTicks: boolean) {
    super(engine, id);
    this.nodeTicks = nodeTicks;
  }

  write(data: string | Uint8Array, encoding: BufferEncoding): number {
    if (this.id < 0 || data.length === 0) return 0;
    if (typeof data === 'string') {
      if (data.length <= SHORT_STRING) return this.writeString(data, encoding);
      data = Buffer.from(data, encoding);
    }
    if (data.length <= COPY_LIMIT) {
      this.writeBytes(data, 0, data.length);
      return data.length;
    }
    const page = referenceTo(data, 0, data.length);
    this.noteLeft(page === undefined ? this.writeLent([data]) : this.writeParts([page]));
    return data.length;
  }

  writeHead(head: Uint8Array, body: string, encoding: 'latin1' | 'utf8'): number {
    return this.id < 0 ? 0 : this.engine.queueHead(this, head, body, encoding);
  }

  writeAll(pieces: readonly Piece[]): number {
    const { engine } = this;
    const [first] = pieces;
    if (first !== undefined && pieces.length === 1) return this.write(first.data, first.encoding);
    let length = 0;
    if (pieces.every(isShort)) {
      engine.beginJoint();
      try {
        for (const { data, encoding } of pieces) length += this.write(data, encoding);
      } finally {
        engine.endJoint();
      }
      return length;
    }
    const parts = pieces.map(({ data, encoding }) => (typeof data === 'string' ? Buffer.from(data, encoding) : data));
    for (const part of parts) length += part.length;
    if (this.id < 0) return length;
    const references = parts.map((part) => (part.length > COPY_LIMIT ? referenceTo(part, 0, part.length) : undefined));
    const hasPages = references.some((page) => page !== undefined);
    this.noteLeft(hasPages ? this.writeParts(parts.map((part, i) => references[i] ?? part)) : this.writeLent(parts));
    return length;
  }

  /** Of a write by reference: bytes that the kernel has not taken, or a negative errno. */
  private noteLeft(left: number): void {
    if (left < 0) {
      this.failed = true;
      process.nextTick(tellWriteError, this, left);
    }
    this.lastQueued = left;
  }

  /** Part of a file, which the kernel reads itself. Returns the bytes that it has not taken, or a negative errno. */
  writeRange(range: FileRange): number {
    const left = this.writeParts([range]);
    if (left < 0) this.failed = true;
    return (this.lastQueued = left);
  }

  hasSent(): boolean {
    if (!this.blocked) return false;
    const { queued, lastQueued } = this;
    this.lastQueued = queued;
    return queued !== lastQueued;
  }

  hasLeft(): boolean {
    return this.awaitingFlush && this.hasDrained();
  }

  uncorked(): void {
    // The engine flushes by itself.
  }

  override onLent(memory: Buffer, start: number, end: number): void {
    this.owner.onBytes(memory, start, end);
  }

  override onInbox(memory: Buffer, start: number, end: number): void {
    this.owner.onBytes(memory, start, end);
  }

  override onBlock(block: Buffer): boolean {
    const { owner } = this;
    if (owner.onBlock !== undefined) return owner.onBlock(block);
    owner.onBytes(block, 0, block.length);
    return false;
  }

  onEnd(): void {
    this.owner.onPeerEnd();
  }

  override onTaken(status: number): void {
    this.owner.onTaken?.(status);
  }

  onConnect(): void {
    // Accepted connections are already connected.
  }

  onReadError(errno: number): void {
    this.owner.onFailure(errnoError(errno, 'read'));
  }

  onWriteError(errno: number): void {
    this.owner.onFailure(writeError(errno));
  }

  onShutdown(status: number): void {
    if (status < 0) this.owner.onFailure(errnoError(status, 'shutdown'));
    else this.owner.onShutdown?.();
  }

  onDrain(): void {
    this.owner.onDrained?.();
  }

  onFlushed(): void {
    // After a write that failed at once, its error is still to be reported.
    if (!this.failed) this.owner.onFlushed();
  }

  end(): void {
    this.shutdown();
  }

  destroy(): void {
    this.close(this.resets);
  }

  /** Leaves the engine's connection, which stays open, to another object. */
  leave(): void {
    this.id = -1;
    this.awaitingFlush = false;
  }

  get localAddress(): string | undefined {
    const own = this.engine.native.localAddress(this.id);
    return typeof own === 'number' ? undefined : own.address;
  }

  stats(): ConnectionStats | undefined {
    this.flush();
    return connectionStats(this.engine.native, this.id);
  }
}

function tellWriteError(carrier: NativeCarrier, errno: number): void {
  if (carrier.open) carrier.onWriteError(errno);
}

/** The owner of a closed carrier. */
const NOBODY: CarrierOwner = {
  onBytes: nothing,
  onFlushed: nothing,
  onPeerEnd: nothing,
  onFailure: nothing,
};

function nothing(): void {
  // The carrier has closed.
}

/** Whether `destroy()` alone sends its peer an end, which is the kernel's FIN. TLS has an end of its own. */
function endsByDestroy(stream: net.Socket): boolean {
  return stream instanceof net.Socket && !(stream as Partial<TLSSocket>).encrypted;
}

/** Over one of node:net's sockets, or any other stream that a program has for a connection. */
export class NodeCarrier implements Carrier {
  readonly transport = 'js';
  declare owner: CarrierOwner;
  private readonly stream: net.Socket;
  private flushAsked = false;
  private waiting = 0;
  private open = true;
  /** Its end is to be sent before it is destroyed. */
  private finishing = false;

  constructor(stream: net.Socket) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      if (this.open) this.owner.onBytes(chunk, 0, chunk.length);
    });
    stream.on('end', () => {
      if (this.open) this.owner.onPeerEnd();
    });
    stream.on('error', (error) => {
      if (this.open) this.owner.onFailure(error);
    });
    stream.on('close', this.onClosed);
    // A program may hand over one that has had its last event.
    if (stream.closed) process.nextTick(this.onClosed);
  }

  get blocked(): boolean {
    // Corked writes have not been tried yet.
    return this.stream.writableLength > 0 && this.stream.writableCorked === 0;
  }

  get queued(): number {
    return this.stream.writableLength;
  }

  write(data: string | Uint8Array, encoding: BufferEncoding): number {
    if (!this.open || this.stream.destroyed || data.length === 0) return 0;
    // The writes of one tick leave together, as they do natively.
    if (this.stream.writableCorked === 0) {
      this.stream.cork();
      process.nextTick(uncork, this.stream);
    }
    this.waiting++;
    this.stream.write(data, encoding, this.onWritten);
    return typeof data === 'string' ? Buffer.byteLength(data, encoding) : data.length;
  }

  /** Those of a tick do anyway. */
  writeAll(pieces: readonly Piece[]): number {
    return pieces.reduce((length, { data, encoding }) => length + this.write(data, encoding), 0);
  }

  private readonly onClosed = (): void => {
    if (this.open) this.owner.onFailure(undefined);
  };

  private readonly onWritten = (error?: Error | null): void => {
    // The stream's 'error' will follow.
    if (error) return;
    this.waiting--;
    if (this.waiting === 0 && this.flushAsked) this.tellFlushed();
  };

  notifyFlushed(): void {
    this.flushAsked = true;
    if (this.waiting === 0) process.nextTick(tellFlushed, this);
  }

  tellFlushed(): void {
    if (!this.flushAsked || !this.open || this.waiting > 0 || this.stream.destroyed) return;
    this.flushAsked = false;
    this.owner.onFlushed();
  }

  flush(): void {
    while (this.stream.writableCorked > 0) this.stream.uncork();
  }

  hasLeft(): boolean {
    if (!this.flushAsked || !this.open || this.stream.destroyed) return false;
    this.flush();
    return this.stream.writableLength === 0;
  }

  uncorked(): void {
    this.flush();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    if (this.open) this.stream.resume();
  }

  end(): void {
    this.flush();
    this.stream.end();
  }

  finish(): void {
    this.finishing = !endsByDestroy(this.stream);
  }

  destroy(): void {
    if (!this.open) return;
    this.open = false;
    // The server's counters keep closed sockets for a while; they must not keep the request alive as well.
    this.owner = NOBODY;
    this.flush();
    const { stream } = this;
    if (this.finishing && !stream.destroyed) stream.end(() => stream.destroy());
    else stream.destroy();
  }

  get localAddress(): string | undefined {
    return this.stream.localAddress;
  }

  stats(): ConnectionStats | undefined {
    return nodeConnectionStats(this.stream);
  }
}

function uncork(stream: net.Socket): void {
  stream.uncork();
}

function tellFlushed(carrier: NodeCarrier): void {
  carrier.tellFlushed();
}
