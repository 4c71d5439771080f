/**
 * The engine's outgoing half: gathers the writes of a turn in memory that the addon reads, has them flushed once, and
 * reports the outcomes to connections.
 *
 * A small write is copied into the arena and recorded as a submission (id, offset, length); adjacent ones of the same
 * connection are merged. A flush hands over all submissions in one crossing of the JavaScript/native boundary;
 * departure.ts says when.
 */
import { now } from './clock.js';
import { HandlerTimes } from './departure.js';
import { defineHidden } from './hidden-fields.js';
import { countOutsideHeap } from '../memory/early-scavenge.js';
import { FileRange, type WritePart } from '../binding/file-range.js';
import { RESULT_WORDS, Shared, SUBMISSION_WORDS, type NativeEngine, type NativePage } from '../binding/addon.js';
import type { EngineCallbacks, ConnectionCallbacks } from './callbacks.js';

/**
 * Writes up to this many bytes are copied, so that they leave together with others; larger ones are lent and leave at
 * once. A copy of 8 KiB costs about as much as the system call it saves.
 */
export const COPY_LIMIT = 8 * 1024;

/**
 * Shorter pieces of a buffer are copied by a loop: 2.5 ns a byte, where the view that TypedArray.set needs costs 40 ns.
 */
const LOOP_COPY_LIMIT = 16;

/**
 * A tick's writes to one connection leave early once both numbers are reached: the reader starts while the rest is
 * still being written. A page of messages pays for the system call and the wake-up.
 */
const EARLY_WRITES = 32;
const EARLY_BYTES = 4096;

/**
 * While writes leave at once, this many more of a handler do so in addition to each socket's first. A handler that
 * writes more often passes on many messages, rather than answering first and computing afterwards.
 */
const MOST_PROMPT = 8;

/** The encoders behind Buffer.write, without its argument checks, which are a third of a short write. */
interface RawWrites {
  latin1Write(text: string, offset: number, length: number): number;
  utf8Write(text: string, offset: number, length: number): number;
}

/** The base class of Engine, rather than a member, so that a write passes through no other object. */
export abstract class Outbound {
  declare readonly native: NativeEngine;

  declare protected readonly shared: Int32Array;
  declare protected readonly connections: (EngineCallbacks | undefined)[];
  /** A batch is being dispatched; outcomes are reported after it. */
  protected dispatching = false;
  protected readonly times: HandlerTimes;
  declare private readonly arena: Buffer & RawWrites;
  declare private readonly submissions: Int32Array;
  declare private readonly results: Int32Array;
  private readonly maxSubmissions: number;
  private tail = 0;
  /** The number of writes merged into the last submission. */
  private joined = 0;
  private tickScheduled = false;
  /** Counts handlers, and ticks in which code outside a turn wrote. */
  private stretch = 0;
  /** The handler of a batch of one is running: no other handler's writes could leave together with its own. */
  protected alone = false;
  /**
   * Writes of this handler have left because of their size or number: its duration then does not tell how long writes
   * waited.
   */
  protected leftEarly = false;
  /** Writes of this handler that have left at once. */
  private sentPromptly = 0;
  /**
   * The current writes are parts of one joint write. The other two fields: whether it is its socket's first write
   * in this stretch, and whether that socket wrote only once in its last one.
   */
  private joint = false;
  private jointIsFirst = false;
  private jointIsLone = false;
  /** When the first of the writes that wait in this tick was gathered; 0 if none waits. */
  private gatheredAt = 0;
  /** The number of exceptions that callbacks have thrown. */
  exceptions = 0;
  /** Whom `settle` calls back, if anyone. */
  protected waiters: ConnectionCallbacks[] | undefined;
  protected failures: { connection: ConnectionCallbacks; errno: number }[] = [];

  protected constructor(native: NativeEngine) {
    const { arena, submissions, shared, results } = native.layout;
    defineHidden(this, { native, arena: Buffer.from(arena), submissions, shared, results, connections: [] });
    this.times = new HandlerTimes(() => native.wasPreempted());
    this.maxSubmissions = submissions.length / SUBMISSION_WORDS;
    // On exit, hand over what node:net would have handed over by now.
    process.on('exit', () => {
      this.times.end();
      this.handOver();
    });
  }

