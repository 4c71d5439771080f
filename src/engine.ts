/**
 * The engine's JS half: hands each turn's completions to their wires, gathers the turn's writes in memory that the addon
 * reads, and has them flushed once.
 *
 * Writes: a small one is copied into the arena and noted as a submission (id, offset, length); neighbours of the same
 * wire become one. A flush hands all submissions over in one crossing. Inside a turn it runs when the batch and its
 * microtasks are through; outside, on the next tick; at once when the arena is full, or at `flush()`; and at exit.
 */
import {
  addonStatus,
  BLOCK_OFFSET_BITS,
  Completion,
  COMPLETION_WORDS,
  FIRST_LARGE_SLOT,
  LARGE_BLOCK_BYTES,
  RESULT_WORDS,
  SMALL_BLOCK_BYTES,
  SUBMISSION_WORDS,
  type NativeAddress,
  type NativeChannelOptions,
  type NativeEngine,
  type NativeListenOptions,
} from './native.js';
import { Wire, WireListener } from './wire.js';

/**
 * Up to this many bytes are copied to travel with their neighbours; more are lent, which sends them at once. A copy of
 * 8 KiB costs about as much as the system call it saves.
 */
export const COPY_LIMIT = 8 * 1024;

/** Short pieces are copied by a loop: cheaper than making the view that TypedArray.set needs. */
const LOOP_COPY_LIMIT = 96;

const BLOCK_OFFSET_MASK = (1 << BLOCK_OFFSET_BITS) - 1;

/** What node itself runs between two timers: next ticks and microtasks, nothing if there are none. */
export const runTicks = (process as unknown as { _tickCallback(): void })._tickCallback.bind(process);

export class Engine {
  readonly native: NativeEngine;
  /** A turn's batch is being handed out. */
  inTurn = false;

  private readonly memory: Buffer;
  private readonly arenaStart: number;
  private readonly arenaEnd: number;
  private readonly completions: Int32Array;
  private readonly submissions: Int32Array;
  private readonly submitted: Int32Array;
  private readonly results: Int32Array;
  private readonly maxSubmissions: number;
  private readonly wires: (Wire | WireListener | undefined)[] = [];
  private readonly blocks: (Buffer | undefined)[] = [];
  private tail: number;
  private count = 0;
  private tickScheduled = false;
  private gathered = false;
  private waiters: Wire[] = [];
  private failures: { wire: Wire; errno: number }[] = [];

