/**
 * Turns the stand-in of a connection into a native socket that node's own code serves: the same object, with other
 * methods, on the same connection of the engine.
 *
 * Between requests, node's server just gets a new socket. In the middle of one, its parser is first given the heads of
 * the requests that have been read, and makes the existing objects of them (withMessages). After that it expects the
 * rest of the body, and its server the end of the responses.
 */
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { NativeCarrier } from '../exchange/native-carrier.js';
import type { Incoming, Outgoing } from '../exchange/contracts.js';
import { Exchange } from '../exchange/exchange.js';
import { newRequest, newResponse } from '../exchange/genuine-messages.js';
import { tellEach } from '../exchange/tell-each.js';
import { tellingAll } from '../exchange/writers.js';
import { report, reports, socketScope } from '../net/async-scopes.js';
import type { StreamReader } from '../net/connected-socket.js';
import { addNativeFields } from '../net/native-fields.js';
import { tellServed } from '../net/server-listener.js';
import { acceptedOptions, type SocketSettings, type StreamOptions } from '../net/socket-options.js';
import { SocketConnection } from '../net/socket-connection.js';
import { NativeSocket, noteEnd } from '../net/socket.js';
import { resultAsOfHandle, type NodeParser, type ParserCallbacks } from '../node/http-parser.js';
import { runTicks } from '../node/run-ticks.js';
import { errorOfSocket, settleEnd } from '../node/http-messages.js';
import { ignoreErrors, serveByNode, untold, withMessages, type ServerWithFields } from '../node/http-server.js';
import type { ServerInternals } from '../node/server-internals.js';
import { type WriteCallback, writableState, readableState } from '../node/stream-state.js';
import { breakParser, breakWithin, endParser, skipBody, type BreakingCallback } from './broken-parser.js';
import type { HttpHost } from './host.js';
import { parserFacts } from './plain-request.js';
import { REPORTED, type ServedSocket as FollowedSocket } from './parser-ticks.js';
import type { HttpSocket } from './http-socket.js';
import { clearStandIn } from './stand-in.js';

/** The result of a read, of which the bytes from `offset` on have not been looked at. */
export interface PartlyRead {
  packet: Buffer;
  offset: number;
}

/** The connection whose stand-in becomes a socket. */
interface StandInOwner {
  readonly server: HttpHost;
  socket: HttpSocket;
  readonly isSocketShown: boolean;
  readonly carrier: NativeCarrier;
  readonly id: number;
  readonly tcp: boolean;
  readonly settings: SocketSettings;
  readonly paused: boolean;
  /** It has answered all of its requests, and had some. */
  readonly isIdle: boolean;
  readonly owesDrain: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly heldBytes: number;
}

/** What the connection knows that node's code does not. */
export interface Remainder {
  /** Those that are not over, oldest first. */
  exchanges: readonly Exchange[];
  /** Its response is over, but its request's body is still being read. */
  answered: Exchange | undefined;
  /** The one whose request's body is being read, and how much of it has come. */
  receiving: Exchange | undefined;
  bodySeen: number;
  /** Bytes of that body, or of one without a reader, that are to come. */
  bodyLeft: number;
  read: PartlyRead | undefined;
  /** The peer has ended. */
  hasEnded: boolean;
  /** Its own end: 'half' has been sent, 'soon' closes it as well. */
  end: 'half' | 'soon' | undefined;
  /** Where a listener has thrown. */
  broken: BreakingCallback | undefined;
  /** An error has been told: node's server listens for one. */
  refused: boolean;
  /** The last request that has been read allows no other. */
  hasReadLast: boolean;
  /** Pieces that were read while it was paused, oldest first; undefined: the end. */
  unread: readonly (Buffer | undefined)[];
  /** Writes that wait for the socket to be uncorked. */
  held: readonly { data: string | Uint8Array; encoding: BufferEncoding; callback: WriteCallback | undefined }[];
  /** Callbacks of writes that the kernel may not have taken. */
  unflushed: readonly WriteCallback[];
  /** Called before node's parser is given what follows. */
  follow: (() => void) | undefined;
}

type ServedSocket = NativeSocket & {
  parser: NodeParser | null;
  /** The listener of 'data' that is node's server's. */
  _feed?: Listener;
  _httpMessage: unknown;
  _paused?: boolean;
  _parserTicks?: FollowedSocket['_parserTicks'];
};

