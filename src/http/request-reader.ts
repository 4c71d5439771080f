/**
 * Reads plain HTTP/1.1 requests in the place of node's parser, and has node's own server code make of them what it makes
 * of that parser's: the same functions are called with the same arguments, in the same order.
 *
 * node's parser costs about a microsecond a request, and copies every body. This one has the addon find the parts of a
 * head (native/request_head.h), and gives bodies on as the views that the socket has read. It takes part in a connection
 * from its third read on, when that has shown itself to be kept alive, and only where a message begins: a request that
 * is not plain, or whose head is not all there, is node's parser's, from its first byte to its last.
 *
 * The parser keeps what it had besides: the connection's place in its server's list, and so `headersTimeout`, for the
 * messages that it reads.
 */
import { AsyncResource } from 'node:async_hooks';
import type * as http from 'node:http';
import type * as net from 'node:net';
import { clearTimeout, setTimeout } from 'node:timers';
import { getEngine, runTicks, type Engine } from '../engine.js';
import { requestTimeoutError } from '../errors.js';
import { RequestHead } from '../native.js';
import { setAfterConnection } from '../net/listen.js';
import { nodeHttp } from '../node-modules.js';
import {
  cutShortError,
  studyParser,
  type NodeParser,
  type ParseError,
  type ParserCallbacks,
  type ParserFacts,
} from './node-parser.js';

const READER = Symbol('reader');

/** Connections that have brought nothing yet, and those that may never bring more than one request. */
const UNREAD = Symbol('unread');
const READ_ONCE = Symbol('read once');

interface ServedSocket extends net.Socket {
  parser?: NodeParser | null;
  server?: http.Server;
  [READER]?: RequestReader | typeof UNREAD | typeof READ_ONCE;
}

/** A Buffer's own decoder, without the checks of toString(). */
interface RawReads {
  latin1Slice(start: number, end: number): string;
}

/** What all readers of a thread share. */
interface Means {
  readonly facts: ParserFacts;
  readonly engine: Engine;
  readonly head: Int32Array;
  readonly onBody: ParserCallbacks['onBody'];
  readonly onMessageComplete: ParserCallbacks['onMessage'];
}

let means: Means | undefined;
/** This node's parser is not the one that we know. */
let foreign = false;

class RequestReader {
  /** node's parser is within a message. Unknown at first, and then taken to be so until it has completed one. */
  private inMessage = true;
  /** Bytes of a plain request's body that are still to come. */
  private bodyLeft = 0;
  /** The async context in which the parser calls back. */
  private scope: AsyncResource | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly means: Means;
  private readonly parser: NodeParser;
  private readonly socket: ServedSocket;
  private readonly longestHead: number;

  constructor(means: Means, parser: NodeParser, socket: ServedSocket) {
    this.means = means;
    this.parser = parser;
    this.socket = socket;
    const { maxHeaderSize } = (socket.server ?? {}) as { maxHeaderSize?: number };
    this.longestHead = maxHeaderSize || nodeHttp.maxHeaderSize;
  }

  execute(chunk: Buffer): number | ParseError {
    const { scope } = this;
    if (this.inMessage || scope === undefined) return this.executeByNode(chunk, 0);
    const at = scope.runInAsyncScope(readPlain, undefined, this, chunk);
    if (this.bodyLeft > 0) this.startTimer();
    return at === chunk.length ? at : this.executeByNode(chunk, at);
  }

  /** Answers where something begins that is not plain, or the end. */
  readPlain(chunk: Buffer): number {
    const { native } = this.means.engine;
    let at = 0;
    while (at < chunk.length) {
      if (this.bodyLeft > 0) {
        at = this.readBody(chunk, at);
        continue;
      }
      const length = native.scanRequest(chunk, at);
      if (length === 0 || length > this.longestHead) return at;
      this.readHead(chunk, at, length);
      at += length;
    }
    return at;
  }

  private readHead(chunk: Buffer, start: number, length: number): void {
    const { facts, head } = this.means;
    const text = (chunk as Buffer & RawReads).latin1Slice(start, start + length);
    const headers: string[] = [];
    const end = RequestHead.Headers + 4 * (head[RequestHead.HeaderCount] as number);
    for (let word: number = RequestHead.Headers; word < end; word += 2) {
      headers.push(text.slice(head[word], head[word + 1]));
    }
    const target = text.slice(head[RequestHead.TargetStart], head[RequestHead.TargetEnd]);
    const method = facts.methods[head[RequestHead.Method] as number] as number;
    const bodyLength = Math.max(0, head[RequestHead.ContentLength] as number);
    this.bodyLeft = bodyLength;
    const { parser } = this;
    const onHeadersComplete = parser[facts.parserClass.kOnHeadersComplete] as ParserCallbacks['onHeadersComplete'];
    onHeadersComplete.call(parser, 1, 1, headers, method, target, undefined, undefined, false, true);
    if (bodyLength === 0) this.means.onMessageComplete.call(parser);
  }

  private readBody(chunk: Buffer, start: number): number {
    const { parser, means } = this;
    const end = Math.min(chunk.length, start + this.bodyLeft);
    this.bodyLeft -= end - start;
    const body = end - start === chunk.length ? chunk : chunk.subarray(start, end);
    means.onBody.call(parser, body);
    settle(means);
    // The connection may have been closed by now, and the parser given to another one.
    if (parser.socket !== this.socket) return chunk.length;
    if (this.bodyLeft === 0) {
      this.stopTimer();
      means.onMessageComplete.call(parser);
    }
    return end;
  }

