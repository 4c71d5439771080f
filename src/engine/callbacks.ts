/**
 * The callbacks through which the engine reports events of its sockets, and the fields in which it tracks their writes.
 * connection.ts and listener.ts implement them.
 */

/** One stream socket. Optional callbacks may be missing where their event cannot occur. */
export interface ConnectionCallbacks {
  readonly isListener: false;
  /** The engine's id of this socket, -1 once closed. */
  readonly id: number;
  /** True while there is a socket underneath. */
  readonly open: boolean;
  /** The kernel did not take all queued bytes; a drain will follow. */
  blocked: boolean;
  /** A write failed, and `onWriteError` is owed or has been called. */
  failed: boolean;
  /** `onFlushed` is owed. */
  awaitingFlush: boolean;
  /** The handler or tick of its last write, numbered by Outbound: see departure.ts. */
  wroteIn: number;
  /** It has written exactly once in that handler or tick. */
  wroteOnce: boolean;
  /** Open, and the kernel has taken all bytes. */
  readonly drained: boolean;
  /** Whether to run next ticks and microtasks after each event, as node does for a net.Socket. */
  readonly nodeTicks: boolean;
  /** Bytes have arrived: `memory[start..end)`, lent for this call. For connections that do not own what they read. */
  onLent?(memory: Buffer, start: number, end: number): void;
  /** Bytes have arrived in the engine's memory, which is valid during this call: copy what is to be kept. */
  onInbox?(memory: Buffer, start: number, end: number): void;
  /**
   * Bytes have arrived and fill the whole block. Returns false to give it back: the engine then reuses it, and no other
   * code may have kept it.
   */
  onBlock?(block: Buffer): boolean;
  /** This many bytes have arrived in the buffer of `NativeEngine.readInto`; reading pauses until `resume()`. */
  onInto?(length: number): void;
  /** The sink or splice that received in place of JavaScript has stopped (see Completion.Taken). */
  onTaken?(status: number): void;
  onEnd(): void;
  onConnect(status: number): void;
  /** `errno` is negative, as returned by the kernel. The connection is still to be closed. */
  onReadError(errno: number): void;
  onWriteError(errno: number): void;
  onShutdown(status: number): void;
  /** All bytes of a blocked connection have been handed over. Called after `onFlushed`, if that was owed. */
  onDrain(): void;
  /** Everything written before `notifyFlushed()` has been handed to the kernel (not called after a write error). */
  onFlushed(): void;
}

/** A listening socket. */
export interface ListenerCallbacks {
  readonly isListener: true;
  readonly id: number;
  /** A connection has been accepted: make a connection with this id, or refuse it with `Engine.release(id, false)`. */
  onAccept(id: number): void;
  onAcceptError(errno: number): void;
  /** This many connections were closed because no descriptor was free. */
  onDropped(count: number, errno: number): void;
}

export type EngineCallbacks = ConnectionCallbacks | ListenerCallbacks;
