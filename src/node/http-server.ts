/** What node's own server code looks up in an `http.Server`, under symbols that it does not export. */
import * as diagnostics from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type * as http from 'node:http';
import type * as net from 'node:net';
import { Duplex } from 'node:stream';
import { emitsAsNode } from './is-heard.js';
import { nodeHttp } from '../runtime/http.js';
import type { NodeParser, ParserFacts } from './http-parser.js';

/** The fields of http.Server that its types leave out. */
export interface HttpServerFields {
  readonly maxHeaderSize?: number | undefined;
  readonly insecureHTTPParser?: boolean | undefined;
  /** From node 24 on. */
  readonly httpValidation?: string | undefined;
  readonly joinDuplicateHeaders?: boolean | undefined;
  readonly rejectNonStandardBodyWrites?: boolean | undefined;
  readonly requireHostHeader?: boolean | undefined;
  /** Milliseconds. */
  readonly connectionsCheckingInterval?: number | undefined;
  /** Not in node 20. Milliseconds. */
  readonly keepAliveTimeoutBuffer?: number | undefined;
  /** Node's types leave it out. */
  readonly httpAllowHalfOpen: boolean;
  readonly highWaterMark?: number | undefined;
}

export type ServerWithFields = http.Server & HttpServerFields;

type ConnectionListener = (this: http.Server, socket: net.Socket) => void;
type ErrorListener = (this: net.Socket, error: Error) => void;

interface Facts {
  /** Node's own listener of 'connection', which gives the socket a parser. */
  readonly connectionListener: ConnectionListener;
  /** Its listener of a socket's 'error', which it also calls by itself: with what its parser says, and for what is late. */
  readonly errorListener: ErrorListener;
  /** Node's own class, which no module exports. */
  readonly parserClass: ParserFacts['parserClass'];
  readonly requestClass: symbol;
  readonly responseClass: symbol;
  readonly uniqueHeaders: symbol;
  /** Not in node 20 and 22. */
  readonly optimizeEmptyRequests: symbol | undefined;
}

function study(): Facts | undefined {
  const server = new nodeHttp.Server();
  const symbols = Object.getOwnPropertySymbols(server);
  const find = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [connectionListener] = server.listeners('connection') as ConnectionListener[];
  const requestClass = find('IncomingMessage');
  const responseClass = find('ServerResponse');
  const uniqueHeaders = find('kUniqueHeaders');
  if (connectionListener === undefined || requestClass === undefined) return undefined;
  if (responseClass === undefined || uniqueHeaders === undefined) return undefined;
  const socket = new Duplex({ read: nothing, write: nothing }) as Duplex & { parser?: NodeParser | null };
  untold(() => {
    // Not by an event: a program may have replaced `emit`.
    connectionListener.call(server, socket as unknown as net.Socket);
  });
  const [errorListener] = socket.listeners('error') as ErrorListener[];
  const parserClass = socket.parser?.constructor;
  socket.destroy();
  if (errorListener === undefined || parserClass === undefined) return undefined;
  return {
    connectionListener,
    errorListener,
    parserClass,
    requestClass,
    responseClass,
    uniqueHeaders,
    optimizeEmptyRequests: find('OptimizeEmptyRequestsOption'),
  };
}

function nothing(): void {
  // It is never read or written.
}

/** null: this node's servers are not as expected. */
let found: Facts | null | undefined;

/** Undefined if this node's servers are not as expected. */
export function httpServerFacts(): Facts | undefined {
  found ??= study() ?? null;
  return found ?? undefined;
}

function facts(): Facts {
  return found as Facts;
}

type Keyed = Record<symbol, unknown>;

/** The class of a server's requests: of its options, or node's own. */
export function requestClassOf(server: http.Server): unknown {
  return (server as unknown as Keyed)[facts().requestClass];
}

export function responseClassOf(server: http.Server): unknown {
  return (server as unknown as Keyed)[facts().responseClass];
}

