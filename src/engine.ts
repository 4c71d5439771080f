/**
 * The engine's JS half: hands each turn's completions to their wires, gathers the turn's writes in memory that the addon
 * reads, and has them flushed once.
 *
 * Writes: a small one is copied into the arena and noted as a submission (id, offset, length); neighbours of the same
 * wire become one. A flush hands all submissions over in one crossing. Inside a turn it runs when the batch and its
 * microtasks are through; outside, on the next tick; at once when the arena is full, or at `flush()`; and at exit.
 */
import { constants } from 'node:os';
import { setImmediate } from 'node:timers';
import type { Outcome } from './connect-line.js';
import { FileRange, type WritePart } from './file-range.js';
import {
  addonStatus,
  BLOCK_OFFSET_BITS,
  Completion,
  COMPLETION_WORDS,
  FIRST_LARGE_SLOT,
  LARGE_BLOCK_BYTES,
  NOBODY,
  RESULT_WORDS,
  Shared,
  SMALL_BLOCK_BYTES,
  SUBMISSION_WORDS,
  type NativeAddress,
  type NativeChannelOptions,
  type NativeEngine,
  type NativeListenOptions,
  type NativePage,
} from './native.js';
import { spinOfThread } from './settings.js';
import { Wire, WireListener } from './wire.js';

/**
 * Up to this many bytes are copied to travel with their neighbours; more are lent, which sends them at once. A copy of
 * 8 KiB costs about as much as the system call it saves.
 */
export const COPY_LIMIT = 8 * 1024;

/** Shorter pieces of a buffer are copied by a loop: 2.5 ns a byte, where the view that TypedArray.set needs costs 40. */
const LOOP_COPY_LIMIT = 16;

/**
 * A tick's writes to one wire leave before its end when there are so many of them and so many bytes: their reader begins
 * while the rest is still being made. A page of messages pays for the system call and the wake-up.
 */
const EARLY_WRITES = 32;
const EARLY_BYTES = 4096;

/** The encoders behind Buffer.write, without its checks of arguments: they are a third of a short write. */
interface RawWrites {
  latin1Write(text: string, offset: number, length: number): number;
  utf8Write(text: string, offset: number, length: number): number;
}

const BLOCK_OFFSET_MASK = (1 << BLOCK_OFFSET_BITS) - 1;

/** What node itself runs between two timers: next ticks and microtasks, nothing if there are none. */
export const runTicks = (process as typeof process & { _tickCallback(): void })._tickCallback.bind(process);

const { EAGAIN, EBADF } = constants.errno;

/** Other numbers would be cut to one that is somebody's. */
function isDescriptor(fd: number): boolean {
  return fd >= 0 && (fd | 0) === fd;
}

export class Engine {
  readonly native: NativeEngine;

  private readonly memory: Buffer & RawWrites;
  private readonly arenaStart: number;
  private readonly arenaEnd: number;
  private readonly completions: Int32Array;
  private readonly submissions: Int32Array;
  private readonly shared: Int32Array;
  private readonly results: Int32Array;
  private readonly maxSubmissions: number;
  private readonly wires: (Wire | WireListener | undefined)[] = [];
  private readonly blocks: (ArrayBuffer | undefined)[] = [];
  private tail: number;
  /** Writes that the last submission is made of. */
  private joined = 0;
  private tickScheduled = false;
  /** A batch is being handed out: what is to be told afterwards will be. */
  private dispatching = false;
  private waiters: Wire[] = [];
  /** FINs that are sent, and whose wires are still to be told. */
  private shutdowns: { wire: Wire; status: number }[] = [];
  private failures: { wire: Wire; errno: number }[] = [];

  constructor(native: NativeEngine) {
    this.native = native;
    const { memory, arenaStart, completions, submissions, shared, results } = native.layout;
    this.memory = Buffer.from(memory) as Buffer & RawWrites;
    this.arenaStart = this.tail = arenaStart;
    this.arenaEnd = memory.byteLength;
    this.completions = completions;
    this.submissions = submissions;
    this.shared = shared;
    this.results = results;
    this.maxSubmissions = submissions.length / SUBMISSION_WORDS;
    native.setTurnHandler(() => {
      this.turn();
    });
    // What node:net would have handed to the kernel by now goes there too.
    process.on('exit', () => {
      this.handOver();
    });
    this.provideBlocks(native.layout.slotsWanted);
  }