  private executeByNode(chunk: Buffer, start: number): number | ParseError {
    const taken = this.means.facts.execute.call(this.parser, start === 0 ? chunk : chunk.subarray(start));
    if (typeof taken === 'number') return start + taken;
    taken.bytesParsed += start;
    return taken;
  }

  finish(): ParseError | undefined {
    const { facts } = this.means;
    return this.bodyLeft > 0 ? cutShortError(facts) : facts.finish.call(this.parser);
  }

  messageBegins(): void {
    this.inMessage = true;
    // Made here, within a call of the parser's: what comes next is to run in the same context.
    this.scope ??= new AsyncResource('HTTPINCOMINGMESSAGE');
  }

  messageIsComplete(): void {
    this.inMessage = false;
  }

  /** A body that is not all there: the server's patience with it, which node counts in its parser. */
  private startTimer(): void {
    const { requestTimeout = 0 } = this.socket.server ?? {};
    if (this.timer !== undefined || requestTimeout === 0) return;
    this.timer = setTimeout(expire, requestTimeout, this.socket).unref();
    this.socket.once('close', this.stopTimer);
  }

  private readonly stopTimer = (): void => {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.socket.removeListener('close', this.stopTimer);
  };
}

function readPlain(reader: RequestReader, chunk: Buffer): number {
  return reader.readPlain(chunk);
}

/** Has node's server do what it does when its parser has waited for too long: that is in its listener of 'error'. */
function expire(socket: net.Socket): void {
  const error = requestTimeoutError();
  const listener = socket.listeners('error').find(({ name }) => name === 'socketOnError');
  if (listener === undefined) socket.destroy(error);
  else listener.call(socket, error);
}

/** In the place of a parser's own `execute`. */
function execute(this: NodeParser, chunk: Buffer): number | ParseError {
  const shared = means as Means;
  const socket: ServedSocket | null = this.socket;
  if (socket !== null) {
    const reader = socket[READER];
    if (reader instanceof RequestReader) return reader.execute(chunk);
    if (reader === UNREAD) socket[READER] = READ_ONCE;
    else if (reader === READ_ONCE) follow(this, socket, shared);
  }
  return shared.facts.execute.call(this, chunk);
}

function finish(this: NodeParser): ParseError | undefined {
  const reader = readerOf(this);
  return reader === undefined ? (means as Means).facts.finish.call(this) : reader.finish();
}

/** From here on it is known where messages begin and end. */
function follow(parser: NodeParser, socket: ServedSocket, shared: Means): void {
  const { kOnMessageBegin, kOnMessageComplete } = shared.facts.parserClass;
  socket[READER] = new RequestReader(shared, parser, socket);
  parser[kOnMessageBegin] = onMessageBegin;
  parser[kOnMessageComplete] = onMessageComplete;
}

function readerOf(parser: NodeParser): RequestReader | undefined {
  const socket: ServedSocket | null = parser.socket;
  const reader = socket?.[READER];
  return reader instanceof RequestReader ? reader : undefined;
}

function onMessageBegin(this: NodeParser): void {
  readerOf(this)?.messageBegins();
}

/**
 * node's parser has ticks run behind each piece of a body that it has read from a handle. Fed by 'data' events it is not
 * the outermost that calls back, and leaves them: requests behind that body in the same read would be told of too early.
 */
function onBody(this: NodeParser, body: Buffer): void {
  const socket: ServedSocket | null = this.socket;
  (means as Means).onBody.call(this, body);
  if (socket?.[READER] !== undefined) settle(means as Means);
}

/** Ticks run, and what they answer is sent, which lets the next answer out. */
function settle({ engine }: Means): void {
  do runTicks();
  while (engine.settleNow());
}

function onMessageComplete(this: NodeParser): void {
  readerOf(this)?.messageIsComplete();
  (means as Means).onMessageComplete.call(this);
}

/**
 * A server that closes takes a connection for idle whose answer has ended, though the next may be waiting for it to be
 * sent. What is to be sent at the end of the turn is sent before it looks.
 */
function finishBeforeClosing(server: http.Server, { engine }: Means): void {
  if (Object.hasOwn(server, 'closeIdleConnections')) return;
  server.closeIdleConnections = function closeIdleConnections() {
    engine.settleNow();
    (Object.getPrototypeOf(server) as http.Server).closeIdleConnections.call(server);
  };
}

function learn(parser: NodeParser): Means | undefined {
  const engine = getEngine();
  const facts = studyParser(parser.constructor);
  if (facts === undefined || engine === undefined) return undefined;
  const { kOnBody, kOnMessageComplete } = facts.parserClass;
  return {
    facts,
    engine,
    head: engine.native.layout.requestHead,
    onBody: parser[kOnBody] as ParserCallbacks['onBody'],
    onMessageComplete: parser[kOnMessageComplete] as ParserCallbacks['onMessage'],
  };
}

/** node's server has taken the socket: its parser stands ready. */
function readRequests(socket: ServedSocket): void {
  const { parser } = socket;
  if (!parser || foreign) return;
  means ??= learn(parser);
  if (means === undefined) {
    foreign = true;
    return;
  }
  socket[READER] = UNREAD;
  if (socket.server !== undefined) finishBeforeClosing(socket.server, means);
  // Parsers are used again for other connections.
  if (parser.execute === execute) return;
  parser.execute = execute;
  parser.finish = finish;
  parser[means.facts.parserClass.kOnBody] = onBody;
}

/** Has node's http servers read requests this way on native sockets. */
export function installRequestReader(): void {
  setAfterConnection(readRequests);
}
