/**
 * Sends the rest of a request's body from the socket to a file natively, bypassing the parser, which is told afterwards
 * how many bytes took that path (RequestReader.skipBody). For bodies with a Content-Length on native sockets.
 *
 * quiet: the parser has been given everything that the engine and the socket held, and its output has been taken from
 * the request; all further bytes are in the kernel.
 */
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers';
import { FileSink, type FileOutcome } from '../net/file-sink.js';
import { NativeSocket } from '../net/socket.js';
import type { SocketConnection } from '../net/socket-connection.js';
import type { RequestReader } from './request-reader.js';
import { readerOfBody } from './served-parsers.js';

/** node:http sets it to pause a socket on which too many responses wait. */
interface RestingSocket {
  _paused?: boolean;
}

/** The parser is a listener of the socket, so it also receives what read() returns. */
function giveAll(socket: NativeSocket, connection: SocketConnection): void {
  for (const chunk of connection.takeUnread()) socket.push(chunk);
  while (socket.readableLength > 0 && socket.read() !== null);
}

export class BodyBelow {
  private readonly request: IncomingMessage;
  private readonly socket: NativeSocket | undefined;
  private readonly reader: RequestReader | undefined;

  constructor(request: IncomingMessage) {
    this.request = request;
    // Node's types declare a net.Socket for every request; a native socket is one as well.
    const socket: unknown = request.socket;
    if (!(socket instanceof NativeSocket)) return;
    // A stand-in becomes a socket.
    if (socket._connection === undefined) return;
    this.socket = socket;
    this.reader = readerOfBody(request);
  }

  private get connection(): SocketConnection | undefined {
    const connection = this.socket?._connection;
    return connection?.open === true ? connection : undefined;
  }

  /** Bytes that the parser has not received; 0 if the body cannot, or can no longer, be received natively. */
  get left(): number {
    const { request, reader, socket } = this;
    // Another listener must see the bytes, or the socket is paused.
    if (request.listenerCount('data') > 0 || (socket as RestingSocket | undefined)?._paused === true) return 0;
    return reader !== undefined && this.connection !== undefined && readerOfBody(request) === reader
      ? reader.leftOf(request)
      : 0;
  }

  /** Calls back when the parser is not running, and everything read in this event-loop iteration has been delivered. */
  whenQuiet<T>(call: (this: T, below: BodyBelow) => void, receiver: T): void {
    this.connection?.stopReading();
    setImmediate(() => {
      call.call(receiver, this);
    });
  }

  /**
   * Makes the parser read everything that has arrived, and returns what the request has got from it, as one piece;
   * reading stops. (Node 26 and later return one piece at a time: ending between two writes would leave a hole in the
   * file.)
   */
  takeRead(): Buffer {
    const { request, socket, connection } = this;
    if (socket !== undefined && connection !== undefined)
      connection.scope.runInAsyncScope(giveAll, undefined, socket, connection);
    const pieces: Buffer[] = [];
    for (let piece = request.read() as Buffer | null; piece !== null; piece = request.read() as Buffer | null) {
      pieces.push(piece);
    }
    const [first] = pieces;
    return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces);
  }

  /**
   * Sends the next `length` bytes to the file. Returns undefined if that is not possible. `done` is called once the
   * parser knows how many bytes went there.
   */
  start(fd: number, offset: number, length: number, done: (outcome: FileOutcome) => void): FileSink | undefined {
    const { connection } = this;
    // An end or an error must be reported first.
    if (connection === undefined || connection.holdsUnread) return undefined;
    connection.stopReading();
    const started = FileSink.start(connection, { fd, offset, limit: length }, (outcome) => {
      // A closed connection has no parser to inform.
      if (outcome.taken > 0 && this.socket?.destroyed === false && this.left > 0) this.reader?.skipBody(outcome.taken);
      this.leave();
      done(outcome);
    });
    return typeof started === 'number' ? undefined : started;
  }

  /** Gives further bytes to the parser again. */
  leave(): void {
    this.connection?.startReading();
  }
}