/** Copies the names whose values are joined into one line. */
export function giveUniqueHeaders(server: http.Server, response: object): void {
  const { uniqueHeaders } = facts();
  (response as Keyed)[uniqueHeaders] = (server as unknown as Keyed)[uniqueHeaders];
}

/** As of a server without such names. */
export function giveNoUniqueHeaders(response: object): void {
  (response as Keyed)[facts().uniqueHeaders] = null;
}

export function hasUniqueHeaders(response: object): boolean {
  return Boolean((response as Keyed)[facts().uniqueHeaders]);
}

/** Whether it ends requests without a body before their listeners are called. */
export function dropsEmptyBodies(server: http.Server): boolean {
  const { optimizeEmptyRequests } = facts();
  return optimizeEmptyRequests !== undefined && (server as unknown as Keyed)[optimizeEmptyRequests] === true;
}

/** The listener of 'connection', or the list of them: the field of EventEmitter, as this is looked up per request. */
function connectionListeners(server: http.Server): unknown {
  return (server as unknown as { _events: { connection?: unknown } })._events.connection;
}

/** The listener of 'request', or the list of them; as this is looked up per request, too. */
export function requestListener(server: EventEmitter): unknown {
  return (server as unknown as { _events: { request?: unknown } })._events.request;
}

/** Whether 'connection' has no listener but the server's own, which is node's. */
export function listensAlone(server: http.Server, own: ConnectionListener = facts().connectionListener): boolean {
  return connectionListeners(server) === own;
}

/** Whether the server's own listener of 'connection' is the first. */
export function listensFirst(server: http.Server, own: ConnectionListener = facts().connectionListener): boolean {
  const found = connectionListeners(server);
  return (Array.isArray(found) ? (found[0] as unknown) : found) === own;
}

/** Puts this in the place of node's own listener of 'connection'. Returns false if there is none. */
export function replaceConnectionListener(server: http.Server, listener: ConnectionListener): boolean {
  const own = httpServerFacts()?.connectionListener;
  if (own === undefined || !server.listeners('connection').includes(own)) return false;
  server.removeListener('connection', own);
  server.prependListener('connection', listener);
  return true;
}

/** The listeners of 'connection' after the server's own. */
export function otherConnectionListeners(server: http.Server): ConnectionListener[] {
  return server.rawListeners('connection').slice(1) as ConnectionListener[];
}

/**
 * A server that was just made no longer speaks HTTP: node gives its connections no parser, and has no list of them to
 * check. Its only listeners of these events are those that do that.
 */
export function leaveConnections(server: http.Server): void {
  server.removeAllListeners('connection').removeAllListeners('listening');
}

/** Has node serve the socket with its own parser. */
export function serveByNode(server: http.Server, socket: net.Socket): void {
  facts().connectionListener.call(server, socket);
}

/** Has node's server refuse a connection that it serves, whatever has become of its listener. */
export function refuseByNode(socket: net.Socket, error: Error): void {
  facts().errorListener.call(socket, error);
}

type Expired = (headersTimeout: number, requestTimeout: number) => object[];

/** Node's own list of the parsers of a server's connections; undefined before it has listened, or if there is none. */
function parserList(server: http.Server): { expired?: Expired } | undefined {
  const name = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'http.server.connections',
  );
  return name === undefined ? undefined : ((server as unknown as Keyed)[name] as { expired?: Expired } | undefined);
}

/**
 * The server refuses none of these parsers' connections by its own clock. Call it with the same function for a server
 * each time. (A parser that is removed from the list reads nothing more, from Node 24 on.)
 */
export function exceptFromExpiry(server: http.Server, isExcepted: (parser: object) => boolean): void {
  const list = parserList(server);
  const expired = list?.expired;
  if (list === undefined || expired === undefined || Object.hasOwn(list, 'expired')) return;
  list.expired = (...limits) => expired.apply(list, limits).filter((parser) => !isExcepted(parser));
}

