/**
 * Makes node's parser read a native socket as it reads a handle of node's own. Its server feeds it from a stream here,
 * within which nothing happens between one callback and the next. From a handle, ticks run after each piece of a body
 * and after trailers, and what they wrote is given to the kernel; and an exception of a listener is reported where it
 * was thrown, after which the parser reads no more.
 */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { report, reports } from '../net/async-scopes.js';
import type { SocketConnection } from '../net/socket-connection.js';
import type { StreamReader } from '../net/connected-socket.js';
import { runTicks } from '../node/run-ticks.js';
import { resultAsOfHandle, type NodeParser, type ParseError, type ParserFacts } from '../node/http-parser.js';

/** Thrown after a listener's exception has been reported: it still stops the parser. */
export const REPORTED = new Error('reported');

export interface ServedSocket extends net.Socket {
  parser?: NodeParser | null;
  readonly _connection?: SocketConnection;
  /** node:http sets it to pause a socket on which too many responses wait. */
  readonly _paused?: boolean;
  /** The response that the socket is currently sending. */
  readonly _httpMessage?: http.ServerResponse | null;
  /** The field of EventEmitter: the listener itself if there is only one. */
  readonly _events?: { readonly data?: unknown; readonly readable?: unknown };
  /** Named: V8 keeps a socket as a dictionary if it is given a symbol as one more field. */
  _parserTicks?: ParserTicks;
}

export class ParserTicks implements StreamReader {
  isAmidRead = false;
  /** What the parser is given is the rest of a read, whose beginning others have looked at. */
  isWithinRead = false;
  /** Exceptions that have been reported. */
  private failures = 0;
  /** One of them has left the ticks of its read unfinished, as it does in node. */
  private ticksLeft = false;
  private readonly facts: ParserFacts;
  private readonly parser: NodeParser;
  private readonly socket: ServedSocket;
  /**
   * The server's callback of this connection. It identifies the connection: the parser may be given to another one, and
   * the socket to a client.
   */
  private readonly onIncoming: NodeParser['onIncoming'];
  /** The socket's 'data' listener that feeds the parser, if there is no other. */
  private readonly onData: unknown;

  constructor(facts: ParserFacts, parser: NodeParser, socket: ServedSocket) {
    this.facts = facts;
    this.parser = parser;
    this.socket = socket;
    this.onIncoming = parser.onIncoming;
    this.onData = socket._events?.data;
  }

  /** Whether this parser currently reads this connection. */
  reads(parser: NodeParser): boolean {
    return parser.socket === this.socket && parser.onIncoming === this.onIncoming;
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

  execute(chunk: Buffer): number | ParseError {
    const { ticksLeft, socket } = this;
    this.ticksLeft = false;
    if (!ticksLeft && !this.isWithinRead) this.runOthersTicks();
    // Those to requests of the same read have not.
    const owesFinish = !ticksLeft && !this.isWithinRead && socket._connection?.awaitingFlush === true;
    const taken = this.executeByNode(chunk);
    if (owesFinish && typeof taken !== 'number') this.tellAllWritten();
    this.readOnBeforeTicks();
    return taken;
  }

  /** If anything was thrown, the parser's result for the chunk is not reported. */
  private executeByNode(chunk: Buffer): number | ParseError {
    const { failures } = this;
    // Before: a callback that is given the whole chunk may detach it.
    const { length } = chunk;
    try {
      const taken = this.facts.execute.call(this.parser, chunk);
      return this.failures === failures ? resultAsOfHandle(this.parser, taken, length) : length;
    } catch (error) {
      if (error !== REPORTED) throw error;
      return length;
    }
  }

  finish(): ParseError | undefined {
    const error = this.facts.finish.call(this.parser);
    if (error !== undefined) this.tellAllWritten();
    return error;
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

  /**
   * After each piece of a body, as node's parser does before it reads on; what they wrote is handed to the kernel, which
   * lets the next response start. Not while the socket holds more data: a tick could feed it to the parser, which has
   * not finished this piece.
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

  /** Later data on this connection is lost, as the parser stops by itself. */
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
}

function tellWritten(ticks: ParserTicks): void {
  ticks.tellWritten();
}
