/**
 * Reads plain HTTP/1.1 requests in the place of node's parser, and has node's own server code make of them what it makes
 * of that parser's: the same functions are called with the same arguments, in the same order.
 *
 * node's parser costs about a microsecond a request, and copies every body. This one has the addon find the parts of a
 * head (native/request_head.h), and gives on a body that came alone as what the socket has read. It takes part in a connection
 * from its third read on, when that has shown itself to be kept alive, and only where a message begins: a request that
 * is not plain, or whose head is not all there, is node's parser's, from its first byte to its last.
 *
 * The parser keeps what it had besides: the connection's place in its server's list, and so `headersTimeout`, for the
 * messages that it reads.
 */
import { AsyncResource } from 'node:async_hooks';
import type * as http from 'node:http';
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import { RequestHead } from '../binding/addon.js';
import { report, reports } from '../net/async-scopes.js';
import type { SocketConnection } from '../net/socket-connection.js';
import type { InPlaceReader } from '../net/connected-socket.js';
import { nodeHttp } from '../runtime/http.js';
import { copyOf } from '../memory/own-memory.js';
import { runTicks } from '../node/run-ticks.js';
import { BodyPatience } from './body-patience.js';
import { breakParser, cutShortError, type BreakingCallback } from './broken-parser.js';
import { isLoneHead } from './lone-head.js';
import type { NodeParser, ParseError, ParserCallbacks, ParserFacts } from '../node/http-parser.js';

export const READER = Symbol('reader');

/** Reads of a connection that are node's in any case: what ends after one request has no use for more than its parser. */
const READS_BY_NODE = 2;

/** Stands for bytes that a parser counts without looking at them: memory that is never touched costs nothing. */
let unread: Buffer | undefined;
const UNREAD_BYTES = 1024 * 1024;

/** Thrown when what a listener threw has been reported: it has the parser give up all the same. */
export const REPORTED = new Error('reported');

export interface ServedSocket extends net.Socket {
  parser?: NodeParser | null;
  server?: http.Server;
  readonly _connection?: SocketConnection;
  /** node:http's mark on a socket that rests because too many answers wait. */
  readonly _paused?: boolean;
  /** The answer that the socket sends now. */
  readonly _httpMessage?: http.ServerResponse | null;
  /** Of EventEmitter: the listener itself where there is only one. */
  readonly _events?: { readonly data?: unknown; readonly readable?: unknown };
  [READER]?: RequestReader;
}

/** A Buffer's own decoder, without the checks of toString(). */
interface RawReads {
  latin1Slice(start: number, end: number): string;
}

/** What all readers of a thread share. */
export interface Means {
  readonly facts: ParserFacts;
  readonly engine: Engine;
  readonly head: Int32Array;
  /** What a parser of node's server calls, and what one of ours calls in their place. */
  readonly nodes: ParserCallbacks;
  readonly ours: ParserCallbacks & { onMessageBegin(this: NodeParser): void };
}

export class RequestReader implements InPlaceReader {
  /** Of this connection's server: the parser may be given to another one, and the socket to a client. */
  readonly onIncoming: NodeParser['onIncoming'];
  isAmidRead = false;
  hasReadLast = false;
  private executions = 0;
  /**
   * node's parser is within a message, or has read the connection's last. Unknown at first, and then taken to be so until
   * it has completed one.
   */
  private inMessage = true;
  /** The message that node's parser is within leaves the connection open. */
  private keepsAlive = true;
  /** Bytes of a plain request's body that are still to come. */
  private bodyLeft = 0;
  /** Of the message that node's parser is within: how much of its body has come. */
  private bodyOf: http.IncomingMessage | null = null;
  private bodySeen = 0;
  /** Exceptions that have been reported. */
  private failures = 0;
  /** One of them has left the ticks of its read undone, as it does on node. */
  private ticksLeft = false;
  /** The async context in which the parser calls back. */
  private scope: AsyncResource | undefined;
  private patience: BodyPatience | undefined;
  private readonly means: Means;
  private readonly parser: NodeParser;
  private readonly socket: ServedSocket;
  /** The socket's listener of 'data' that gives the parser its bytes, if there is no other. */
  private readonly onData: unknown;
  private longestHead = 0;
  /** What has come of the chunk that the parser is given next. */
  private outcome: number | ParseError | undefined;

  constructor(means: Means, parser: NodeParser, socket: ServedSocket) {
    this.means = means;
    this.parser = parser;
    this.socket = socket;
    this.onIncoming = parser.onIncoming;
    this.onData = socket._events?.data;
  }

