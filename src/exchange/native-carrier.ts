/** A connection of the native engine under an exchange. */
import type { FileRange } from '../binding/file-range.js';
import { EngineConnection } from '../engine/connection.js';
import type { Engine } from '../engine/engine.js';
import { COPY_LIMIT } from '../engine/outbound.js';
import { errnoError, writeError } from '../errors/index.js';
import { referenceTo } from '../files/page.js';
import { connectionStats } from '../stats/events.js';
import type { ConnectionStats } from '../stats/server-stats.js';
import { writeWholeBytes, writeWholeText, type Carrier, type CarrierOwner, type Piece } from './carrier.js';
import { bytesOfHead } from './repeated-heads.js';

/** A string up to this length never needs more than COPY_LIMIT bytes. */
const SHORT_STRING = COPY_LIMIT / 3;

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

  writeWhole(head: string, body: string | Uint8Array, tail: string, isAscii: boolean): number {
    const bytes = bytesOfHead(head);
    if (typeof body !== 'string') return writeWholeBytes(this, bytes ?? head, body, tail);
    const isKnown = bytes !== undefined && tail === '' && head.length + body.length <= SHORT_STRING;
    if (!isKnown) return writeWholeText(this, head, body, tail);
    return this.id < 0 ? 0 : this.engine.queueHead(this, bytes, body, isAscii ? 'latin1' : 'utf8');
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

  takeFlushed(): boolean {
    if (!this.awaitingFlush) return false;
    this.flush();
    if (this.blocked || this.failed) return false;
    this.awaitingFlush = false;
    return true;
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
