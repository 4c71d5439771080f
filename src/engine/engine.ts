/**
 * The engine's JS half: opens and closes connections and listeners, and hands each turn's completions to their connections. How
 * what they write leaves is Outbound's.
 */
import { constants } from 'node:os';
import { setImmediate } from 'node:timers';
import { inspect } from 'node:util';
import { now, ORIGIN } from './clock.js';
import type { Outcome } from './connect-queue.js';
import { PATIENCE } from './departure.js';
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

/** Other numbers would be cut to one that is somebody's. */
function isDescriptor(fd: number): boolean {
  return fd >= 0 && (fd | 0) === fd;
}

export class Engine extends Outbound {
  private readonly completions: Int32Array;
  private readonly blocks: (Buffer | undefined)[] = [];
  private readonly inbox: Buffer;
  private lentMemory: Buffer;
  private readonly turnBegan: Float64Array;
  /**
   * The completion to be handed out next, and the end of those there are. A listener may turn the loop: then a nested
   * `turn()` goes on where this one stands, and leaves it nothing to do.
   */
  private next = 0;
  private end = 0;
  /** FINs that are sent, and whose connections are still to be told. */
  private shutdowns: { connection: ConnectionCallbacks; status: number }[] = [];

  constructor(native: NativeEngine) {
    super(native);
    this.completions = native.layout.completions;
    this.inbox = Buffer.from(native.layout.inbox);
    this.turnBegan = new Float64Array(native.layout.shared.buffer, TURN_BEGAN_OFFSET, 1);
    this.lentMemory = Buffer.from(native.lentMemory());
    native.setTurnHandler(() => {
      this.turn();
    });
  }

  /** Its memory holds what came last, and what is to leave, of any connection: a socket that is logged shows none of it. */
  [inspect.custom](): string {
    return 'Engine {}';
  }

  /** Answers the new connection's id, or a negative errno. Its Connect completion comes in a later turn. */
  connect(address: NativeAddress, options: NativeConnectionOptions): number {
    return this.native.connect(address, options);
  }

  /** As connect(), but nothing is tried before tryConnect(). */
  prepareConnect(address: NativeAddress, options: NativeConnectionOptions): number {
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

  /** Makes a connection of a descriptor: see NativeEngine.adopt. */
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

  /** What has been read on a connection with `owned` and not been delivered; it will not be any more. */
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

  /** Ids of connections that the listener has not been told of, and will not be any more. */
  takeAccepted(listener: number): number[] {
    return this.native.takeAccepted(listener);
  }

  releaseListener(id: number): void {
    this.connections[id] = undefined;
    this.native.closeListener(id);
  }

  /**
   * Has the connection told of its FIN where libuv would do it: behind this turn's events, or before those of the next.
   */
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
   * Milliseconds as of `now()`; within a turn, when that began. For what libuv's own timers go by the time of the loop
   * iteration for.
   */
  loopTime(): number {
    return this.shared[Shared.InTurn] === 1 ? ORIGIN + (this.turnBegan[0] as number) : now();
  }

  /** Milliseconds since this turn began, with the sockets being read; Infinity outside one. */
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
    if (this.failures.length > 0 || this.waiters.length > 0) {
      this.handOver();
      this.settle();
    }
    const slotsWanted = shared[Shared.SlotsWanted] as number;
    shared[Shared.SlotsWanted] = 0;
    if (slotsWanted !== 0) this.provideBlocks(slotsWanted);
  }

  private dispatchAlone(): void {
    const { shared, times } = this;
    // Of the last one: the addon has looked at the clock.
    if (shared[Shared.RanLong] === 1 && !this.leftEarly) times.noteLong();
    else times.noteShort();
    shared[Shared.RanLong] = 0;
    this.beginStretch();
    this.next = 1;
    this.alone = true;
    try {
      this.dispatch(0);
    } catch (error) {
      this.native.reportException(error);
    }
    this.alone = false;
  }

  /** What is written waits for no other handler for long: see departure.ts. */
  private dispatchBatch(): void {
    const { shared, times } = this;
    this.alone = false;
    if (this.next === this.end) return;
    let looked = this.loopTime();
    let handedOver = looked;
    // Nothing but the handler that has just run lies between `looked` and now.
    let isFresh = true;
    while (this.next < this.end) {
      this.beginStretch();
      try {
        this.dispatch(COMPLETION_WORDS * this.next++);
      } catch (error) {
        this.native.reportException(error);
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
      // The kernel's time is not the handlers'.
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

  /** Programs see it during their callbacks, and what they see may be taken from us at any moment. */
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

  /** What nobody has been told of: the block itself if it is full, and a copy if it is not. */
  takeBlock(slot: number, length: number): Buffer {
    const block = this.blocks[slot] as Buffer;
    if (length < block.length) return copyOf(block, 0, length);
    this.blocks[slot] = undefined;
    return block;
  }

  /** A block that is not full stays the addon's, and one that the connection leaves is provided again. */
  giveBlock(connection: ConnectionCallbacks, slot: number, length: number): void {
    const block = this.blocks[slot] as Buffer;
    if (length < block.length) {
      connection.onInbox?.(block, 0, length);
      return;
    }
    // A turn of the loop within this call is to have another one.
    this.blocks[slot] = undefined;
    if (connection.onBlock?.(block) !== true) this.blocks[slot] ??= block;
  }

  private provideBlocks(slots: number): void {
    for (let slot = 0; slots >>> slot !== 0; slot++) {
      if ((slots & (1 << slot)) === 0) continue;
      // A full one whose connection was closed before it was told is nobody's. Uninitialised memory of its own: not the pool's.
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
      // The kernel had all; handlers of this batch may have written since.
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
