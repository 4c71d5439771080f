/**
 * Reads plain HTTP/1.1 requests in place of node's parser, and feeds them to node's own server code: it calls the same
 * functions with the same arguments, in the same order.
 *
 * Node's parser costs about a microsecond per request, and copies every body. Here, the addon finds the parts of the
 * headers (native/request_head.h), and a body that arrived alone is passed on in the socket's own chunk. The reader
 * takes part from the third read of a connection on, when that has proved to be kept alive, and only where a message
 * begins. A request that is not plain, or whose headers are incomplete, is left to node's parser, from its first byte
 * to its last.
 *
 * The parser keeps its other duties: the connection's place in its server's list, and thus `headersTimeout`, for the
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

/**
 * The first reads of a connection are always left to node: a connection that ends after one request needs only its
 * parser.
 */
const READS_BY_NODE = 2;

/** Stands for bytes that a parser counts without reading them: memory that is never touched costs nothing. */
let unread: Buffer | undefined;
const UNREAD_BYTES = 1024 * 1024;

/** Thrown after a listener's exception has been reported: it still stops the parser. */
export const REPORTED = new Error('reported');

export interface ServedSocket extends net.Socket {
  parser?: NodeParser | null;
  server?: http.Server;
  readonly _connection?: SocketConnection;
  /** node:http sets it to pause a socket on which too many responses wait. */
  readonly _paused?: boolean;
  /** The response that the socket is currently sending. */
  readonly _httpMessage?: http.ServerResponse | null;
  /** The field of EventEmitter: the listener itself if there is only one. */
  readonly _events?: { readonly data?: unknown; readonly readable?: unknown };
  [READER]?: RequestReader;
}

/** A Buffer's own decoder, without the checks of toString(). */
interface RawReads {
  latin1Slice(start: number, end: number): string;
}

/** State shared by all readers of a thread. */
export interface Means {
  readonly facts: ParserFacts;
  readonly engine: Engine;
  readonly head: Int32Array;
  /** The callbacks of node's server, and those that replace them in its parsers. */
  readonly nodes: ParserCallbacks;
  readonly ours: ParserCallbacks & { onMessageBegin(this: NodeParser): void };
}