  execute(chunk: Buffer): number | ParseError {
    const { outcome, ticksLeft, socket } = this;
    if (outcome !== undefined) {
      this.outcome = undefined;
      return outcome;
    }
    this.ticksLeft = false;
    if (!ticksLeft) this.runOthersTicks();
    const owesFinish = !ticksLeft && socket._connection?.awaitingFlush === true;
    const taken = this.executeAll(chunk);
    if (owesFinish && typeof taken !== 'number') this.tellAllWritten();
    this.readOnBeforeTicks();
    return taken;
  }

  /** node reads on before it has the ticks run that an exception has left. What has been read already does so, too. */
  private readOnBeforeTicks(): void {
    if (!this.ticksLeft) return;
    const { socket } = this;
    const chunks = socket._connection?.open === true ? socket._connection.takeUnread() : [];
    for (const chunk of chunks) if (!socket.destroyed) socket.push(chunk);
    this.ticksLeft = false;
  }

  private executeAll(chunk: Buffer): number | ParseError {
    const { scope } = this;
    if (this.inMessage || scope === undefined) {
      if (this.executions < READS_BY_NODE && ++this.executions === READS_BY_NODE) this.follow();
      return this.executeByNode(chunk, 0);
    }
    // Read first: whoever is given all of it may detach it.
    const { length } = chunk;
    let at = length;
    try {
      at = scope.runInAsyncScope(readPlain, undefined, this, chunk);
    } catch (error) {
      if (error !== REPORTED) throw error;
    }
    if (this.bodyLeft > 0) this.awaitBody();
    return at === length ? at : this.executeByNode(chunk, at);
  }

  /**
   * The same without a chunk: takes what lies in this memory if that is one plain head, with all or some of its body or
   * none, or a part of a body, and nobody but the parser is to see it. The memory may be used again behind this call.
   * False: nothing has been done, and the stream is to be given a chunk.
   */
  takeInPlace(memory: Buffer, start: number, end: number): boolean {
    this.runOthersTicks();
    const { scope, socket } = this;
    if (!this.isOnlyReader) return false;
    if (this.executions < READS_BY_NODE) return this.lendHead(memory, start, end);
    if (this.inMessage || scope === undefined) return false;
    let headLength = 0;
    let most = this.bodyLeft;
    if (most === 0) {
      headLength = this.scan(memory, start, end);
      if (headLength === 0) return false;
      most = this.scannedBodyLength;
    }
    const bodyStart = start + headLength;
    if (end - bodyStart > most) return false;
    // Before the handler is called, which may turn the loop.
    const body = end > bodyStart ? copyOf(memory, bodyStart, end) : undefined;
    try {
      scope.runInAsyncScope(readMessage, undefined, this, memory, start, headLength, body);
    } catch (error) {
      if (error !== REPORTED) throw error;
    }
    if (this.bodyLeft > 0) this.awaitBody();
    // What node's listener of 'data' does behind its parser.
    if (this.rests) socket.parser?.pause();
    return true;
  }

  awaitsBody(length: number): boolean {
    return this.bodyLeft >= length;
  }

  /**
   * Has node's parser read a head that came alone where it lies. What it makes of that are strings; and behind the head, when
   * the handler is called and may turn the loop, there is nothing left for it to read.
   */
  private lendHead(memory: Buffer, start: number, end: number): boolean {
    const isStart = this.executions === 0 || !this.inMessage;
    if (!isStart || !isLoneHead(memory, start, end)) return false;
    const taken = this.execute(memory.subarray(start, end));
    const { parser } = this;
    // The handler may have turned the loop: the parser can be another connection's by now.
    if (typeof taken === 'number' && (!this.reads(parser) || isReadOn(parser.incoming))) {
      if (this.rests) this.socket.parser?.pause();
      return true;
    }
    // node's listener of 'data' has more to do about it.
    this.outcome = taken;
    return false;
  }

  /** The parser still has the socket, and is the only one to listen to its data. */
  get isOnlyReader(): boolean {
    const { socket, parser, onData } = this;
    const { data, readable } = socket._events ?? {};
    return (
      this.reads(parser) &&
      socket.parser === parser &&
      typeof onData === 'function' &&
      data === onData &&
      readable === undefined
    );
  }

  get rests(): boolean {
    return this.socket._paused === true;
  }

  /** This parser reads this connection now. */
  reads(parser: NodeParser): boolean {
    return parser.socket === this.socket && parser.onIncoming === this.onIncoming;
  }