/** The connection closes after the read at the earliest. */
const AMID_READ: StreamReader = { isAmidRead: true, isOnlyReader: false, rests: false };

export function becomeSocket(from: StandInOwner, rest: Remainder): void {
  const server = from.server.emitter as ServerWithFields & ServerInternals;
  const { writableCorked: corked, _paused: rests } = from.socket;
  const listeners = takeListeners(from.socket);
  const socket = makeSocket(from, server);
  const connection = socket._connection as SocketConnection;
  for (const callback of rest.unflushed) connection.whenFlushed(callback);
  const [first] = rest.exchanges;
  if (first?.whole === true) {
    connection.whenFlushed((error) => {
      finishWhole(first.response, error ?? errorOfSocket(socket));
    });
  }
  for (const { response } of rest.exchanges) if (response.socket !== null) response.socket = socket as never;
  serveByNode(server, socket);
  socket._feed = socket.rawListeners('data')[0] as Listener;
  if (rest.refused) ignoreErrors(socket);
  // In node, the server's own come first.
  for (const [event, listener] of listeners) EventEmitter.prototype.on.call(socket, event, listener);
  // Before the responses behind the end are given the socket: they are not to be sent.
  if (rest.end === 'soon') socket.destroySoon();
  else if (rest.end === 'half') socket.end();
  for (const exchange of rest.exchanges) replay(server, socket, exchange, rest);
  if (rest.answered !== undefined) replayAnswered(server, socket, rest.answered, rest);
  else if (from.isIdle && rest.exchanges.length === 0 && rest.broken === undefined && !rest.hasReadLast)
    replayRest(server, socket, rest);
  if (socket.parser !== null && rest.broken !== undefined) breakParser(parserFacts(), socket.parser, rest.broken);
  else if (socket.parser !== null && rest.hasReadLast && rest.exchanges.length === 0)
    endParser(parserFacts(), socket.parser);
  from.server.guard?.(socket, rest.bodyLeft);
  rest.follow?.();
  // Not before: node's server would stop reading where a write waits.
  for (let i = 0; i < corked; i++) socket.cork();
  for (const { data, encoding, callback } of rest.held) socket.write(data, encoding, callback);
  if (from.owesDrain) writableState(socket).needDrain = true;
  const { read, hasEnded } = rest;
  if (read !== undefined) giveRest(socket, read);
  if (from.paused) socket.pause();
  if (rests && !socket._paused) {
    socket._paused = true;
    socket.parser?.pause();
  }
  tellServed(socket);
  if (rest.unread.length > 0) {
    connection.unread = [...rest.unread];
    if (!from.paused) connection.giveUnread();
  }
  if (hasEnded) connection.onEnd();
}

type Listener = (...args: unknown[]) => void;

/** Removes all listeners of the program, and returns them. */
function takeListeners(socket: EventEmitter): [event: string | symbol, listener: Listener][] {
  const names = socket.eventNames();
  const taken = names.flatMap((event) =>
    socket.rawListeners(event).map((listener): [string | symbol, Listener] => [event, listener as Listener]),
  );
  // First: its listeners would be called for each of the others.
  EventEmitter.prototype.removeAllListeners.call(socket, 'removeListener');
  for (const event of names) EventEmitter.prototype.removeAllListeners.call(socket, event);
  return taken;
}

/** Gives the stream more that has been read by now. */
export function pushAll(given: object, pieces: readonly Buffer[]): void {
  const socket = given as ServedSocket;
  for (const piece of pieces) {
    if (socket.destroyed) return;
    if (socket._connection !== undefined) socket._connection.bytesRead += piece.length;
    socket.push(piece);
  }
}

/** Gives node's parser what is left of a read. The stream would do so in a tick; in node it would have been read by now. */
export function giveRest(given: object, { packet, offset }: PartlyRead): void {
  const socket = given as ServedSocket;
  const { _connection: connection, parser } = socket;
  if (parser === null) return;
  skipOnce(parser, offset);
  connection?.scope.run(giveOn, socket, packet);
}

/** A listener has thrown since it became a socket, and so many bytes of that body are to come: node's parser reads no more. */
export function breakOff(given: object, bodyLeft: number, callback: BreakingCallback): void {
  const { parser } = given as ServedSocket;
  if (parser !== null) breakWithin(parserFacts(), parser, bodyLeft, callback);
}

