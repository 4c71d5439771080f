/**
 * One stream socket of the native engine, as the layers above see it: `Channel` lends what it reads, `Socket` owns it.
 * A wire knows nothing of streams; it turns completions into method calls and writes into submissions.
 *
 * States: connecting -> open -> closed. `close()` may be called in any of them, from any callback, any number of times.
 */
import { constants } from 'node:os';
import { DESCRIPTOR } from './descriptor.js';
import type { Place } from './connect-line.js';
import type { Engine } from './engine.js';
import type { WritePart } from './file-range.js';
import { warnOutOfDescriptors } from './out-of-descriptors.js';

const { EBADF } = constants.errno;

export abstract class Wire {
  /** The engine's number for this socket, -1 once closed. */
  id: number;
  readonly engine: Engine;
  /** The kernel took not all of what was queued; a drain will follow. */
  blocked = false;
  /** A write failed, and `onWriteError` is owed or has been called. */
  failed = false;
  /** `onFlushed` is owed. */
  awaitingFlush = false;
  /** @internal The handler or tick in which it last wrote, as Outbound counts them: see departure.ts. */
  wroteIn = -1;
  /** @internal It has written once in that. */
  wroteOnce = true;
  /** While it waits for room in a listener's queue; few ever do. */
  declare place?: Place | undefined;
  /** Node runs next ticks and microtasks after each event of a net.Socket: true for wires that must pass for one. */
  abstract readonly nodeTicks: boolean;

  constructor(engine: Engine, id: number) {
    this.engine = engine;
    this.id = id;
    if (id >= 0) engine.attach(id, this);
  }

  /** Bytes have come: `memory[start..end)`, lent for this call. For wires whose channel does not own what it reads. */
  onLent?(memory: Buffer, start: number, end: number): void;
  /** Bytes have come, and lie in memory of the engine's during this call: what is to be kept is copied. The same end. */
  onInbox?(memory: Buffer, start: number, end: number): void;
  /** The same, and they fill it. False: it is the engine's again, and nobody else has seen it. */
  onBlock?(block: Buffer): boolean;
  /** As many bytes have come into the buffer of `NativeEngine.readInto`; reading rests until `resume()`. */
  onInto?(length: number): void;
  /** What stood in for JS rests (see Completion.Taken). */
  onTaken?(status: number): void;
  abstract onEnd(): void;
  abstract onConnect(status: number): void;
  /** `errno` is negative, as the kernel gave it. The wire is still to be closed. */
  abstract onReadError(errno: number): void;
  abstract onWriteError(errno: number): void;
  abstract onShutdown(status: number): void;
  /** A blocked wire has handed everything over. Comes after `onFlushed`, if that was owed. */
  abstract onDrain(): void;
  /** Everything written before `notifyFlushed()` has been handed to the kernel (not called after a write error). */
  abstract onFlushed(): void;

  /** True while there is a socket underneath. */
  get open(): boolean {
    return this.id >= 0;
  }

  get [DESCRIPTOR](): number {
    return this.engine.native.fileDescriptor(this.id);
  }

  /** Open, and the kernel has taken everything. */
  get drained(): boolean {
    return this.id >= 0 && !this.blocked;
  }

  /**
   * Queues a copy of these bytes; departure.ts says when they leave. For more than COPY_LIMIT bytes use `writeLent`.
   */
  writeBytes(data: Uint8Array, start: number, end: number): void {
    this.engine.queueBytes(this, data, start, end);
  }

  /** As `writeBytes`, from a string; answers the number of bytes. At most COPY_LIMIT characters. */
  writeString(text: string, encoding: BufferEncoding): number {
    return this.engine.queueString(this, text, encoding);
  }

  /**
   * Sends what is queued and these parts at once, as one `sendmsg` where possible. What the kernel does not take is held
   * (by reference: do not change it; memory of `onLent` is copied) until `onDrain`. Answers the bytes still queued, or a negative errno, in which case
   * `onWriteError` is not called as well.
   */
  writeLent(parts: readonly Uint8Array[]): number {
    return this.engine.writeLent(this, parts);
  }

  /** As `writeLent`, with ranges of files among the parts. */
  writeParts(parts: readonly WritePart[]): number {
    return this.engine.writeParts(this, parts);
  }

  /** Asks for one `onFlushed` when all that has been written so far is with the kernel. */
  notifyFlushed(): void {
    if (!this.awaitingFlush) {
      this.awaitingFlush = true;
      this.engine.awaitFlush(this);
    }
  }

  /** Hands over what is queued now instead of at the end of the turn. Outcomes are told at the end of the tick. */
  flush(): void {
    this.engine.handOver();
  }

  /** Bytes that the kernel has not taken yet. */
  get queued(): number {
    return this.blocked && this.id >= 0 ? this.engine.native.queued(this.id) : 0;
  }

  pause(): void {
    if (this.id >= 0) this.engine.native.setReading(this.id, false);
  }

  resume(): void {
    if (this.id >= 0) this.engine.native.setReading(this.id, true);
  }

  /** Sends FIN behind all that is queued; `onShutdown` answers, in a callback of its own. */
  shutdown(): void {
    if (this.id < 0) return;
    this.engine.handOver();
    const status = this.engine.native.shutdown(this.id);
    // 1: bytes are queued before it, a completion will tell.
    if (status !== 1) this.engine.tellShutdown(this, status);
  }

  /**
   * Takes the socket out of the engine: answers its descriptor, which is the caller's, and no callback comes after this.
   * On a negative errno nothing has changed: see NativeEngine.detach.
   */
  detach(bytesSeen: number): number {
    if (this.id < 0) return -EBADF;
    const fd = this.engine.detach(this.id, bytesSeen);
    if (fd < 0) return fd;
    this.id = -1;
    this.awaitingFlush = false;
    return fd;
  }

  /** Hands over what the kernel takes of the queue, then closes the socket. No callback comes after this. */
  close(reset = false): void {
    if (this.id < 0) return;
    const id = this.id;
    this.id = -1;
    this.awaitingFlush = false;
    this.place?.leave();
    this.engine.release(id, reset);
  }
}

/** A listening socket of the native engine. */
export abstract class WireListener {
  id: number;
  readonly engine: Engine;
  /** Connections that were closed as there was no descriptor for them. */
  dropped = 0;
  private warned = false;

  constructor(engine: Engine, id: number) {
    this.engine = engine;
    this.id = id;
    if (id >= 0) engine.attach(id, this);
  }

  /** A connection has been accepted: make a Wire of this id, or refuse it with `engine.release(id, false)`. */
  abstract onAccept(id: number): void;
  abstract onAcceptError(errno: number): void;

  /** There was no descriptor for so many connections. Told of once: it mostly happens again and again. */
  onDropped(count: number, errno: number): void {
    this.dropped += count;
    if (this.warned) return;
    this.warned = true;
    warnOutOfDescriptors(errno, this.engine.native.listenerAddress(this.id));
  }

  get [DESCRIPTOR](): number {
    return this.engine.native.listenerDescriptor(this.id);
  }

  close(): void {
    if (this.id < 0) return;
    const id = this.id;
    this.id = -1;
    this.engine.releaseListener(id);
  }

  ref(on: boolean): void {
    if (this.id >= 0) this.engine.native.refListener(this.id, on);
  }
}