  private awaitBody(): void {
    (this.patience ??= new BodyPatience(this.socket)).begin();
  }

  /** From here on it is known where messages begin and end. */
  private follow(): void {
    const { facts, ours } = this.means;
    this.parser[facts.parserClass.kOnMessageBegin] = ours.onMessageBegin;
    const { maxHeaderSize } = (this.socket.server ?? {}) as { maxHeaderSize?: number };
    this.longestHead = maxHeaderSize || nodeHttp.maxHeaderSize;
  }

  /** The length of the plain head at `start`, 0 if there is none. */
  private scan(memory: Buffer, start: number, end: number): number {
    const length = this.means.engine.native.scanRequest(memory, start, end);
    return length > this.longestHead ? 0 : length;
  }

  private get scannedBodyLength(): number {
    return Math.max(0, this.means.head[RequestHead.ContentLength] as number);
  }

  /** Answers where something begins that is not plain, or the end. */
  readPlain(chunk: Buffer): number {
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.bodyLeft > 0) {
        const bodyEnd = Math.min(end, at + this.bodyLeft);
        this.readBody(ownMemory(chunk, at, bodyEnd));
        at = bodyEnd;
        continue;
      }
      const length = this.scan(chunk, at, end);
      if (length === 0) return at;
      this.readHead(chunk, at, length);
      at += length;
    }
    return at;
  }

  /** What has been scanned. */
  readHead(memory: Buffer, start: number, length: number): void {
    const { facts, head } = this.means;
    const text = (memory as Buffer & RawReads).latin1Slice(start, start + length);
    const headers: string[] = [];
    const end = RequestHead.Headers + 4 * (head[RequestHead.HeaderCount] as number);
    for (let word: number = RequestHead.Headers; word < end; word += 2) {
      headers.push(text.slice(head[word], head[word + 1]));
    }
    const target = text.slice(head[RequestHead.TargetStart], head[RequestHead.TargetEnd]);
    const method = facts.methods[head[RequestHead.Method] as number] as number;
    this.bodyLeft = this.scannedBodyLength;
    this.beginMessage(headers, method, target);
    if (this.bodyLeft === 0) this.completeMessage();
  }

  private beginMessage(headers: string[], method: number, target: string): void {
    const { parser, means } = this;
    this.hastenAnswer();
    try {
      means.nodes.onHeadersComplete.call(parser, 1, 1, headers, method, target, undefined, undefined, false, true);
    } catch (error) {
      this.giveUp(error, 'kOnHeadersComplete');
    }
  }

  private completeMessage(): void {
    try {
      this.means.nodes.onMessageComplete.call(this.parser);
    } catch (error) {
      this.giveUp(error, 'kOnMessageComplete');
    }
  }

  /** The next bytes of a body, in memory of their own: programs may keep them, and give them to other threads. */
  readBody(body: Buffer): void {
    this.bodyLeft -= body.length;
    try {
      this.means.nodes.onBody.call(this.parser, body);
      this.runTicks();
    } catch (error) {
      this.giveUp(error, 'kOnBody');
    }
    if (this.bodyLeft > 0) return;
    this.patience?.end();
    this.completeMessage();
  }

  /**
   * node's parser has ticks run behind each piece of a body, before it reads on; and what they have answered is with the
   * kernel then, which lets the next answer out. Not while the socket holds more data: a tick could have it given to the
   * parser, which is not through with this one.
   */
  runTicks(): void {
    if (this.holdsMore) return;
    const { failures } = this;
    this.isAmidRead = true;
    try {
      do runTicks();
      while (this.tellWritten());
    } catch (error) {
      this.reportTick(error);
    } finally {
      this.isAmidRead = false;
    }
    if (this.failures !== failures) throw REPORTED;
  }

  private get holdsMore(): boolean {
    return this.socket.readableLength > 0 || this.socket._connection?.holdsUnread === true;
  }

  /**
   * Before a message is told of whose answer will wait for the one before it: that one finishes in a tick, as on node, and
   * not at the end of the turn, so that a program that closes in a later tick sends both.
   */
  hastenAnswer(): void {
    if (this.socket._httpMessage) process.nextTick(tellWritten, this);
  }

  /** Calls back for this connection's writes that the kernel has. False: there are none. */
  tellWritten(): boolean {
    const connection = this.socket._connection;
    if (connection?.awaitingFlush !== true) return false;
    connection.flush();
    if (connection.blocked || connection.failed) return false;
    connection.awaitingFlush = false;
    const before = reports;
    connection.onFlushed();
    this.failures += reports - before;
    return true;
  }

  /**
   * Before it is told what is wrong with a read: on node the answers to the reads before it have finished by then, each in
   * its turn, and what is wrong is answered.
   */
  private tellAllWritten(): void {
    while (this.tellWritten());
  }

  /**
   * A listener has thrown. That is reported where it happened: in its async context, and before a call returns that it
   * would disturb. What comes on this connection is lost, as it is to node's parser.
   */
  private giveUp(error: unknown, callback: BreakingCallback): never {
    const { means, parser } = this;
    this.bodyLeft = 0;
    this.patience?.end();
    this.report(error);
    if (this.reads(parser)) breakParser(means.facts, parser, callback);
    throw REPORTED;
  }

  /** For what node's parser has called: it breaks by itself. */
  report(error: unknown): void {
    if (error === REPORTED) return;
    this.ticksLeft = true;
    this.reportTick(error);
  }

  private reportTick(error: unknown): void {
    this.failures++;
    report(error);
  }

  /** An exception leaves ticks behind it, and what those throw is not this connection's. There are none, as a rule. */
  private runOthersTicks(): void {
    while (!this.holdsMore) {
      try {
        runTicks();
        return;
      } catch (error) {
        this.reportTick(error);
      }
    }
  }

  /** Where anything has been thrown, nobody hears of what the parser makes of the chunk. */
  private executeByNode(chunk: Buffer, start: number): number | ParseError {
    const { failures } = this;
    try {
      const taken = this.means.facts.execute.call(this.parser, start === 0 ? chunk : chunk.subarray(start));
      if (this.failures !== failures) return chunk.length;
      if (typeof taken === 'number') return start + taken;
      taken.bytesParsed += start;
      return taken;
    } catch (error) {
      if (error !== REPORTED) throw error;
      return chunk.length;
    }
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
    const { parser } = this;
    const { facts, nodes, ours } = this.means;
    if (this.bodyLeft > 0) {
      this.bodyLeft -= length;
      if (this.bodyLeft > 0) return;
      this.patience?.end();
      this.scope?.runInAsyncScope(nodes.onMessageComplete, parser);
      return;
    }
    const { kOnBody } = facts.parserClass;
    parser[kOnBody] = null;
    this.countBody(length);
    unread ??= Buffer.alloc(UNREAD_BYTES);
    for (let left = length; left > 0; left -= UNREAD_BYTES) this.executeByNode(unread.subarray(0, left), 0);
    parser[kOnBody] = ours.onBody;
  }

  finish(): ParseError | undefined {
    const { facts } = this.means;
    const error = this.bodyLeft > 0 ? cutShortError(facts) : facts.finish.call(this.parser);
    if (error !== undefined) this.tellAllWritten();
    return error;
  }

  messageBegins(): void {
    this.inMessage = true;
    // Made here, within a call of the parser's: what comes next is to run in the same context.
    this.scope ??= new AsyncResource('HTTPINCOMINGMESSAGE');
  }

  headIsComplete(keepsAlive: boolean): void {
    this.keepsAlive = keepsAlive;
  }

  /** node's parser refuses what comes behind a last message; and a trailer can say that it was the last. */
  messageIsComplete(): void {
    // Behind an upgrade comes another protocol.
    this.hasReadLast = !this.keepsAlive && isReadOn(this.parser.incoming);
    this.inMessage = !this.keepsAlive || this.parser._headers.length > 0;
    // A connection that rests keeps no message of its own.
    this.bodyOf = null;
  }
}

function readPlain(reader: RequestReader, chunk: Buffer): number {
  return reader.readPlain(chunk);
}

function tellWritten(reader: RequestReader): void {
  reader.tellWritten();
}

function readMessage(
  reader: RequestReader,
  memory: Buffer,
  start: number,
  headLength: number,
  body: Buffer | undefined,
): void {
  if (headLength > 0) reader.readHead(memory, start, headLength);
  if (body !== undefined) reader.readBody(body);
}

/** node's server has its parser read on behind this request's head: not where it becomes another protocol's. */
function isReadOn(incoming: (http.IncomingMessage & { upgrade?: unknown }) | null): boolean {
  return !incoming?.upgrade && incoming?.method !== 'PRI';
}

/** A part of a chunk, in memory that is no larger. */
function ownMemory(chunk: Buffer, start: number, end: number): Buffer {
  return end - start === chunk.buffer.byteLength ? chunk : copyOf(chunk, start, end);
}
