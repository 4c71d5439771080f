/**
 * The engine's JavaScript half: opens and closes connections and listeners, and dispatches each turn's completions to
 * their connections. Outbound sends what they write.
 */
import { constants } from 'node:os';
import { setImmediate } from 'node:timers';
import { inspect } from 'node:util';
import { now, ORIGIN } from './clock.js';
import type { Outcome } from './connect-queue.js';
import { PATIENCE } from './departure.js';
import { defineHidden } from './hidden-fields.js';
import {
  BLOCK_BYTES,
  Completion,
  COMPLETION_WORDS,
  NOBODY,
  Shared,
  TURN_BEGAN_OFFSET,
  type NativeAddress,
  type NativeConnectionOptions,
  type NativeEngine,
  type NativeListenOptions,
} from '../binding/addon.js';
import { Outbound } from './outbound.js';
import { allocateOwn, copyOf } from '../memory/own-memory.js';
import { runTicks } from '../node/run-ticks.js';
import type { EngineCallbacks, ConnectionCallbacks } from './callbacks.js';

const { EAGAIN, EBADF } = constants.errno;

/** Other numbers would be truncated to an int, possibly to another file's descriptor. */
function isDescriptor(fd: number): boolean {
  return fd >= 0 && (fd | 0) === fd;
}

export class Engine extends Outbound {
  declare private readonly completions: Int32Array;
  declare private readonly blocks: (Buffer | undefined)[];
  declare private readonly inbox: Buffer;
  declare private lentMemory: Buffer;
  declare private readonly turnBegan: Float64Array;
  /**
   * The next completion to dispatch, and the end of the batch. A listener may run the event loop: a nested `turn()`
   * then continues at the current position and leaves the outer one nothing to do.
   */
  private next = 0;
  private end = 0;
  /** FINs that have been sent but not yet reported to their connections. */
  private shutdowns: { connection: ConnectionCallbacks; status: number }[] = [];

  constructor(native: NativeEngine) {
    super(native);
    const { completions, inbox, shared } = native.layout;
    defineHidden(this, {
      completions,
      blocks: [],
      inbox: Buffer.from(inbox),
      turnBegan: new Float64Array(shared.buffer, TURN_BEGAN_OFFSET, 1),
      lentMemory: Buffer.from(native.lentMemory()),
    });
    native.setTurnHandler(() => {
      this.turn();
    });
  }

  /**
   * Hides the engine's memory from logs of a socket: it holds recently received and outgoing bytes of all connections.
   */
  [inspect.custom](): string {
    return 'Engine {}';
  }

  /** Returns the new connection's id, or a negative errno. Its Connect completion comes in a later turn. */
  connect(address: NativeAddress, options: NativeConnectionOptions): number {
    return this.native.connect(address, options);
  }

  /** As connect(), but makes no attempt before tryConnect(). */
  prepareConnect(address: NativeAddress, options: NativeConnectionOptions): number {
    return this.native.prepareConnect(address, options);
  }

  /** See NativeEngine.tryConnect. */
  tryConnect(id: number): Outcome {
    return this.native.tryConnect(id) === -EAGAIN ? 'full' : 'settled';
  }

  /** Returns the new listener's id, or a negative errno. */
  listen(address: NativeAddress, options: NativeListenOptions): number {
    return this.native.listen(address, options);
  }

  /** Makes a connection from a descriptor: see NativeEngine.adopt. */
  adopt(fd: number, options: NativeConnectionOptions): number {
    return isDescriptor(fd) ? this.native.adopt(fd, options) : -EBADF;
  }

  adoptListener(fd: number, options: NativeListenOptions): number {
    return isDescriptor(fd) ? this.native.adoptListener(fd, options) : -EBADF;
  }

  /** Gives a connection's descriptor to the caller: see NativeEngine.detach. */
  detach(id: number, bytesSeen: number): number {
    this.handOver();
    const fd = this.native.detach(id, bytesSeen);
    if (fd >= 0) this.connections[id] = undefined;
    return fd;
  }

  /** What a connection with `owned` has read but not delivered; it is not delivered afterwards. */
  takeUnread(id: number, bytesSeen: number): Buffer[] {
    const reads = this.native.takeUnread(id, bytesSeen);
    const chunks: Buffer[] = [];
    for (let i = 0; i < reads.length; i += 3) {
      const [event, a, length] = reads.slice(i) as [Completion, number, number];
      if (event === Completion.Block) chunks.push(this.takeBlock(a, length));
      else chunks.push(copyOf(event === Completion.Lent ? this.lent : this.inbox, a, a + length));
    }
    return chunks;
  }