  /** Answers the new channel's id, or a negative errno. Its Connect completion comes in a later turn. */
  connect(address: NativeAddress, options: NativeChannelOptions): number {
    return this.native.connect(address, options);
  }

  /** As connect(), but nothing is tried before tryConnect(). */
  prepareConnect(address: NativeAddress, options: NativeChannelOptions): number {
    return this.native.prepareConnect(address, options);
  }

  /** See NativeEngine.tryConnect. */
  tryConnect(id: number): Outcome {
    return this.native.tryConnect(id) === -EAGAIN ? 'full' : 'settled';
  }

  /** Answers the new listener's id, or a negative errno. */
  listen(address: NativeAddress, options: NativeListenOptions): number {
    return this.native.listen(address, options);
  }

  /** Makes a channel of a descriptor: see NativeEngine.adopt. */
  adopt(fd: number, options: NativeChannelOptions): number {
    return isDescriptor(fd) ? this.native.adopt(fd, options) : -EBADF;
  }

  adoptListener(fd: number, options: NativeListenOptions): number {
    return isDescriptor(fd) ? this.native.adoptListener(fd, options) : -EBADF;
  }

  /** Gives a channel's descriptor to the caller: see NativeEngine.detach. */
  detach(id: number, bytesSeen: number): number {
    this.handOver();
    const fd = this.native.detach(id, bytesSeen);
    if (fd >= 0) this.wires[id] = undefined;
    return fd;
  }

  /** What has been read on a channel with `owned` and not been delivered; it will not be any more. */
  takeUnread(id: number, bytesSeen: number): Buffer[] {
    const reads = this.native.takeUnread(id, bytesSeen);
    const chunks: Buffer[] = [];
    for (let i = 0; i < reads.length; i += 2) {
      const [a, length] = reads.slice(i) as [number, number];
      const start = a & BLOCK_OFFSET_MASK;
      chunks.push(Buffer.from(this.block(a >>> BLOCK_OFFSET_BITS), start, length));
    }
    return chunks;
  }

  attach(id: number, wire: Wire | WireListener): void {
    this.wires[id] = wire;
  }

  release(id: number, reset: boolean): void {
    this.wires[id] = undefined;
    this.handOver();
    this.native.close(id, reset);
  }

  /** Ids of connections that the listener has not been told of, and will not be any more. */
  takeAccepted(listener: number): number[] {
    return this.native.takeAccepted(listener);
  }

  releaseListener(id: number): void {
    this.wires[id] = undefined;
    this.native.closeListener(id);
  }

  queueBytes(id: number, data: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const { memory } = this;
    if (data === memory && this.shared[Shared.InTurn] === 1 && end <= this.arenaStart) {
      // Lent bytes go out from where they came in: they stay in place until this turn's flush.
      this.submit(id, start, length);
      return;
    }
    const tail = this.room(length);
    if (length === data.length) {
      memory.set(data, tail);
    } else if (length <= LOOP_COPY_LIMIT) {
      for (let from = start, to = tail; from < end;) memory[to++] = data[from++] as number;
    } else {
      memory.set(data.subarray(start, end), tail);
    }
    this.tail = tail + length;
    this.submit(id, tail, length);
  }

  queueString(id: number, text: string, encoding: BufferEncoding): number {
    // No encoding makes more than three bytes of a UTF-16 unit.
    const offset = this.room(text.length * 3);
    const { memory } = this;
    const length =
      encoding === 'latin1'
        ? memory.latin1Write(text, offset, text.length)
        : encoding === 'utf8'
          ? memory.utf8Write(text, offset, text.length * 3)
          : memory.write(text, offset, encoding);
    this.tail = offset + length;
    this.submit(id, offset, length);
    return length;
  }

  writeLent(wire: Wire, parts: readonly Uint8Array[]): number {
    const left = this.native.writeLent(wire.id, parts);
    if (left > 0) wire.blocked = true;
    return left;
  }

  /** As writeLent, with files among the parts. */
  writeParts(wire: Wire, parts: readonly WritePart[]): number {
    const flat: (Uint8Array | NativePage | number)[] = [];
    for (const part of parts) {
      if (part instanceof FileRange) flat.push(part.file, part.offset, part.length);
      else flat.push(part);
    }
    const left = this.native.writeParts(wire.id, flat);
    if (left > 0) wire.blocked = true;
    return left;
  }