/** As after the first 'error' of a socket that node's server serves: it ignores further ones. */
export function ignoreErrors(socket: net.Socket): void {
  socket.removeListener('error', facts().errorListener);
  socket.on('error', nothing);
}

/**
 * While `act` runs, node makes no request and no response for this server, but is given these; and their events are not
 * emitted.
 */
export function withMessages(server: http.Server, request: object, response: object, act: () => void): void {
  const { requestClass, responseClass } = facts();
  const restore = [
    shadow(server, requestClass, givesBack(request)),
    shadow(server, responseClass, givesBack(response)),
    // They have passed these checks.
    shadow(server, 'requireHostHeader', false),
    shadow(server, 'maxRequestsPerSocket', 0),
    silence(server),
  ];
  try {
    untold(act);
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

/** Gives the object another value of its own, whatever a program has defined there. Returns what undoes that. */
function shadow(object: object, name: string | symbol, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  const fields = object as Record<string | symbol, unknown>;
  if (before?.writable === true) {
    fields[name] = value;
    return () => {
      fields[name] = before.value;
    };
  }
  Object.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, name);
    else Object.defineProperty(object, name, before);
  };
}

const NO_LISTENERS = Object.freeze(Object.create(null)) as object;

/**
 * Events of the server are not emitted. Where its `emit` is node's, it has no listeners for a while: V8 makes a dictionary
 * of an object that is given a field and loses it.
 */
function silence(server: http.Server): () => void {
  const emitter = server as http.Server & { _events: object };
  if (!emitsAsNode(emitter)) return shadow(server, 'emit', () => true);
  const { _events: events } = emitter;
  emitter._events = NO_LISTENERS;
  return () => {
    emitter._events = events;
  };
}

/** That of a channel without subscribers. */
const silent = Object.getPrototypeOf(diagnostics.channel(Symbol('nearwire:silent'))) as object;
const CHANNELS = ['http.server.request.start', 'http.server.response.finish'].map((name) => diagnostics.channel(name));

/** Makes the call without telling the subscribers of node:http's channels: what it does has happened before. */
export function untold(call: () => void): void {
  // Node's channels, too, change their prototype with their first subscriber. A field of their own that is deleted would
  // leave them as dictionaries, in which each look takes eight nanoseconds.
  const told = CHANNELS.filter((channel) => channel.hasSubscribers);
  const prototypes = told.map((channel) => Object.getPrototypeOf(channel) as object);
  for (const channel of told) Object.setPrototypeOf(channel, silent);
  try {
    call();
  } finally {
    told.forEach((channel, i) => void Object.setPrototypeOf(channel, prototypes[i] ?? silent));
  }
}

let keepAliveBuffer: number | undefined;

/**
 * Milliseconds that node's server adds to its `keepAliveTimeout`. Newer nodes have them as a property; in others they are
 * found out by the first response of a server.
 */
export function keepAliveBufferOf({ keepAliveTimeoutBuffer }: ServerWithFields): number {
  return keepAliveTimeoutBuffer ?? (keepAliveBuffer ??= findKeepAliveBuffer());
}

const FIRST_REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n');

function findKeepAliveBuffer(): number {
  const server = new nodeHttp.Server();
  // As above: by no event.
  Object.assign(server, {
    emit: (_event: string, _request: http.IncomingMessage, response: http.ServerResponse) => response.emit('finish'),
  });
  const socket = new Duplex({ read: nothing, write: nothing }) as Duplex & {
    parser?: { execute(bytes: Buffer): unknown };
  };
  let timeout = 0;
  Object.assign(socket, { setTimeout: (milliseconds: number) => (timeout = milliseconds) });
  server.keepAliveTimeout = 1;
  untold(() => {
    serveByNode(server, socket as unknown as net.Socket);
    socket.parser?.execute(FIRST_REQUEST);
  });
  socket.destroy();
  return Math.max(0, timeout - server.keepAliveTimeout);
}

/** A constructor whose result is this object. */
function givesBack(object: object): unknown {
  return function Given() {
    return object;
  };
}