  attach(id: number, connection: EngineCallbacks): void {
    this.connections[id] = connection;
  }

  /** Connections and listeners that are open. */
  *open(): Generator<EngineCallbacks> {
    for (const connection of this.connections) if (connection !== undefined) yield connection;
  }

  release(id: number, reset: boolean): void {
    this.connections[id] = undefined;
    this.handOver();
    this.native.close(id, reset);
  }

  /** Ids of accepted connections that the listener has not been given; it is not given them afterwards. */
  takeAccepted(listener: number): number[] {
    return this.native.takeAccepted(listener);
  }

  releaseListener(id: number): void {
    this.connections[id] = undefined;
    this.native.closeListener(id);
  }

  /** Reports the FIN where libuv would: after this turn's events, or before those of the next. */
  tellShutdown(connection: ConnectionCallbacks, status: number): void {
    if (this.shutdowns.push({ connection, status }) === 1 && !this.dispatching) setImmediate(this.onShutdowns);
  }

  private readonly onShutdowns = (): void => {
    const { shutdowns } = this;
    this.shutdowns = [];
    for (const { connection, status } of shutdowns) {
      if (!connection.open) continue;
      this.guard(() => {
        connection.onShutdown(status);
        if (connection.nodeTicks) runTicks();
      });
    }
  };

  /**
   * Milliseconds on the clock of `now()`; within a turn, when it began. For uses where libuv's own timers go by the
   * time of the event-loop iteration.
   */
  loopTime(): number {
    return this.shared[Shared.InTurn] === 1 ? ORIGIN + (this.turnBegan[0] as number) : now();
  }

  /** Milliseconds since this turn, including its reads, began; Infinity outside a turn. */
  turnAge(): number {
    return this.shared[Shared.InTurn] === 1 ? now() - ORIGIN - (this.turnBegan[0] as number) : Infinity;
  }

  private turn(): void {
    const { shared } = this;
    const nested = this.dispatching;
    this.end = shared[Shared.Completions] as number;
    const results = shared[Shared.Results] as number;
    if (shared[Shared.LentReplaced] === 1) this.showLent();
    if (results > 0) this.takeResults(results);
    if (this.shutdowns.length > 0) this.onShutdowns();
    this.dispatching = true;
    if (this.end === 1 && this.next === 0) this.dispatchAlone();
    else this.dispatchBatch();
    this.next = this.end = 0;
    this.dispatching = nested;
    if (this.shutdowns.length > 0) this.onShutdowns();
    if (this.failures.length > 0 || this.waiters !== undefined) {
      this.handOver();
      this.settle();
    }
    const slotsWanted = shared[Shared.SlotsWanted] as number;
    shared[Shared.SlotsWanted] = 0;
    if (slotsWanted !== 0) this.provideBlocks(slotsWanted);
  }

  private dispatchAlone(): void {
    const { shared, times } = this;
    // The flag is about the previous handler: the addon has read the clock for it.
    if (shared[Shared.RanLong] === 1 && !this.leftEarly) times.noteLong();
    else times.noteShort();
    shared[Shared.RanLong] = 0;
    this.beginStretch();
    this.next = 1;
    this.alone = true;
    try {
      this.dispatch(0);
    } catch (error) {
      this.reportException(error);
    }
    this.alone = false;
  }

  /** Writes do not wait long for another handler: see departure.ts. */
  private dispatchBatch(): void {
    const { shared, times } = this;
    this.alone = false;
    if (this.next === this.end) return;
    let looked = this.loopTime();
    let handedOver = looked;
    // Whether only the handler that has just run lies between `looked` and now.
    let isFresh = true;
    while (this.next < this.end) {
      this.beginStretch();
      try {
        this.dispatch(COMPLETION_WORDS * this.next++);
      } catch (error) {
        this.reportException(error);
      }
      if (shared[Shared.Submitted] === 0 && !times.prompt) {
        isFresh = false;
        continue;
      }
      const time = now();
      if (isFresh && !this.leftEarly) times.note(time - looked);
      looked = time;
      isFresh = true;
      if (time - handedOver < PATIENCE || this.next >= this.end) continue;
      this.handOver();
      // Time in the kernel does not count as the handlers'.
      looked = handedOver = now();
    }
  }