  awaitFlush(wire: Wire): void {
    this.waiters.push(wire);
    this.schedule();
  }

  /**
   * Has the wire told of its FIN where libuv would do it: behind this turn's events, or before those of the next.
   */
  tellShutdown(wire: Wire, status: number): void {
    if (this.shutdowns.push({ wire, status }) === 1 && !this.dispatching) setImmediate(this.onShutdowns);
  }

  private readonly onShutdowns = (): void => {
    const { shutdowns } = this;
    this.shutdowns = [];
    for (const { wire, status } of shutdowns) {
      if (!wire.open) continue;
      this.guard(() => {
        wire.onShutdown(status);
        if (wire.nodeTicks) runTicks();
      });
    }
  };

  /** Hands everything queued on any wire to the kernel. Calls nobody: outcomes are told at the end of the tick. */
  handOver(): void {
    const { shared } = this;
    if (shared[Shared.Submitted] === 0 && shared[Shared.Gathered] === 0) return;
    this.takeResults(this.native.flush());
  }

  /** Hands over, and tells those who wait for it now instead of at the end of the tick. False: nobody does. */
  settleNow(): boolean {
    if (this.waiters.length === 0 && this.failures.length === 0) return false;
    this.handOver();
    this.settle();
    return true;
  }

  private takeResults(results: number): void {
    for (let i = 0; i < results; i++) {
      const base = i * RESULT_WORDS;
      const wire = this.wires[this.results[base] as number];
      if (!(wire instanceof Wire)) continue;
      const errno = this.results[base + 1] as number;
      if (errno < 0) {
        wire.failed = true;
        this.failures.push({ wire, errno });
        this.schedule();
      } else {
        wire.blocked = true;
      }
    }
  }

  /** The offset of at least `length` free bytes in the arena. */
  private room(length: number): number {
    const { shared } = this;
    // The addon flushes by itself after a turn: then the arena is free again.
    if (shared[Shared.Submitted] === 0 && shared[Shared.Gathered] === 0) this.tail = this.arenaStart;
    if (this.tail + length > this.arenaEnd) {
      this.handOver();
      this.tail = this.arenaStart;
    }
    return this.tail;
  }

  private submit(id: number, offset: number, length: number): void {
    const { submissions, shared } = this;
    let count = shared[Shared.Submitted] as number;
    const last = (count - 1) * SUBMISSION_WORDS;
    if (
      count > 0 &&
      submissions[last] === id &&
      (submissions[last + 1] as number) + (submissions[last + 2] as number) === offset
    ) {
      const joint = (submissions[last + 2] as number) + length;
      submissions[last + 2] = joint;
      if (++this.joined >= EARLY_WRITES && joint >= EARLY_BYTES) this.handOver();
      return;
    }
    this.joined = 1;
    const at = count * SUBMISSION_WORDS;
    submissions[at] = id;
    submissions[at + 1] = offset;
    submissions[at + 2] = length;
    shared[Shared.Submitted] = ++count;
    // A full list goes out, so that there is always room for one more.
    if (count === this.maxSubmissions) this.handOver();
    else if (shared[Shared.InTurn] === 0) this.schedule();
  }

  private schedule(): void {
    if (this.dispatching || this.tickScheduled) return;
    this.tickScheduled = true;
    process.nextTick(this.onTick);
  }

  private readonly onTick = (): void => {
    this.tickScheduled = false;
    this.handOver();
    this.settle();
  };

  /** Tells wires what became of what they wrote. */
  private settle(): void {
    if (this.failures.length > 0) {
      const failures = this.failures;
      this.failures = [];
      for (const { wire, errno } of failures) {
        if (!wire.open) continue;
        wire.awaitingFlush = false;
        this.guard(() => {
          wire.onWriteError(errno);
        });
      }
    }
    if (this.waiters.length > 0) {
      const waiters = this.waiters;
      this.waiters = [];
      for (const wire of waiters) {
        if (!wire.awaitingFlush || wire.blocked) continue;
        wire.awaitingFlush = false;
        this.guard(() => {
          wire.onFlushed();
        });
      }
    }
  }