  queueBytes(connection: ConnectionCallbacks, data: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const offset = this.room(length);
    const { arena } = this;
    if (length === data.length) {
      arena.set(data, offset);
    } else if (length <= LOOP_COPY_LIMIT) {
      for (let from = start, to = offset; from < end;) arena[to++] = data[from++] as number;
    } else {
      arena.set(data.subarray(start, end), offset);
    }
    this.tail = offset + length;
    this.submit(connection, offset, length);
  }

  queueString(connection: ConnectionCallbacks, text: string, encoding: BufferEncoding): number {
    // No encoding needs more than three bytes for a UTF-16 unit.
    const offset = this.room(text.length * 3);
    const { arena } = this;
    const length =
      encoding === 'latin1'
        ? arena.latin1Write(text, offset, text.length)
        : encoding === 'utf8'
          ? arena.utf8Write(text, offset, text.length * 3)
          : arena.write(text, offset, encoding);
    this.tail = offset + length;
    this.submit(connection, offset, length);
    return length;
  }

  /** Bytes, and a text behind them, as one write. */
  queueHead(connection: ConnectionCallbacks, head: Uint8Array, text: string, encoding: 'latin1' | 'utf8'): number {
    const mostBytes = text.length * 3;
    const offset = this.room(head.length + mostBytes);
    const { arena } = this;
    arena.set(head, offset);
    const from = offset + head.length;
    const length =
      head.length +
      (encoding === 'latin1' ? arena.latin1Write(text, from, text.length) : arena.utf8Write(text, from, mostBytes));
    this.tail = offset + length;
    this.submit(connection, offset, length);
    return length;
  }

  writeLent(connection: ConnectionCallbacks, parts: readonly Uint8Array[]): number {
    this.leftEarly = true;
    for (const { length } of parts) countOutsideHeap(length);
    const left = this.native.writeLent(connection.id, parts);
    if (left > 0) connection.blocked = true;
    return left;
  }

  /** As writeLent, with files among the parts. */
  writeParts(connection: ConnectionCallbacks, parts: readonly WritePart[]): number {
    const flat: (Uint8Array | NativePage | number)[] = [];
    for (const part of parts) {
      if (part instanceof FileRange) flat.push(part.file, part.offset, part.length);
      else flat.push(part);
    }
    this.leftEarly = true;
    const left = this.native.writeParts(connection.id, flat);
    if (left > 0) connection.blocked = true;
    return left;
  }

  awaitFlush(connection: ConnectionCallbacks): void {
    // A list made with its first element has no room for others, which is what most turns need: V8 makes room for 17.
    if (this.waiters === undefined) this.waiters = [connection];
    else this.waiters.push(connection);
    this.schedule();
  }

  /** Bytes of this connection that the addon has not been given yet. */
  submitted(id: number): number {
    const { submissions, shared } = this;
    const end = (shared[Shared.Submitted] as number) * SUBMISSION_WORDS;
    let bytes = 0;
    for (let at = 0; at < end; at += SUBMISSION_WORDS) {
      if (submissions[at] === id) bytes += submissions[at + 2] as number;
    }
    return bytes;
  }

  /**
   * Hands everything queued on any connection to the kernel. Runs no callbacks: outcomes are reported at the end of the
   * tick.
   */
  handOver(): void {
    const { shared } = this;
    this.gatheredAt = 0;
    if (shared[Shared.Submitted] === 0 && shared[Shared.Gathered] === 0) return;
    do this.takeResults(this.native.flush());
    while (shared[Shared.Gathered] === 1);
  }

  protected takeResults(results: number): void {
    for (let i = 0; i < results; i++) {
      const base = i * RESULT_WORDS;
      const connection = this.connections[this.results[base] as number];
      if (connection?.isListener !== false) continue;
      const errno = this.results[base + 1] as number;
      if (errno < 0) {
        connection.failed = true;
        this.failures.push({ connection, errno });
        this.schedule();
      } else {
        connection.blocked = true;
      }
    }
  }

  /** The offset of at least `length` free bytes in the arena. */
  private room(length: number): number {
    const { shared } = this;
    // The addon flushes by itself after a turn; then the arena is free again.
    if (shared[Shared.Submitted] === 0 && shared[Shared.Gathered] === 0) this.tail = 0;
    if (this.tail + length > this.arena.length) {
      this.handOverEarly();
      this.tail = 0;
    }
    return this.tail;
  }

  /** A handler or another tick begins. */
  protected beginStretch(): void {
    this.stretch++;
    this.sentPromptly = 0;
    this.leftEarly = false;
  }