  private dispatch(base: number): void {
    const { completions } = this;
    const connection = this.connections[completions[base] as number];
    const event = completions[base + 1] as Completion;
    const a = completions[base + 2] as number;
    const b = completions[base + 3] as number;
    if (connection?.isListener === false) {
      dispatchToConnection(this, connection, event, a, b);
      if (connection.nodeTicks) runTicks();
    } else if (connection !== undefined) {
      if (event === Completion.Accept) {
        completions[base] = NOBODY;
        connection.onAccept(a);
        if (this.connections[a] === undefined) this.native.close(a, false);
      } else if (event === Completion.Dropped) {
        connection.onDropped(a, b);
      } else {
        connection.onAcceptError(a);
      }
    } else if (event === Completion.Accept && completions[base] !== NOBODY) {
      // Its listener was closed earlier in this batch.
      this.native.close(a, false);
    }
  }

  /** Programs see this memory during their callbacks and can detach it at any moment; then it is replaced. */
  get lent(): Buffer {
    if (this.lentMemory.length === 0) this.showLent();
    return this.lentMemory;
  }

  private showLent(): void {
    this.lentMemory = Buffer.from(this.native.lentMemory());
  }

  get inboxMemory(): Buffer {
    return this.inbox;
  }

  /** A read that no connection has been given: the block itself if it is full, otherwise a copy. */
  takeBlock(slot: number, length: number): Buffer {
    const block = this.blocks[slot] as Buffer;
    if (length < block.length) return copyOf(block, 0, length);
    this.blocks[slot] = undefined;
    return block;
  }

  /** A block that is not full stays with the addon, and one that the connection does not keep is provided again. */
  giveBlock(connection: ConnectionCallbacks, slot: number, length: number): void {
    const block = this.blocks[slot] as Buffer;
    if (length < block.length) {
      connection.onInbox?.(block, 0, length);
      return;
    }
    // A nested event-loop run within this call needs another block.
    this.blocks[slot] = undefined;
    if (connection.onBlock?.(block) !== true) this.blocks[slot] ??= block;
  }

  private provideBlocks(slots: number): void {
    for (let slot = 0; slots >>> slot !== 0; slot++) {
      if ((slots & (1 << slot)) === 0) continue;
      // A full block whose connection was closed before it was delivered is reused. New ones are uninitialized memory
      // of their own, not from the pool.
      const block = (this.blocks[slot] ??= allocateOwn(BLOCK_BYTES));
      this.native.provideBlock(slot, block);
    }
  }
}

function dispatchToConnection(
  engine: Engine,
  connection: ConnectionCallbacks,
  event: Completion,
  a: number,
  b: number,
): void {
  switch (event) {
    case Completion.Inbox:
      connection.onInbox?.(engine.inboxMemory, a, a + b);
      break;
    case Completion.Block:
      engine.giveBlock(connection, a, b);
      break;
    case Completion.Lent:
      connection.onLent?.(engine.lent, a, a + b);
      break;
    case Completion.Into:
      connection.onInto?.(b);
      break;
    case Completion.End:
      connection.onEnd();
      break;
    case Completion.Drain:
      // The kernel had taken all bytes, but handlers of this batch may have written since.
      engine.handOver();
      if (!connection.open || connection.failed) break;
      connection.blocked = engine.native.queued(connection.id) > 0;
      if (connection.blocked) break;
      if (connection.awaitingFlush) {
        connection.awaitingFlush = false;
        connection.onFlushed();
      }
      // onFlushed may have closed it, or written until it was blocked again.
      if (connection.drained) connection.onDrain();
      break;
    case Completion.Connect:
      connection.onConnect(a);
      break;
    case Completion.ReadError:
      connection.onReadError(a);
      break;
    case Completion.WriteError:
      connection.awaitingFlush = false;
      connection.onWriteError(a);
      break;
    case Completion.Shutdown:
      connection.onShutdown(a);
      break;
    case Completion.Taken:
      connection.onTaken?.(a);
      break;
    case Completion.Accept:
    case Completion.AcceptError:
    case Completion.Dropped:
      break;
  }
}