  constructor(native: NativeEngine) {
    this.native = native;
    const { memory, arenaStart, completions, submissions, submitted, results } = native.layout;
    this.memory = Buffer.from(memory);
    this.arenaStart = this.tail = arenaStart;
    this.arenaEnd = memory.byteLength;
    this.completions = completions;
    this.submissions = submissions;
    this.submitted = submitted;
    this.results = results;
    this.maxSubmissions = submissions.length / SUBMISSION_WORDS;
    native.setTurnHandler((count, slotsWanted) => {
      this.turn(count, slotsWanted);
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

  /** Answers the new listener's id, or a negative errno. */
  listen(address: NativeAddress, options: NativeListenOptions): number {
    return this.native.listen(address, options);
  }

  attach(id: number, wire: Wire | WireListener): void {
    this.wires[id] = wire;
  }

  release(id: number, reset: boolean): void {
    this.wires[id] = undefined;
    this.handOver();
    this.native.close(id, reset);
  }

  releaseListener(id: number): void {
    this.wires[id] = undefined;
    this.native.closeListener(id);
  }

  queueBytes(id: number, data: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.inTurn && data.buffer === this.memory.buffer && data.byteOffset + end <= this.arenaStart) {
      // Lent bytes go out from where they came in: they stay in place until this turn's flush.
      if (this.count === this.maxSubmissions) this.handOver();
      this.submit(id, data.byteOffset + start, length);
      return;
    }
    if (this.tail + length > this.arenaEnd || this.count === this.maxSubmissions) this.handOver();
    const { memory, tail } = this;
    if (length <= LOOP_COPY_LIMIT) {
      for (let from = start, to = tail; from < end;) memory[to++] = data[from++] as number;
    } else {
      memory.set(length === data.length ? data : data.subarray(start, end), tail);
    }
    this.tail = tail + length;
    this.submit(id, tail, length);
  }

  queueString(id: number, text: string, encoding: BufferEncoding): number {
    // No encoding makes more than three bytes of a UTF-16 unit.
    if (this.tail + text.length * 3 > this.arenaEnd || this.count === this.maxSubmissions) this.handOver();
    const offset = this.tail;
    const length = this.memory.write(text, offset, encoding);
    this.tail = offset + length;
    this.submit(id, offset, length);
    return length;
  }

  writeLent(wire: Wire, parts: readonly Uint8Array[]): number {
    const left = this.native.writeLent(this.count, wire.id, parts);
    if (this.count > 0) {
      // The addon knows them now, but those of other wires stay in the arena until the flush.
      this.count = 0;
      this.gathered = true;
      this.schedule();
    }
    if (left > 0) wire.blocked = true;
    return left;
  }

  awaitFlush(wire: Wire): void {
    this.waiters.push(wire);
    this.schedule();
  }

  /** Hands everything queued on any wire to the kernel. Calls nobody: outcomes are told at the end of the tick. */
  handOver(): void {
    if (this.count === 0 && !this.gathered) return;
    const results = this.native.flush(this.count);
    this.count = 0;
    this.gathered = false;
    this.tail = this.arenaStart;
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

  private submit(id: number, offset: number, length: number): void {
    const { submissions, count } = this;
    const last = (count - 1) * SUBMISSION_WORDS;
    if (
      count > 0 &&
      submissions[last] === id &&
      (submissions[last + 1] as number) + (submissions[last + 2] as number) === offset
    ) {
      submissions[last + 2] = (submissions[last + 2] as number) + length;
      return;
    }
    submissions[last + SUBMISSION_WORDS] = id;
    submissions[last + SUBMISSION_WORDS + 1] = offset;
    submissions[last + SUBMISSION_WORDS + 2] = length;
    this.submitted[0] = this.count = count + 1;
    if (!this.tickScheduled) this.schedule();
  }

  private schedule(): void {
    if (this.inTurn || this.tickScheduled) return;
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

  /**
   * Called by the addon without a callback scope of node's (which would cost as much as the rest of a small turn): ticks
   * and microtasks are run from here.
   */
  private turn(count: number, slotsWanted: number): void {
    this.inTurn = true;
    let i = 0;
    this.untilItReturns(() => {
      while (i < count) this.dispatch(COMPLETION_WORDS * i++);
      runTicks();
    });
    this.handOver();
    this.inTurn = false;
    if (this.failures.length > 0 || this.waiters.length > 0) {
      this.settle();
      this.untilItReturns(runTicks);
    }
    if (slotsWanted !== 0) this.provideBlocks(slotsWanted);
  }

  /** Calls again after each exception, which is reported as one of a callback of node's own would be. */
  private untilItReturns(call: () => void): void {
    for (;;) {
      try {
        call();
        return;
      } catch (error) {
        this.native.reportException(error);
      }
    }
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
        wire.onAccept(a);
        if (this.wires[a] === undefined) this.native.close(a, false);
      } else {
        wire.onAcceptError(a);
      }
    } else if (event === Completion.Accept) {
      // Its listener was closed earlier in this batch.
      this.native.close(a, false);
    }
  }

  /** The block that an Owned completion points into. */
  block(slot: number): Buffer {
    return this.blocks[slot] as Buffer;
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
      this.blocks[slot] = block;
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
      wire.onRead(engine.block(a >>> BLOCK_OFFSET_BITS), start, start + b);
      break;
    }
    case Completion.Lent:
      wire.onRead(engine.lent, a, a + b);
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
    case Completion.Accept:
    case Completion.AcceptError:
      break;
  }
}

let engineOfThread: Engine | undefined;

/** The engine of this thread, made on first use; undefined where the addon did not load. */
export function getEngine(): Engine | undefined {
  if (engineOfThread === undefined) {
    const { addon } = addonStatus();
    if (addon !== undefined) engineOfThread = new Engine(addon.createEngine());
  }
  return engineOfThread;
}
