/**
 * A socket whose bytes all go to another socket, and the pump that moves them there below JS (native/pump.h).
 *
 * A 'data' listener that only writes to another native socket, as that of `pipe()` does, has a stand-in in the kernel. It
 * is started where the stream would read next and nobody could tell the difference: nobody else listens for data, nothing
 * is buffered on either side, and neither stream has methods of its own. Whatever calls for the bytes in JS after all (a
 * listener, `pause()`, `unpipe()`, the end of either side) stops it first; what was on its way goes to the other socket,
 * and the stream reads on as ever.
 *
 * Seen by a program: no 'data' events, and 'drain' on the other socket tells only of what the program itself writes.
 */
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { Outlet } from './outlet.js';
import { NativeSocket } from './socket.js';
import type { SocketWire } from './socket-wire.js';

export type DataListener = (chunk: Buffer) => void;

/** Calls that want the bytes in JS, or change who gets them. */
const CALLS = ['pause', 'setEncoding', 'push', 'unshift', 'unpipe', 'pipe'] as const;
/** The same for the events of DATA_EVENTS. */
const LISTENER_CALLS = ['on', 'addListener', 'prependListener', 'removeListener', 'off', 'removeAllListeners'] as const;
const DATA_EVENTS: readonly unknown[] = ['data', 'readable', undefined];

type Method = (this: NativeSocket, ...args: unknown[]) => unknown;

function methodOf(object: object, name: string): Method {
  return Reflect.get(object, name) as Method;
}

function stopFirst(name: string): Method {
  return function (...args) {
    this._forwarding?.stop();
    return methodOf(this, name).apply(this, args);
  };
}

function stopForData(name: string): Method {
  return function (...args) {
    // Where another has put its own method in place, as node:http does, that one may put itself out of place again.
    if (DATA_EVENTS.includes(args[0]) || this._forwarding?.replaces(name)) this._forwarding?.stop();
    const target = this._forwarding?.running === true ? (Object.getPrototypeOf(this) as object) : this;
    return methodOf(target, name).apply(this, args);
  };
}

/** What a socket's own methods are while its bytes are pumped. */
const WATCHING: readonly (readonly [name: string, method: Method])[] = [
  ...CALLS.map((name) => [name, stopFirst(name)] as const),
  ...LISTENER_CALLS.map((name) => [name, stopForData(name)] as const),
];

const { push: nodesPush } = Duplex.prototype;

/** Whether chunks of the socket go to its listeners and nowhere else, one by one. */
function isPlainSource(socket: NativeSocket): boolean {
  const { prototype } = NativeSocket;
  return (
    socket.push === nodesPush &&
    socket.emit === (EventEmitter.prototype.emit as unknown) &&
    socket._read === prototype._read &&
    socket._onread === undefined
  );
}

function isPlainSink(socket: NativeSocket): boolean {
  const { prototype } = NativeSocket;
  return socket.write === prototype.write && socket._write === prototype._write && socket._writev === prototype._writev;
}

/** Nothing that JS holds would have to go before the bytes of a pump. */
function takesBytes(socket: NativeSocket): boolean {
  const state = socket._writableState;
  return (
    socket.writable &&
    !socket.connecting &&
    state.length === 0 &&
    state.corked === 0 &&
    socket._held === undefined &&
    isPlainSink(socket)
  );
}

export class Forwarding implements Outlet {
  private readonly source: NativeSocket;
  private readonly sink: NativeSocket;
  private readonly listener: DataListener;
  /** The two wires while the pump runs. */
  private from: SocketWire | undefined;
  private to: SocketWire | undefined;
  /** Own methods of the source that the watching ones have replaced. */
  private replaced = new Map<string, PropertyDescriptor>();
  /** Bytes that pumps of this forwarding have moved, without those of the one that runs. */
  private before = 0;

  /** `listener` is the one listener of 'data' that the pump can stand in for. */
  constructor(source: NativeSocket, sink: NativeSocket, listener: DataListener) {
    this.source = source;
    this.sink = sink;
    this.listener = listener;
  }

