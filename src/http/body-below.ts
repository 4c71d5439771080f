/**
 * Sends the rest of a request's body from the socket to a file natively, so that none of it comes into JavaScript. For
 * plain requests, whose connection counts the bytes of their bodies; others are read by node's parser.
 *
 * quiet: the request has been given everything that has been read; all further bytes are in the kernel.
 */
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers';
import { FileSink, type FileOutcome } from '../net/file-sink.js';
import type { StandInConnection } from './http-socket.js';
import { isStandIn } from './stand-in.js';

export class BodyBelow {
  private readonly request: IncomingMessage;
  /** It has no unread end. */
  private isAtKernel = false;

  constructor(request: IncomingMessage) {
    this.request = request;
  }

  /** Undefined if the request is not read by such a connection, or no longer. */
  private get connection(): StandInConnection | undefined {
    const socket: unknown = this.request.socket;
    return isStandIn(socket) && !socket._owner.closed ? socket._owner : undefined;
  }

  /** Bytes that are still to be read; 0 if the body cannot, or can no longer, be received natively. */
  get left(): number {
    const { request, connection } = this;
    // Another listener must see the bytes.
    if (request.listenerCount('data') > 0) return 0;
    return connection?.bodyLeftOf(request) ?? 0;
  }

  /** Calls back when everything read in this event-loop iteration has been delivered. */
  whenQuiet<T>(call: (this: T, below: BodyBelow) => void, receiver: T): void {
    this.connection?.pause();
    setImmediate(() => {
      call.call(receiver, this);
    });
  }

  /**
   * Returns what the request has got, as one piece; reading stops. (Node 26 and later return one piece at a time: ending
   * between two writes would leave a hole in the file.)
   */
  takeRead(): Buffer {
    const { request, connection } = this;
    this.isAtKernel = connection?.takeAhead() === true;
    const pieces: Buffer[] = [];
    for (let piece = request.read() as Buffer | null; piece !== null; piece = request.read() as Buffer | null) {
      pieces.push(piece);
    }
    const [first] = pieces;
    return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces);
  }

  /**
   * Sends the next `length` bytes to the file. Returns undefined if that is not possible. `done` is called when they are
   * there; its connection reads on before that.
   */
  start(fd: number, offset: number, length: number, done: (outcome: FileOutcome) => void): FileSink | undefined {
    const { connection } = this;
    // An end must be reported first.
    if (connection === undefined || !this.isAtKernel) return undefined;
    connection.pause();
    const started = FileSink.start(connection, { fd, offset, limit: length }, done);
    return typeof started === 'number' ? undefined : started;
  }

  /** Reads on. */
  leave(): void {
    this.connection?.resume();
  }
}
