/**
 * The rest of a request's body, from the socket to a file below JS and past the parser, which is told afterwards how much
 * of it has gone that way (RequestReader.skipBody). For bodies with a Content-Length on native sockets.
 *
 * quiet: what the engine and the socket hold has been given to the parser, and what that made of it has been taken from
 * the request; everything that is still to come is in the kernel.
 */
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers';
import { FileSink, type FileOutcome } from '../net/file-sink.js';
import { NativeSocket } from '../net/socket.js';
import type { SocketConnection } from '../net/socket-connection.js';
import type { RequestReader } from './request-reader.js';
import { readerOfBody } from './served-parsers.js';

/** node:http's mark on a socket that rests because too many answers wait. */
interface RestingSocket {
  _paused?: boolean;
}

/** The parser is a listener of the socket's, and hears of what read() answers too. */
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
    // Node's types have a net.Socket for every request; a native one is that as well.
    const socket: unknown = request.socket;
    if (!(socket instanceof NativeSocket)) return;
    this.socket = socket;
    this.reader = readerOfBody(request);
  }

  private get connection(): SocketConnection | undefined {
    const connection = this.socket?._connection;
    return connection?.open === true ? connection : undefined;
  }

  /** Bytes that the parser has not had; 0 where the body can't be taken below JS, or not any more. */
  get left(): number {
    const { request, reader, socket } = this;
    // Somebody else is to see the bytes, or the socket is not to be read.
    if (request.listenerCount('data') > 0 || (socket as RestingSocket | undefined)?._paused === true) return 0;
    return reader !== undefined && this.connection !== undefined && readerOfBody(request) === reader
      ? reader.leftOf(request)
      : 0;
  }

  /** Calls when the parser is not at work, and what has been read in this turn of the loop has been told of. */
  whenQuiet<T>(call: (this: T, below: BodyBelow) => void, receiver: T): void {
    this.connection?.stopReading();
    setImmediate(() => {
      call.call(receiver, this);
    });
  }

  /**
   * Has the parser read all that has come, and takes from the request what it has made of it. Reading rests. As one, though
   * node from 26 on gives one piece at a time: an end between two writes would leave a hole before what goes below.
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
   * Sends what comes next, `length` bytes, to the file. undefined where that is not to be had.
   * `done` is called when the parser knows how much has gone there.
   */
  start(fd: number, offset: number, length: number, done: (outcome: FileOutcome) => void): FileSink | undefined {
    const { connection } = this;
    // An end, or an error, is to be told of first.
    if (connection === undefined || connection.holdsUnread) return undefined;
    connection.stopReading();
    const started = FileSink.start(connection, { fd, offset, limit: length }, (outcome) => {
      // A connection that is gone has no parser to tell.
      if (outcome.taken > 0 && this.socket?.destroyed === false && this.left > 0) this.reader?.skipBody(outcome.taken);
      this.leave();
      done(outcome);
    });
    return typeof started === 'number' ? undefined : started;
  }

  /** What comes is the parser's again. */
  leave(): void {
    this.connection?.startReading();
  }
}