  private turn(): void {
    const { shared } = this;
    const count = shared[Shared.Completions] as number;
    const slotsWanted = shared[Shared.SlotsWanted] as number;
    const results = shared[Shared.Results] as number;
    if (results > 0) this.takeResults(results);
    if (this.shutdowns.length > 0) this.onShutdowns();
    this.dispatching = true;
    for (let i = 0; i < count;) {
      try {
        while (i < count) this.dispatch(COMPLETION_WORDS * i++);
      } catch (error) {
        this.native.reportException(error);
      }
    }
    this.dispatching = false;
    if (this.shutdowns.length > 0) this.onShutdowns();
    if (this.failures.length > 0 || this.waiters.length > 0) {
      this.handOver();
      this.settle();
    }
    if (slotsWanted !== 0) this.provideBlocks(slotsWanted);
  }

  private dispatch(base: number): void {
    const { completions } = this;
    const wire = this.wires[completions[base] as number];
    const event = completions[base + 1] as Completion;
    const a = completions[base + 2] as number;
    const b = completions[base + 3] as number;
    if (wire instanceof Wire) {
      dispatchToWire(this, wire, event, a, b);
      if (wire.nodeTicks) runTicks();
    } else if (wire !== undefined) {
      if (event === Completion.Accept) {
        completions[base] = NOBODY;
        wire.onAccept(a);
        if (this.wires[a] === undefined) this.native.close(a, false);
      } else if (event === Completion.Dropped) {
        wire.onDropped(a, b);
      } else {
        wire.onAcceptError(a);
      }
    } else if (event === Completion.Accept && completions[base] !== NOBODY) {
      // Its listener was closed earlier in this batch.
      this.native.close(a, false);
    }
  }

  /** The block that an Owned completion points into. */
  block(slot: number): ArrayBuffer {
    return this.blocks[slot] as ArrayBuffer;
  }

  /** The lent slab and the arena. */
  get lent(): Buffer {
    return this.memory;
  }

  private provideBlocks(slots: number): void {
    for (let slot = 0; slots >>> slot !== 0; slot++) {
      if ((slots & (1 << slot)) === 0) continue;
      // Uninitialised memory of its own: not the pool's, which other code shares.
      const block = Buffer.allocUnsafeSlow(slot < FIRST_LARGE_SLOT ? SMALL_BLOCK_BYTES : LARGE_BLOCK_BYTES);
      this.blocks[slot] = block.buffer;
      this.native.provideBlock(slot, block);
    }
  }

  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.native.reportException(error);
    }
  }
}

function dispatchToWire(engine: Engine, wire: Wire, event: Completion, a: number, b: number): void {
  switch (event) {
    case Completion.Owned: {
      const start = a & BLOCK_OFFSET_MASK;
      wire.onOwned?.(engine.block(a >>> BLOCK_OFFSET_BITS), start, b);
      break;
    }
    case Completion.Lent:
      wire.onLent?.(engine.lent, a, a + b);
      break;
    case Completion.Into:
      wire.onInto?.(b);
      break;
    case Completion.End:
      wire.onEnd();
      break;
    case Completion.Drain:
      wire.blocked = false;
      if (wire.awaitingFlush) {
        wire.awaitingFlush = false;
        wire.onFlushed();
      }
      // onFlushed may have closed it, or written until it was blocked again.
      if (wire.drained) wire.onDrain();
      break;
    case Completion.Connect:
      wire.onConnect(a);
      break;
    case Completion.ReadError:
      wire.onReadError(a);
      break;
    case Completion.WriteError:
      wire.awaitingFlush = false;
      wire.onWriteError(a);
      break;
    case Completion.Shutdown:
      wire.onShutdown(a);
      break;
    case Completion.Taken:
      wire.onTaken?.(a);
      break;
    case Completion.Accept:
    case Completion.AcceptError:
    case Completion.Dropped:
      break;
  }
}

let engineOfThread: Engine | undefined;

/** The engine of this thread, made on first use; undefined where the addon did not load. */
export function getEngine(): Engine | undefined {
  if (engineOfThread === undefined) {
    const { addon } = addonStatus();
    if (addon !== undefined) {
      const spin = spinOfThread();
      engineOfThread = new Engine(addon.createEngine());
      engineOfThread.native.setSpin(spin);
    }
  }
  return engineOfThread;
}

/** The engine of this thread if there is one already. */
export function madeEngine(): Engine | undefined {
  return engineOfThread;
}
