/**
 * A connection of an `http.Server` whose requests are read without a stream and without node's parser, as far as reading
 * goes: what it does with the bytes is the matter of connection.ts and fetch-connection.ts.
 */
import { NativeCarrier } from '../exchange/native-carrier.js';
import type { Engine } from '../engine/engine.js';
import { loopTime } from '../engine/thread-engine.js';
import { requestTimeoutError } from '../errors/index.js';
import { isLate } from '../exchange/is-late.js';
import { copyOf } from '../memory/own-memory.js';
import type { AcceptingListener } from '../net/accept-delegate.js';
import type { Sink } from '../net/sink.js';
import type { NativeSocket } from '../net/socket.js';
import type { SocketSettings } from '../net/socket-options.js';
import { runTicks } from '../node/run-ticks.js';
import { becomeSocket, type PartlyRead, type Remainder } from './become-socket.js';
import { EndpointNames } from './endpoint-names.js';
import type { HttpHost } from './host.js';
import { LateMessage } from './late-message.js';
import { MessageStart, type BegunBehind } from './message-start.js';
import { runOthersTicks } from './others-ticks.js';
import { PipelinedConnection } from './pipelined-connection.js';
import { refusalOf } from './refusal.js';
import type { HttpSocket, StandInConnection } from './http-socket.js';
import { StandInSocket } from './stand-in.js';

/** Milliseconds since a read within which more than the peer has declared to be its last is not looked for. */
const CLOSING_MOMENT = 1;

/** What a kind of connection knows of its exchanges. */
type OwnRemainder = Pick<
  Remainder,
  'exchanges' | 'answered' | 'receiving' | 'bodySeen' | 'read' | 'hasEnded' | 'broken'
>;

export abstract class ReadingConnection extends PipelinedConnection implements StandInConnection {
  declare readonly carrier: NativeCarrier;
  socket: HttpSocket;
  /** A program may have seen its socket, which stays the same object from then on. */
  isSocketShown = false;
  readonly listener: AcceptingListener;
  bytesRead = 0;
  declare paused: boolean;
  declare peerEnded: boolean;
  protected bodyLeft = 0;
  /** The request that was read last allows no other. */
  protected hasReadLast = false;
  protected override isAmidRead = false;
  /** Of what is being read. */
  protected hasMoreRead = false;
  protected became = false;
  protected requests = 0;
  /** When the message that is being read, or the connection, began. */
  private startedAt = loopTime();
  /** It has been refused for its time. */
  private isOverdue = false;
  /** Read while it was paused, and not looked at; undefined: the end. */
  protected unread: (Buffer | undefined)[] | undefined;
  /** An error has been told: the first one of a socket, and any of a message. */
  private refused = false;
  private knownNames: EndpointNames | undefined;
  /** The file that a body goes to, past this connection. */
  sink: Sink | undefined;

  constructor(host: HttpHost, listener: AcceptingListener, id: number) {
    super(host, new NativeCarrier(listener.engine, id, true));
    this.listener = listener;
    this.socket = new StandInSocket(this, host.emitter);
    const { timeout } = host.emitter;
    if (timeout > 0) this.socket.setTimeout(timeout);
  }

  // --- what a kind of connection adds ---

  /** Takes what has been read, in the connection's async context. */
  abstract readBytes(data: Buffer, start: number, end: number): void;

  /** `readBytes` has thrown. */
  abstract breakOff(error: unknown): void;

  /** The peer has ended, and all that it has sent has been taken. */
  protected abstract readEnd(): void;

  /** A request's body is not complete. */
  protected abstract readonly isReceiving: boolean;

  /** A listener has thrown: nothing more is read. */
  protected abstract readonly isBroken: boolean;

  /** Something of a response has been sent, so that no other can be. */
  protected abstract readonly isAnswering: boolean;

  abstract bodyLeftOf(request: object): number;

  /** So many bytes of a body have gone to a file. */
  protected abstract skipBody(bytes: number): void;

