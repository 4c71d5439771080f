/**
 * One stream socket of the native engine, as the layers above see it: `Channel` lends what it reads, `Socket` owns it.
 * A connection knows nothing of streams; it turns completions into method calls and writes into submissions.
 * callbacks.ts documents its callbacks and fields.
 *
 * States: connecting -> open -> closed. `close()` may be called in any of them, from any callback, any number of times.
 */
import { constants } from 'node:os';
import { DESCRIPTOR } from './descriptor.js';
import type { QueuedConnect } from './connect-queue.js';
import type { Engine } from './engine.js';
import type { WritePart } from '../binding/file-range.js';
import type { ConnectionCallbacks } from './callbacks.js';

const { EBADF } = constants.errno;

export abstract class EngineConnection implements ConnectionCallbacks {
  id: number;
  readonly engine: Engine;
  blocked = false;
  failed = false;
  awaitingFlush = false;
  wroteIn = -1;
  wroteOnce = true;
  /** Set while it waits for room in a listener's accept queue, which is rare. */
  declare place?: QueuedConnect | undefined;
  abstract readonly nodeTicks: boolean;

  constructor(engine: Engine, id: number) {
    this.engine = engine;
    this.id = id;
    if (id >= 0) engine.attach(id, this);
  }

  onLent?(memory: Buffer, start: number, end: number): void;
  onInbox?(memory: Buffer, start: number, end: number): void;
  onBlock?(block: Buffer): boolean;
  onInto?(length: number): void;
  onTaken?(status: number): void;
  abstract onEnd(): void;
  abstract onConnect(status: number): void;
  abstract onReadError(errno: number): void;
  abstract onWriteError(errno: number): void;
  abstract onShutdown(status: number): void;
  abstract onDrain(): void;
  abstract onFlushed(): void;

  get isListener(): false {
    return false;
  }

  get open(): boolean {
    return this.id >= 0;
  }

  get [DESCRIPTOR](): number {
    return this.engine.native.fileDescriptor(this.id);
  }

  get drained(): boolean {
    return this.id >= 0 && !this.blocked;
  }

  /**
   * Queues a copy of these bytes; departure.ts says when they leave. For more than COPY_LIMIT bytes use `writeLent`.
   */
  writeBytes(data: Uint8Array, start: number, end: number): void {
    this.engine.queueBytes(this, data, start, end);
  }

  /** As `writeBytes`, for a string of at most COPY_LIMIT characters; returns the number of bytes. */
  writeString(text: string, encoding: BufferEncoding): number {
    return this.engine.queueString(this, text, encoding);
  }

  /**
   * Sends what is queued and these parts at once, with one `sendmsg` where possible. Parts that the kernel does not
   * take are held by reference until `onDrain`: do not change them (memory of `onLent` is copied instead). Returns the
   * bytes still queued, or a negative errno; in that case `onWriteError` is not called.
   */
  writeLent(parts: readonly Uint8Array[]): number {
    return this.engine.writeLent(this, parts);
  }

  /** As `writeLent`, with ranges of files among the parts. */
  writeParts(parts: readonly WritePart[]): number {
    return this.engine.writeParts(this, parts);
  }

  /** Requests one `onFlushed` call once the kernel has taken all bytes written so far. */
  notifyFlushed(): void {
    if (!this.awaitingFlush) {
      this.awaitingFlush = true;
      this.engine.awaitFlush(this);
    }
  }

  /** Hands over what is queued now instead of at the end of the turn. Outcomes are reported at the end of the tick. */
  flush(): void {
    this.engine.handOver();
  }

  /** Bytes that the kernel has not taken yet. */
  get queued(): number {
    return this.blocked && this.id >= 0 ? this.engine.native.queued(this.id) : 0;
  }

  /**
   * Hands over what is queued. Whether the kernel has taken all of it: the addon may have sent the rest, or have failed
   * to, in this iteration of the event loop, before the turn that reports it.
   */
  hasDrained(): boolean {
    if (this.id < 0) return false;
    this.engine.handOver();
    return !this.failed && (!this.blocked || this.engine.native.hasDrained(this.id));
  }

  pause(): void {
    if (this.id >= 0) this.engine.native.setReading(this.id, false);
  }

  resume(): void {
    if (this.id >= 0) this.engine.native.setReading(this.id, true);
  }

  /** Sends FIN after all queued bytes; `onShutdown` reports the outcome, in a callback of its own. */
  shutdown(): void {
    if (this.id < 0) return;
    this.engine.handOver();
    const status = this.engine.native.shutdown(this.id);
    // 1: bytes are queued before the FIN; a completion will report it.
    if (status !== 1) this.engine.tellShutdown(this, status);
  }

  /**
   * Takes the socket out of the engine. Returns its descriptor, which the caller then owns, and no callback follows.
   * After a negative errno nothing has changed: see NativeEngine.detach.
   */
  detach(bytesSeen: number): number {
    if (this.id < 0) return -EBADF;
    const fd = this.engine.detach(this.id, bytesSeen);
    if (fd < 0) return fd;
    this.id = -1;
    this.awaitingFlush = false;
    return fd;
  }

  /** Hands over what the kernel takes of the queue, then closes the socket. No callback follows. */
  close(reset = false): void {
    if (this.id < 0) return;
    const id = this.id;
    this.id = -1;
    this.awaitingFlush = false;
    this.place?.leave();
    this.engine.release(id, reset);
  }
}