export class RequestReader implements InPlaceReader {
  /**
   * The server's callback of this connection. It identifies the connection: the parser may be given to another one, and
   * the socket to a client.
   */
  readonly onIncoming: NodeParser['onIncoming'];
  isAmidRead = false;
  hasReadLast = false;
  private executions = 0;
  /**
   * Whether node's parser is within a message, or has read the connection's last. Unknown at first, and assumed true
   * until it has completed one.
   */
  private inMessage = true;
  /** Whether the message that node's parser is reading leaves the connection open. */
  private keepsAlive = true;
  /** Bytes of a plain request's body that have not arrived yet. */
  private bodyLeft = 0;
  /** The message that node's parser is reading, and how much of its body has arrived. */
  private bodyOf: http.IncomingMessage | null = null;
  private bodySeen = 0;
  /** Exceptions that have been reported. */
  private failures = 0;
  /** What it is given is the rest of a read, whose beginning others have looked at. */
  isWithinRead = false;
  /** One of them has left the ticks of its read unfinished, as it does in node. */
  private ticksLeft = false;
  /** The async context in which the parser calls back. */
  private scope: AsyncResource | undefined;
  private patience: BodyPatience | undefined;
  private readonly means: Means;
  private readonly parser: NodeParser;
  private readonly socket: ServedSocket;
  /** The socket's 'data' listener that feeds the parser, if there is no other. */
  private readonly onData: unknown;
  private longestHead = 0;
  /** The result for the chunk that the parser is given next. */
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
    if (!ticksLeft && !this.isWithinRead) this.runOthersTicks();
    const owesFinish = !ticksLeft && socket._connection?.awaitingFlush === true;
    const taken = this.executeAll(chunk);
    if (owesFinish && typeof taken !== 'number') this.tellAllWritten();
    this.readOnBeforeTicks();
    return taken;
  }

  /**
   * After an exception, node continues reading before it runs the ticks that are left. Data that has been read already
   * must come before them too.
   */
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
    // Read first: a callback that is given the whole chunk may detach it.
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
   * The same without a chunk: handles the bytes in this memory if they are one plain header block, with all or part of
   * its body or none, or a part of a body, and only the parser is to see them. The memory may be reused after this
   * call. Returns false if nothing was done; the stream must then be given a chunk.
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
    // Copied before the handler is called, which may run the event loop.
    const body = end > bodyStart ? copyOf(memory, bodyStart, end) : undefined;
    try {
      scope.runInAsyncScope(readMessage, undefined, this, memory, start, headLength, body);
    } catch (error) {
      if (error !== REPORTED) throw error;
    }
    if (this.bodyLeft > 0) this.awaitBody();
    // What node's 'data' listener does after its parser.
    if (this.rests) socket.parser?.pause();
    return true;
  }

  awaitsBody(length: number): boolean {
    return this.bodyLeft >= length;
  }

  /**
   * Makes node's parser read a header block that arrived alone in place. It keeps only strings; and after the headers,
   * when the handler is called and may run the event loop, it has nothing left to read.
   */
  private lendHead(memory: Buffer, start: number, end: number): boolean {
    const isStart = this.executions === 0 || !this.inMessage;
    if (!isStart || !isLoneHead(memory, start, end)) return false;
    const taken = this.execute(memory.subarray(start, end));
    const { parser } = this;
    // The handler may have run the event loop: the parser can belong to another connection by now.
    if (typeof taken === 'number' && (!this.reads(parser) || isReadOn(parser.incoming))) {
      if (this.rests) this.socket.parser?.pause();
      return true;
    }
    // Node's 'data' listener has more to do about it.
    this.outcome = taken;
    return false;
  }

  /** Whether the parser still has the socket, and is the only listener of its data. */
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

  /** Whether this parser currently reads this connection. */
  reads(parser: NodeParser): boolean {
    return parser.socket === this.socket && parser.onIncoming === this.onIncoming;
  }

  private awaitBody(): void {
    (this.patience ??= new BodyPatience(this.socket)).begin();
  }

  /** From here on we know where messages begin and end. */
  private follow(): void {
    const { facts, ours } = this.means;
    this.parser[facts.parserClass.kOnMessageBegin] = ours.onMessageBegin;
    const { maxHeaderSize } = (this.socket.server ?? {}) as { maxHeaderSize?: number };
    this.longestHead = maxHeaderSize || nodeHttp.maxHeaderSize;
  }

  /** The length of the plain header block at `start`, 0 if there is none. */
  private scan(memory: Buffer, start: number, end: number): number {
    const { engine, head } = this.means;
    const length = engine.native.scanRequest(memory, start, end);
    // Without a Host node answers by itself; and its parser knows best what it does after the last request.
    const isKept = head[RequestHead.MinorVersion] === 1 && head[RequestHead.KeepsAlive] === 1;
    return length > this.longestHead || !isKept ? 0 : length;
  }

  private get scannedBodyLength(): number {
    return Math.max(0, this.means.head[RequestHead.ContentLength] as number);
  }

  /** Returns the position of the first request that is not plain, or the end. */
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

  /** Handles the headers that were just scanned. */
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

  /** The next bytes of a body, in memory of their own: programs may keep them, and transfer them to other threads. */
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
   * Runs ticks after each piece of a body, as node's parser does before it reads on, and hands what they wrote to the
   * kernel, which lets the next response start. Not while the socket holds more data: a tick could feed it to the
   * parser, which has not finished this piece.
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
   * Called before a message whose response will wait for the previous one. The previous one then finishes in a tick, as
   * in node, and not at the end of the turn, so that a program that closes in a later tick sends both.
   */
  hastenAnswer(): void {
    if (this.socket._httpMessage) process.nextTick(tellWritten, this);
  }

  /** Calls the callbacks of this connection's writes that the kernel has taken. Returns false if there are none. */
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
   * Called before an invalid read is reported: in node, the responses to earlier reads have finished by then, one after
   * another, so that the error gets a response.
   */
  private tellAllWritten(): void {
    while (this.tellWritten());
  }

  /**
   * Handles an exception of a listener. It is reported where it happened: in its async context, and before a call
   * returns that it would disturb. Later data on this connection is lost, as with node's parser.
   */
  private giveUp(error: unknown, callback: BreakingCallback): never {
    const { means, parser } = this;
    this.bodyLeft = 0;
    this.patience?.end();
    this.report(error);
    if (this.reads(parser)) breakParser(means.facts, parser, callback);
    throw REPORTED;
  }

  /** For callbacks from node's parser, which stops by itself. */
  report(error: unknown): void {
    if (error === REPORTED) return;
    this.ticksLeft = true;
    this.reportTick(error);
  }

  private reportTick(error: unknown): void {
    this.failures++;
    report(error);
  }

  /**
   * An exception leaves ticks behind, and errors that these throw do not belong to this connection. Usually there are
   * none.
   */
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

  /** If anything was thrown, the parser's result for the chunk is not reported. */
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

  /** Counts body bytes that node's parser has reported. */
  countBody(length: number): void {
    const { incoming } = this.parser;
    if (this.bodyOf !== incoming) this.bodySeen = 0;
    this.bodyOf = incoming;
    this.bodySeen += length;
  }

  /** Bytes of this message's body that were not read here; 0 if that is not known. */
  leftOf(message: http.IncomingMessage): number {
    const { parser, bodyLeft } = this;
    if (parser.incoming !== message || message.complete) return 0;
    if (bodyLeft > 0) return bodyLeft;
    const { 'content-length': length, 'transfer-encoding': coding } = message.headers;
    if (length === undefined || coding !== undefined) return 0;
    return Number(length) - (this.bodyOf === message ? this.bodySeen : 0);
  }

  /**
   * Accounts for body bytes that took another path. Node's parser only counts the bytes of a body, so it is given as
   * many others. Must not be called from within a parser's callback.
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
    // Made here, within one of the parser's calls, so that later reads run in the same context.
    this.scope ??= new AsyncResource('HTTPINCOMINGMESSAGE');
  }

  headIsComplete(keepsAlive: boolean): void {
    this.keepsAlive = keepsAlive;
  }

  /** Node's parser refuses data after a last message; and a trailer can declare that it was the last. */
  messageIsComplete(): void {
    // After an upgrade comes another protocol.
    this.hasReadLast = !this.keepsAlive && isReadOn(this.parser.incoming);
    this.inMessage = !this.keepsAlive || this.parser._headers.length > 0;
    // An idle connection must not keep a message alive.
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

/**
 * Whether node's server lets its parser read on after this request's headers: not if the connection switches protocols.
 */
function isReadOn(incoming: (http.IncomingMessage & { upgrade?: unknown }) | null): boolean {
  return !incoming?.upgrade && incoming?.method !== 'PRI';
}

/** A part of a chunk, in memory of exactly its size. */
function ownMemory(chunk: Buffer, start: number, end: number): Buffer {
  return end - start === chunk.buffer.byteLength ? chunk : copyOf(chunk, start, end);
}