function makeSocket(from: StandInOwner, server: ServerWithFields & ServerInternals): ServedSocket {
  const { carrier, id, bytesRead, bytesWritten, heldBytes, settings, tcp } = from;
  const { timeout, _timer: timer } = from.socket;
  timer?.stop();
  const options = acceptedOptions(server.allowHalfOpen, server.highWaterMark);
  const socket = (
    from.isSocketShown ? turned(from.socket, options) : new NativeSocket(settings, options)
  ) as ServedSocket;
  from.socket = socket as object as HttpSocket;
  socket._settings = settings;
  socket.server = socket._server = server;
  carrier.leave();
  const connection = new SocketConnection(settings.engine, id, socket, socketScope(), tcp, !from.paused);
  connection.blocked = carrier.blocked;
  connection.bytesRead = bytesRead;
  connection.bytesWritten = bytesWritten - heldBytes;
  socket._connection = connection;
  if (timeout !== undefined && timeout > 0) socket.setTimeout(timeout);
  return socket;
}

/**
 * The same object. One that no program has seen is better left: a stand-in has room for few fields, and V8 makes a
 * dictionary of it as soon as a program gives it one with a symbol, as WebSocket servers do.
 */
function turned(standIn: HttpSocket, options: StreamOptions): NativeSocket {
  clearStandIn(standIn);
  const socket = Object.setPrototypeOf(standIn, NativeSocket.prototype) as NativeSocket;
  Reflect.apply(Duplex, socket, [options]);
  addNativeFields(socket);
  socket.prependListener('end', noteEnd);
  return socket;
}

/** Brings node's parser and server to where this exchange is. */
function replay(server: ServerWithFields, socket: ServedSocket, exchange: Exchange, rest: Remainder): void {
  const { request, response } = exchange;
  const { parser } = socket;
  if (parser === null) return;
  const seen = rest.receiving === exchange && rest.broken === undefined ? rest.bodySeen : lengthOf(request);
  keeping(request, response, () => {
    withMessages(server, request, response, () => {
      parser.execute(headOf(request, rest.broken !== undefined));
      skipBody(parserFacts(), parser, seen);
    });
  });
  tellServerFirst(response);
}

/** Node's server hears of the end before the program does. */
function tellServerFirst(response: Outgoing): void {
  const listeners = response.rawListeners('finish') as Listener[];
  const own = listeners.at(-1);
  if (own === undefined || listeners.length === 1) return;
  response.removeListener('finish', own);
  response.prependListener('finish', own);
}

/** Its body is still being read: node's server has made a response, and that is over. */
function replayAnswered(server: ServerWithFields, socket: ServedSocket, { request }: Exchange, rest: Remainder): void {
  const response = newResponse(request, {});
  const exchange = new Exchange(request, response);
  replay(server, socket, exchange, { ...rest, receiving: exchange });
  untold(() => response.emit('finish'));
}

/** All requests have been answered: node's parser and server rest as after one of them. */
function replayRest(server: ServerWithFields, socket: ServedSocket, rest: Remainder): void {
  const request = newRequest(socket);
  Object.assign(request, { method: 'GET', rawHeaders: ['Host', 'x'], httpVersionMinor: 1, complete: true });
  replayAnswered(server, socket, new Exchange(request, undefined as never), { ...rest, bodySeen: 0 });
  const parser = socket.parser as { incoming?: unknown } | null;
  if (parser?.incoming === request) parser.incoming = null;
}

function lengthOf({ headers }: Incoming): number {
  return Number(headers['content-length'] ?? 0);
}

/** The kernel has taken a response that was written whole. */
function finishWhole(response: Outgoing, error: Error | null): void {
  const calls = tellingAll(settleEnd(response, error), error);
  if (error === null) calls.push(() => response.emit('finish'));
  tellEach(calls);
}