  private handOverEarly(): void {
    this.leftEarly = true;
    this.handOver();
  }

  private submit(connection: ConnectionCallbacks, offset: number, length: number): void {
    const { submissions, shared } = this;
    const { id } = connection;
    const isFirst = connection.wroteIn !== this.stretch;
    // The socket is assumed to write as often as it did the last time.
    const isLone = isFirst && connection.wroteOnce;
    if (isFirst) this.jointIsFirst = this.joint;
    if (isLone) this.jointIsLone = this.joint;
    connection.wroteOnce = isFirst || (this.joint && this.jointIsFirst);
    connection.wroteIn = this.stretch;
    const count = shared[Shared.Submitted] as number;
    const last = (count - 1) * SUBMISSION_WORDS;
    if (
      count > 0 &&
      submissions[last] === id &&
      (submissions[last + 1] as number) + (submissions[last + 2] as number) === offset
    ) {
      const joint = (submissions[last + 2] as number) + length;
      submissions[last + 2] = joint;
      if (++this.joined >= EARLY_WRITES && joint >= EARLY_BYTES) this.handOverEarly();
      return;
    }
    this.joined = 1;
    const at = count * SUBMISSION_WORDS;
    submissions[at] = id;
    submissions[at + 1] = offset;
    submissions[at + 2] = length;
    shared[Shared.Submitted] = count + 1;
    // Hands over a full list, so that there is always room for one more.
    const isFull = count + 1 === this.maxSubmissions;
    if (isFull || !this.joint) this.decide(isFirst, isLone, isFull);
  }

  /** Treats the writes to one connection up to `endJoint` as a single write. */
  beginJoint(): void {
    this.joint = true;
    this.jointIsFirst = this.jointIsLone = false;
  }

  endJoint(): void {
    this.joint = false;
    if (this.shared[Shared.Submitted] !== 0) this.decide(this.jointIsFirst, this.jointIsLone, false);
  }

  /** Decides whether the submitted writes leave now. */
  private decide(isFirst: boolean, isLone: boolean, isFull: boolean): void {
    const { shared } = this;
    const isPrompt = this.times.prompt && (isFirst || this.sentPromptly++ < MOST_PROMPT);
    if (shared[Shared.InTurn] === 0) this.submittedOutside(isFirst || isFull || isPrompt);
    else if (isFull) this.handOverEarly();
    else if (isLone && this.alone && !this.times.trusted) this.handOver();
    else if (isPrompt) this.sendPromptly();
  }

  /**
   * Time in the kernel does not count as the handler's: it must not prevent a handler that sends much from gathering
   * again.
   */
  private sendPromptly(): void {
    const began = now();
    this.handOver();
    this.times.sending += now() - began;
  }

  private submittedOutside(leaves: boolean): void {
    if (leaves) this.handOver();
    else if (this.gatheredAt === 0) this.gatheredAt = now();
    this.schedule();
  }

  private schedule(): void {
    if (this.dispatching || this.tickScheduled) return;
    this.tickScheduled = true;
    process.nextTick(this.onTick);
  }

  private readonly onTick = (): void => {
    this.tickScheduled = false;
    this.beginStretch();
    if (this.gatheredAt !== 0) this.times.note(now() - this.gatheredAt);
    this.handOver();
    this.settle();
  };

  /** Reports the outcomes of writes to their connections. */
  protected settle(): void {
    if (this.failures.length > 0) {
      const failures = this.failures;
      this.failures = [];
      for (const { connection, errno } of failures) {
        if (!connection.open) continue;
        connection.awaitingFlush = false;
        this.guard(() => {
          connection.onWriteError(errno);
        });
      }
    }
    const { waiters } = this;
    if (waiters === undefined) return;
    this.waiters = undefined;
    for (const connection of waiters) {
      if (!connection.awaitingFlush || connection.blocked) continue;
      connection.awaitingFlush = false;
      this.tellFlushed(connection);
    }
  }

  /** Each response comes here: without a closure. */
  private tellFlushed(connection: ConnectionCallbacks): void {
    try {
      connection.onFlushed();
    } catch (error) {
      this.reportException(error);
    }
  }

  protected guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.reportException(error);
    }
  }

  protected reportException(error: unknown): void {
    this.exceptions++;
    this.native.reportException(error);
  }
}