  abstract becomeSocket(read?: PartlyRead, hasEnded?: boolean): void;

  // --- for its stand-in ---

  get id(): number {
    return this.carrier.id;
  }

  get engine(): Engine {
    return this.carrier.engine;
  }

  get tcp(): boolean {
    return this.listener.tcp;
  }

  get settings(): SocketSettings {
    return this.listener.settings;
  }

  get names(): EndpointNames {
    return (this.knownNames ??= new EndpointNames(this.carrier, this.tcp));
  }

  // --- reading ---

  override onBytes(data: Buffer, start: number, end: number): void {
    if (this.closed) return;
    // Read in the same turn as what made it stop.
    if (this.paused || this.unread !== undefined) (this.unread ??= []).push(copyOf(data, start, end));
    else this.take(data, start, end);
  }

  private take(data: Buffer, start: number, end: number): void {
    this.bytesRead += end - start;
    this.socket._touch();
    runOthersTicks(this.carrier.engine);
    if (this.carrier.awaitingFlush) while (this.finishWritten()) runTicks();
    this.scope.runInAsyncScope(readBytes, undefined, this, data, start, end);
  }

  amidRead(is: boolean): void {
    this.isAmidRead = is;
    this.hasMoreRead = false;
    if (!is && this.became) this.server.endActive(this.socket);
    if (!is && this.unread !== undefined) this.readOn();
  }

  override resume(): void {
    if (!this.paused || this.sink !== undefined) return;
    if (this.unread === undefined) super.resume();
    else {
      this.paused = false;
      process.nextTick(giveUnread, this);
    }
  }

  private get reads(): boolean {
    return !this.closed && !this.paused && !this.waits;
  }

  /** What has been read is not to be taken yet, whether more is read or not. */
  protected get waits(): boolean {
    return false;
  }

  /** Takes the next piece that was read while it was paused; reads from the kernel when none is left. */
  giveUnread(): void {
    const { unread } = this;
    // A tick may run between two messages of a read.
    if (unread === undefined || !this.reads || this.isAmidRead) return;
    const next = this.shiftUnread();
    if (next === undefined) this.onPeerEnd();
    else this.take(next, 0, next.length);
    this.readOn();
  }

  private shiftUnread(): Buffer | undefined {
    const { unread = [] } = this;
    const next = unread.shift();
    if (unread.length === 0) this.unread = undefined;
    return next;
  }

  /** Takes what has been read from the kernel while it was paused, and returns whether that was all. */
  takeAhead(): boolean {
    const { unread = [] } = this;
    if (!unread.includes(undefined)) {
      const fresh = this.engine.takeUnread(this.id, this.bytesRead + lengthOf(unread));
      if (fresh.length > 0) this.unread = [...unread, ...fresh];
    }
    // A connection that becomes a socket meanwhile takes the rest along.
    while (!this.closed && this.unread?.[0] !== undefined) {
      const next = this.shiftUnread() as Buffer;
      this.take(next, 0, next.length);
    }
    if (this.unread !== undefined || this.closed) return false;
    // The program has asked for more meanwhile.
    if (!this.paused) this.carrier.resume();
    return true;
  }

  protected readOn(): void {
    if (!this.reads) return;
    if (this.unread === undefined) this.carrier.resume();
    else process.nextTick(giveUnread, this);
  }

  override onPeerEnd(): void {
    if (this.closed) return;
    const { sink } = this;
    if (sink === undefined && !this.paused && this.unread === undefined) {
      this.readEnd();
      return;
    }
    // First: what happens at the sink's end may make it a socket, which takes this along.
    (this.unread ??= []).push(undefined);
    sink?.stop();
  }

  // --- a body below JavaScript ---

  onTaken(status: number): void {
    this.sink?.onTaken(status);
  }

  noteTaken(bytes: number): void {
    this.bytesRead += bytes;
    this.skipBody(bytes);
  }

  // --- ending ---