  get running(): boolean {
    return this.from !== undefined;
  }

  /** Bytes that the pump which runs has taken so far. */
  get underWay(): number {
    const totals = this.from?.engine.native.intakeTotals(this.from.id);
    return Array.isArray(totals) ? totals[0] : 0;
  }

  /** Bytes that have gone to the sink without passing through JS. */
  get moved(): number {
    return this.before + this.underWay;
  }

  /** Milliseconds since the pump last moved something. */
  get idle(): number {
    const totals = this.from?.engine.native.intakeTotals(this.from.id);
    return Array.isArray(totals) && totals[1] >= 0 ? totals[1] : Infinity;
  }

  replaces(name: string): boolean {
    return this.replaced.has(name);
  }

  /** The most bytes that the pump may take from here on; none may be taken if it is 0. */
  protected get left(): number {
    return Infinity;
  }

  /** Starts the pump if it can stand in for the listener from here on. */
  tryStart(): void {
    const { source, sink, left } = this;
    const { _wire: from, _readableState: state } = source;
    const { _wire: to } = sink;
    if (
      this.running ||
      left <= 0 ||
      from?.open !== true ||
      to?.open !== true ||
      from.outlet !== undefined ||
      !from.givesOn ||
      state.flowing !== true ||
      state.length > 0 ||
      Boolean(state.decoder) ||
      source.readableObjectMode ||
      !source.readable ||
      source.listenerCount('readable') > 0 ||
      source.listenerCount('data') !== 1 ||
      source.listeners('data')[0] !== this.listener ||
      to.failed ||
      !takesBytes(sink) ||
      !isPlainSource(source)
    ) {
      return;
    }
    if (from.engine.native.pump(from.id, to.id, Number.isFinite(left) ? left : -1) < 0) return;
    this.from = from;
    this.to = to;
    from.outlet = this;
    to.inlet = this;
    this.watch();
  }

  /** Has the stream read again. Does nothing if no pump runs. */
  stop(): void {
    const { from, to } = this;
    if (from === undefined || to === undefined) return;
    this.from = this.to = undefined;
    from.outlet = to.inlet = undefined;
    this.unwatch();
    const { native } = from.engine;
    const moved = native.stopIntake(from.id);
    if (to.open && native.queued(to.id) > 0) to.blocked = true;
    if (moved === 0) return;
    this.before += moved;
    from.bytesRead += moved;
    to.bytesWritten += moved;
  }

  onTaken(): void {
    this.stop();
  }

  /**
   * The sink sends its FIN now, behind what is under way; the pump rests. The source is not read until `pipe()` lets go of
   * the sink at its 'finish', as it is not while a sink is full.
   */
  sinkEnds(): void {
    // The shutdown does it.
  }

  private watch(): void {
    const { source, replaced } = this;
    for (const [name, method] of WATCHING) {
      const own = Object.getOwnPropertyDescriptor(source, name);
      if (own !== undefined) replaced.set(name, own);
      Object.defineProperty(source, name, { value: method, writable: true, configurable: true, enumerable: false });
    }
  }

  private unwatch(): void {
    const { source, replaced } = this;
    // From the last to the first: so the object keeps the shape that it had before.
    for (const [name, method] of WATCHING.toReversed()) {
      if (methodOf(source, name) !== method) continue;
      const own = replaced.get(name);
      if (own === undefined) Reflect.deleteProperty(source, name);
      else Object.defineProperty(source, name, own);
    }
    replaced.clear();
  }
}

/** Has a pump stand in for what `pipe()` has just put on 'data', where it can. */
export function forwardPipe(source: NativeSocket, sink: unknown, before: readonly unknown[]): void {
  if (!(sink instanceof NativeSocket)) return;
  const listener = source.listeners('data').find((each) => !before.includes(each));
  if (listener === undefined) return;
  source._forwarding = new Forwarding(source, sink, listener as DataListener);
  source._forwarding.tryStart();
}