/** As node's parser reads from a handle: ticks run after each piece of a body, and after trailers. */
function giveOn(socket: ServedSocket, packet: Buffer): void {
  const { parser, _connection: connection } = socket;
  if (parser === null) return;
  const ticks = socket._parserTicks;
  const { kOnBody, kOnHeaders, kOnHeadersComplete } = parserFacts().parserClass;
  const onBody = parser[kOnBody] as ParserCallbacks['onBody'];
  const onHeaders = parser[kOnHeaders] as ParserCallbacks['onHeaders'];
  const onHeadersComplete = parser[kOnHeadersComplete] as ParserCallbacks['onHeadersComplete'];
  parser[kOnHeadersComplete] = function (this: NodeParser, ...told: Parameters<typeof onHeadersComplete>) {
    // The previous response finishes in a tick, as in node: a program that closes in a later one sends both.
    if (ticks === undefined && socket._httpMessage) process.nextTick(tellWritten, socket);
    return onHeadersComplete.apply(this, told);
  };
  parser[kOnBody] = function (this: NodeParser, piece: Buffer) {
    // An exception still stops the parser.
    if (
      !runsWell(socket, () => {
        onBody.call(this, piece);
      })
    )
      throw REPORTED;
  };
  parser[kOnHeaders] = function (this: NodeParser, headers: string[], target: string) {
    runsWell(socket, () => {
      onHeaders.call(this, headers, target);
    });
  };
  readableState(socket).dataEmitted = true;
  const reader = connection?.reader;
  if (connection !== undefined) connection.reader = AMID_READ;
  if (ticks !== undefined) ticks.isWithinRead = true;
  try {
    // Not emitted: what the program has added within this read hears of the next one only.
    socket._feed?.(packet);
  } catch (error) {
    if (error !== REPORTED) throw error;
  } finally {
    parser[kOnBody] = onBody;
    parser[kOnHeaders] = onHeaders;
    parser[kOnHeadersComplete] = onHeadersComplete;
    if (connection !== undefined) connection.reader = reader;
    if (ticks !== undefined) ticks.isWithinRead = false;
  }
}

/** Makes the call, and runs ticks until they write nothing more. Returns false if anything was thrown, and reported. */
function runsWell(socket: ServedSocket, call: () => void): boolean {
  const before = reports;
  try {
    call();
    do runTicks();
    while (tellWritten(socket));
  } catch (error) {
    report(error);
  }
  return reports === before;
}

/** Calls the callbacks of writes that the kernel has taken. Returns false if there are none. */
function tellWritten({ _connection: connection }: ServedSocket): boolean {
  if (connection?.awaitingFlush !== true) return false;
  connection.flush();
  if (connection.blocked || connection.failed) return false;
  connection.awaitingFlush = false;
  connection.onFlushed();
  return true;
}

/** The first bytes of what the parser is given next have been read: its results count from the first byte all the same. */
function skipOnce(parser: NodeParser, offset: number): void {
  const { execute } = parser;
  parser.execute = (packet) => {
    parser.execute = execute;
    // Before: a callback that is given the whole packet may detach it.
    const length = packet.length - offset;
    const taken = resultAsOfHandle(parser, execute.call(parser, packet.subarray(offset)), length);
    if (typeof taken === 'number') return offset + taken;
    taken.bytesParsed += offset;
    return taken;
  };
}

/** `keeps`: as if another request may follow. */
function headOf({ rawHeaders, method, httpVersionMinor }: Incoming, keeps: boolean): Buffer {
  let text = `${String(method)} / HTTP/1.${keeps ? '1' : String(httpVersionMinor)}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = String(rawHeaders[i]);
    if (!keeps || name.toLowerCase() !== 'connection') text += `${name}: ${String(rawHeaders[i + 1])}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, 'latin1');
}

const REQUEST_FIELDS = ['url', 'method', 'upgrade', 'httpVersion', 'httpVersionMajor', 'httpVersionMinor'] as const;

/** What node sets in the objects as it makes them has long been set, and may have been changed since. */
function keeping(request: Incoming, response: Outgoing, act: () => void): void {
  const message = request as unknown as Record<string, unknown>;
  const kept = REQUEST_FIELDS.map((name) => message[name]);
  const { complete } = request;
  const { shouldKeepAlive, maxRequestsOnConnectionReached } = response;
  const shadowed = { _addHeaderLines: nothing, push: nothing };
  Object.assign(request, shadowed);
  Object.assign(response, { _finish: nothing });
  try {
    act();
  } finally {
    for (const name of Object.keys(shadowed)) Reflect.deleteProperty(request, name);
    Reflect.deleteProperty(response, '_finish');
    REQUEST_FIELDS.forEach((name, i) => (message[name] = kept[i]));
    request.complete = complete;
    Object.assign(response, { shouldKeepAlive, maxRequestsOnConnectionReached });
  }
}

function nothing(): boolean {
  return true;
}