  override close(): void {
    if (!this.closed) this.sink?.stop();
    super.close();
  }

  protected override get mayHaveUnread(): boolean {
    const { engine } = this.carrier;
    if (this.bodyLeft > 0) return true;
    if (!this.tcp && this.hasReadLast && engine.turnAge() < CLOSING_MOMENT) return false;
    return engine.native.unread(this.id) !== 0;
  }

  /** A program has emitted 'error': node's server listens once. */
  tellError(error: unknown): void {
    if (!this.refused) this.refuse(error as Error);
  }

  /** As node's server does with an error. If a listener keeps the connection, it is read further. */
  refuse(error: Error): void {
    const { socket, server } = this;
    this.refused = this.isSocketShown = true;
    if (server.emitter.emit('clientError', error, socket) || this.closed) return;
    if (socket.writable && !this.isAnswering) this.write(refusalOf(error), 'latin1', undefined);
    this.destroy(error);
  }

  override onIdle(): void {
    this.isSocketShown = true;
    super.onIdle();
  }

  protected override get tellsClientError(): boolean {
    return !this.refused;
  }

  /** Refuses what has not arrived in time. Times are in milliseconds; 0 means no limit. */
  checkTime(now: number, headersTimeout: number, requestTimeout: number): void {
    if (this.isBroken || !this.takeLate(now, headersTimeout, requestTimeout)) return;
    this.scope.runInAsyncScope(refuse, undefined, this, requestTimeoutError());
  }

  /** Whether what is being read should have arrived by now, which is told once. */
  protected takeLate(now: number, headersTimeout: number, requestTimeout: number): boolean {
    const isNew = this.requests === 0;
    if (this.isOverdue || (!isNew && !this.isReceiving)) return false;
    return (this.isOverdue = isLate(now - this.startedAt, !isNew, headersTimeout, requestTimeout));
  }

  /** `start`: it began before. */
  protected beginMessage(start?: MessageStart): void {
    this.startedAt = start?.at ?? loopTime();
    this.isOverdue = start?.isTold ?? false;
  }

  /** A message that has begun in what has been read, and not taken. */
  protected get begunBehind(): BegunBehind | undefined {
    return undefined;
  }

  // --- becoming a socket ---

  /** Node's own code serves what follows. */
  protected turnInto(rest: OwnRemainder): void {
    const { ended, endsSoon, refused, hasReadLast, held = [], unread = [], bodyLeft } = this;
    // The last piece of what was read while it was paused has brought this about: reading is to go on behind it.
    if (!this.paused && unread.length === 0) this.carrier.resume();
    this.keepAlive?.end();
    this.closed = this.became = true;
    this.server.forget(this);
    const unflushed = this.takeCallbacks();
    this.held = this.unread = undefined;
    const end = endsSoon ? 'soon' : ended ? 'half' : undefined;
    const { begunBehind: begun, server } = this;
    const follow =
      begun &&
      ((): void => {
        LateMessage.await(server, this.socket as unknown as NativeSocket, begun);
      });
    becomeSocket(this, { ...rest, end, unflushed, refused, hasReadLast, held, unread, bodyLeft, follow });
    const { receiving, broken } = rest;
    if (receiving === undefined || broken !== undefined || receiving.request.complete) return;
    const socket = this.socket as unknown as NativeSocket;
    LateMessage.admitBody(server, socket, new MessageStart(this.startedAt, this.isOverdue), receiving.request);
  }
}

function readBytes(connection: ReadingConnection, data: Buffer, start: number, end: number): void {
  connection.amidRead(true);
  try {
    connection.readBytes(data, start, end);
  } catch (error) {
    connection.breakOff(error);
  } finally {
    connection.amidRead(false);
  }
}

function lengthOf(pieces: readonly (Buffer | undefined)[]): number {
  return pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 0);
}

function giveUnread(connection: ReadingConnection): void {
  connection.giveUnread();
}

function refuse(connection: ReadingConnection, error: Error): void {
  connection.refuse(error);
}
