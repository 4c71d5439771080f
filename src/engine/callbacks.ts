/** Whom the engine tells of its sockets, and what it notes of their writes. connection.ts and connection-listener.ts are what there is. */

/** One stream socket. Callbacks that are left out are for what never happens to it. */
export interface ConnectionCallbacks {
  readonly isListener: false;
  /** The engine's number for this socket, -1 once closed. */
  readonly id: number;
  /** True while there is a socket underneath. */
  readonly open: boolean;
  /** The kernel took not all of what was queued; a drain will follow. */
  blocked: boolean;
  /** A write failed, and `onWriteError` is owed or has been called. */
  failed: boolean;
  /** `onFlushed` is owed. */
  awaitingFlush: boolean;
  /** The handler or tick in which it last wrote, as Outbound counts them: see departure.ts. */
  wroteIn: number;
  /** It has written once in that. */
  wroteOnce: boolean;
  /** Open, and the kernel has taken everything. */
  readonly drained: boolean;
  /** Node runs next ticks and microtasks after each event of a net.Socket: true for connections that must pass for one. */
  readonly nodeTicks: boolean;
  /** Bytes have come: `memory[start..end)`, lent for this call. For connections whose connection does not own what it reads. */
  onLent?(memory: Buffer, start: number, end: number): void;
  /** Bytes have come, and lie in memory of the engine's during this call: what is to be kept is copied. The same end. */
  onInbox?(memory: Buffer, start: number, end: number): void;
  /** The same, and they fill it. False: it is the engine's again, and nobody else has seen it. */
  onBlock?(block: Buffer): boolean;
  /** As many bytes have come into the buffer of `NativeEngine.readInto`; reading rests until `resume()`. */
  onInto?(length: number): void;
  /** What stood in for JS rests (see Completion.Taken). */
  onTaken?(status: number): void;
  onEnd(): void;
  onConnect(status: number): void;
  /** `errno` is negative, as the kernel gave it. The connection is still to be closed. */
  onReadError(errno: number): void;
  onWriteError(errno: number): void;
  onShutdown(status: number): void;
  /** A blocked connection has handed everything over. Comes after `onFlushed`, if that was owed. */
  onDrain(): void;
  /** Everything written before `notifyFlushed()` has been handed to the kernel (not called after a write error). */
  onFlushed(): void;
}

/** A listening socket. */
export interface ListenerCallbacks {
  readonly isListener: true;
  readonly id: number;
  /** A connection has been accepted: make a connection of this id, or refuse it with `Engine.release(id, false)`. */
  onAccept(id: number): void;
  onAcceptError(errno: number): void;
  /** There was no descriptor for so many connections, which were closed. */
  onDropped(count: number, errno: number): void;
}

export type EngineCallbacks = ConnectionCallbacks | ListenerCallbacks;
