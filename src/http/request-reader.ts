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
import type { Engine } from '../engine.js';
import { requestTimeoutError } from '../errors.js';
import { RequestHead } from '../native.js';
import { setAfterConnection } from '../net/server-listener.js';
import type { SocketWire } from '../net/socket-wire.js';
import { nodeHttp } from '../node-modules.js';
import { runTicks } from '../run-ticks.js';
import { getEngine } from '../thread-engine.js';
import {
  cutShortError,
  studyParser,
  type NodeParser,
  type ParseError,
  type ParserCallbacks,
  type ParserFacts,
} from './node-parser.js';

const READER = Symbol('reader');

/** Reads of a connection that are node's in any case: what ends after one request has no use for more than its parser. */
const READS_BY_NODE = 2;

/** What no parser takes for the beginning of a request. */
const NO_REQUEST = Buffer.from([0]);

/** Stands for bytes that a parser counts without looking at them: memory that is never touched costs nothing. */
let unread: Buffer | undefined;
const UNREAD_BYTES = 1024 * 1024;

interface ServedSocket extends net.Socket {
  parser?: NodeParser | null;
  server?: http.Server;
  readonly _wire?: SocketWire;
  [READER]?: RequestReader;
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

export class RequestReader {
  /** Of this connection's server: the parser may be given to another one, and the socket to a client. */
  readonly onIncoming: NodeParser['onIncoming'];
  private reads = 0;
  /** node's parser is within a message. Unknown at first, and then taken to be so until it has completed one. */
  private inMessage = true;
  /** Bytes of a plain request's body that are still to come. */
  private bodyLeft = 0;
  /** Of the message that node's parser is within: how much of its body has come. */
  private bodyOf: http.IncomingMessage | null = null;
  private bodySeen = 0;
  /** A listener has thrown: what it left unread of that chunk is lost, and so, as in node's parser, the connection. */
  private broken = false;
  /** The async context in which the parser calls back. */
  private scope: AsyncResource | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly means: Means;
  private readonly parser: NodeParser;
  private readonly socket: ServedSocket;
  private longestHead = 0;

  constructor(means: Means, parser: NodeParser, socket: ServedSocket) {
    this.means = means;
    this.parser = parser;
    this.socket = socket;
    this.onIncoming = parser.onIncoming;
  }

  execute(chunk: Buffer): number | ParseError {
    const { scope } = this;
    if (this.inMessage || scope === undefined) {
      if (this.reads < READS_BY_NODE && ++this.reads === READS_BY_NODE) this.follow();
      return this.executeByNode(chunk, 0);
    }
    if (this.broken) return this.means.facts.execute.call(this.parser, NO_REQUEST);
    this.broken = true;
    const at = scope.runInAsyncScope(readPlain, undefined, this, chunk);
    this.broken = false;
    if (this.bodyLeft > 0) this.startTimer();
    return at === chunk.length ? at : this.executeByNode(chunk, at);
  }

  /** From here on it is known where messages begin and end. */
  private follow(): void {
    const { parser } = this;
    const { kOnMessageBegin, kOnMessageComplete } = this.means.facts.parserClass;
    parser[kOnMessageBegin] = onMessageBegin;
    parser[kOnMessageComplete] = onMessageComplete;
    const { maxHeaderSize } = (this.socket.server ?? {}) as { maxHeaderSize?: number };
    this.longestHead = maxHeaderSize || nodeHttp.maxHeaderSize;
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
    this.settle();
    if (this.bodyLeft === 0) {
      this.stopTimer();
      means.onMessageComplete.call(parser);
    }
    return end;
  }

  /**
   * Ticks run, and what they answer is sent, which lets the next answer out. Not while the socket holds more data: a tick
   * could have it given to the parser, which is not through with this one.
   */
  settle(): void {
    if (this.socket.readableLength > 0 || this.socket._wire?.holdsUnread) return;
    do runTicks();
    while (this.means.engine.settleNow());
  }

  private executeByNode(chunk: Buffer, start: number): number | ParseError {
    const taken = this.means.facts.execute.call(this.parser, start === 0 ? chunk : chunk.subarray(start));
    if (typeof taken === 'number') return start + taken;
    taken.bytesParsed += start;
    return taken;
  }

  /** What node's parser has told of a body. */
  countBody(length: number): void {
    const { incoming } = this.parser;
    if (this.bodyOf !== incoming) this.bodySeen = 0;
    this.bodyOf = incoming;
    this.bodySeen += length;
  }

  /** Bytes of this message's body that have not been read here; 0 where that is not known. */
  leftOf(message: http.IncomingMessage): number {
    const { parser, bodyLeft } = this;
    if (parser.incoming !== message || message.complete) return 0;
    if (bodyLeft > 0) return bodyLeft;
    const { 'content-length': length, 'transfer-encoding': coding } = message.headers;
    if (length === undefined || coding !== undefined) return 0;
    return Number(length) - (this.bodyOf === message ? this.bodySeen : 0);
  }

  /**
   * So many bytes of the body have gone another way than through here. node's parser does no more than count those of a
   * body, and is given as many others. Not to be called from within a parser's callback.
   */
  skipBody(length: number): void {
    const { facts, onMessageComplete } = this.means;
    if (this.bodyLeft > 0) {
      this.bodyLeft -= length;
      if (this.bodyLeft > 0) return;
      this.stopTimer();
      this.scope?.runInAsyncScope(onMessageComplete, this.parser);
      return;
    }
    const { parser } = this;
    const { kOnBody } = facts.parserClass;
    parser[kOnBody] = null;
    this.countBody(length);
    unread ??= Buffer.alloc(UNREAD_BYTES);
    for (let left = length; left > 0; left -= UNREAD_BYTES) facts.execute.call(parser, unread.subarray(0, left));
    parser[kOnBody] = onBody;
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
    this.socket.once('close', stopTimer);
  }

  stopTimer(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.socket.removeListener('close', stopTimer);
  }
}

function stopTimer(this: ServedSocket): void {
  this[READER]?.stopTimer();
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

/** Of the connection that this parser reads now; undefined if that is a client's, or not one of ours. */
function readerOf(parser: NodeParser): RequestReader | undefined {
  const socket: ServedSocket | null = parser.socket;
  const reader = socket?.[READER];
  return reader !== undefined && reader.onIncoming === parser.onIncoming ? reader : undefined;
}

/** Who reads this request's body, if it is being read on a connection of ours. */
export function readerOfBody({ socket }: http.IncomingMessage): RequestReader | undefined {
  const { parser } = socket as ServedSocket;
  return parser ? readerOf(parser) : undefined;
}

/** In the place of a parser's own `execute`. */
function execute(this: NodeParser, chunk: Buffer): number | ParseError {
  const reader = readerOf(this);
  return reader === undefined ? (means as Means).facts.execute.call(this, chunk) : reader.execute(chunk);
}

function finish(this: NodeParser): ParseError | undefined {
  const reader = readerOf(this);
  return reader === undefined ? (means as Means).facts.finish.call(this) : reader.finish();
}

function onMessageBegin(this: NodeParser): void {
  readerOf(this)?.messageBegins();
}

/**
 * node's parser has ticks run behind each piece of a body that it has read from a handle. Fed by 'data' events it is not
 * the outermost that calls back, and leaves them: requests behind that body in the same read would be told of too early.
 */
function onBody(this: NodeParser, body: Buffer): void {
  const reader = readerOf(this);
  reader?.countBody(body.length);
  (means as Means).onBody.call(this, body);
  reader?.settle();
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
  socket[READER] = new RequestReader(means, parser, socket);
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
