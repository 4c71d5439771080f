/** What a program sees of channels: the connections and servers of the low-level API, and what they call. */
import type { FileSender } from '../files/options.js';
import type { BufferSizes, BacklogOptions, TransportName, TransportOptions } from '../config/options.js';
import type { ServerStats } from '../stats/server-stats.js';

/** What a channel has counted since it was made. All are totals. */
export interface ChannelCounters {
  /** Bytes received. */
  bytesRead: number;
  /** Bytes that the kernel has taken. On `js`: written, which includes what still waits in the process. */
  bytesWritten: number;
  /** System calls that read. 0 on `js`, where they can't be seen; so for the four below. */
  reads: number;
  /** System calls that sent. */
  sends: number;
  /** Sends of which the kernel took only a part. */
  partialSends: number;
  /** Reads and sends that found nothing to read, or no room. */
  eagains: number;
  /** Loop turns in which the socket was ready. */
  turns: number;
  /** Ranges of files that have been sent. */
  files: number;
  /** Those of them that could not go by reference, and were copied: on `js` all are. */
  filesCopied: number;
  /** Bytes of files and pages that were sent by reference. 0 on `js`. */
  bytesByReference: number;
  /** Reads that have brought bytes. On `js`, as `turns`: chunks received. */
  messages: number;
  /** Of the `eagains`, those of sends. 0 on `js`; so for the two below. */
  sendEagains: number;
  /** Times that the kernel had no room for all that was to be sent, and the channel waited until it had. */
  waits: number;
  /** How long it has waited so, in all, in nanoseconds. */
  waitNanos: number;
}

/**
 * A connected stream socket. A file's callback comes when all that was queued with it is with the kernel. Writes behind a
 * file that can't be opened at once answer false.
 */
export interface Channel extends FileSender {
  /** What carries the bytes. */
  readonly transport: TransportName;
  /** For the user: whatever belongs to this connection. */
  data: unknown;
  /**
   * Queues bytes `[start, end)` of `data` (default: all of it), or a string in UTF-8. False if the kernel has no room: the
   * bytes are queued all the same, and `onDrain` tells when it has them.
   *
   * Up to 8 KiB are copied, and `data` may be used again at once. More are sent at once: if this answers true the kernel
   * has them, and `data` may be used again too; else the rest is queued by reference, and must not be changed before
   * `onDrain`, or `onClose`. What `onData` lends is never queued by reference: what the kernel does not take of it at once
   * is copied, whatever its length. A `Page` is sent by reference, all of it or the range.
   *
   * Throws ERR_STREAM_WRITE_AFTER_END after `end()`. Does nothing, and answers false, on a closed channel, and after a
   * write that has failed, of which `onError` or `onWriteError` tells.
   */
  write(data: Uint8Array | string, start?: number, end?: number): boolean;
  /** The same for several parts, which leave together: what is copied or lent is all of them, by their sum. */
  writev(parts: readonly (Uint8Array | string)[]): boolean;
  /** Hands over what is queued now, instead of at the end of the turn. */
  flush(): void;
  /**
   * Stops reading: what the peer sends stays in the kernel. What has been read in this turn of the loop may still come to
   * `onData`, and the peer's end to `onEnd`.
   */
  pause(): void;
  /** Reads again after `pause()`. */
  resume(): void;
  /**
   * Sends FIN behind what is queued. The channel closes once the peer has ended too, without an error only if the kernel has
   * taken all that was written.
   */
  end(): void;
  /**
   * Closes at once. What the kernel takes of the queue still goes out. `onError` gets the error, if any, and `onClose`
   * follows; nothing else comes any more.
   */
  destroy(error?: Error): void;
  /** What the channel has counted. */
  readonly counters: ChannelCounters;
  /** What the kernel says the socket's buffers are; undefined when closed, and without the addon. */
  readonly bufferSizes: BufferSizes | undefined;
}

/**
 * What a channel calls. An object of handlers may serve any number of channels: each call names its channel. What a
 * handler throws is reported as an uncaught exception, and keeps nothing else from coming.
 */
export interface ChannelHandlers {
  /** The channel of `Channel.connect` is connected. */
  onConnect?(channel: Channel): void;
  /** Bytes `[start, end)` of `data` have come. They are lent: valid only during the call, to be written too. */
  onData?(channel: Channel, data: Buffer, start: number, end: number): void;
  /**
   * All that has been written by now is with the kernel: nothing is queued, nor waits behind a file. Comes after a write
   * that has answered false, and may come after others; not after one that has failed.
   */
  onDrain?(channel: Channel): void;
  /** The peer has ended. Without this handler the channel ends in turn. */
  onEnd?(channel: Channel): void;
  /**
   * A write has failed before the peer has ended. With this handler the channel stays open to read what the peer has sent
   * before it closed: `onEnd`, or `onError` of a read, comes behind that, and writes answer false. Without it the channel
   * closes, with `onError`.
   */
  onWriteError?(channel: Channel, error: NodeJS.ErrnoException): void;
  /** Without this handler an error is reported as an uncaught exception. `onClose` follows. */
  onError?(channel: Channel, error: NodeJS.ErrnoException): void;
  /** The last call of all. */
  onClose?(channel: Channel, hadError: boolean): void;
}

/** What a server calls, and the channels of its connections. */
export interface ChannelServerHandlers extends ChannelHandlers {
  /** The server has accepted a connection. */
  onConnection?(channel: Channel): void;
  /** The server listens. */
  onListening?(server: ChannelServer): void;
  /** Without this handler an error is reported as an uncaught exception. */
  onServerError?(server: ChannelServer, error: NodeJS.ErrnoException): void;
  /** The server is closed: the last call of the server itself. */
  onServerClose?(server: ChannelServer): void;
}

/** A UNIX socket by its path (on Linux a leading NUL names an abstract one), or TCP. */
export type ChannelTarget =
  | {
      /** The path of the socket. */
      path: string;
      /** Over TCP only. */
      host?: undefined;
      /** Over TCP only. */
      port?: undefined;
    }
  | {
      /** Over UNIX sockets only. */
      path?: undefined;
      /** A numeric address: names are not looked up here. Default `127.0.0.1`. */
      host?: string | undefined;
      /** 0 to 65,535. A server with 0 gets a free one. */
      port: number;
    };

/** Options of channels and of their servers. */
export interface ChannelOptions extends TransportOptions {
  /** TCP: send small writes at once (TCP_NODELAY). Default true: writes are gathered here already. */
  noDelay?: boolean | undefined;
}

/** What `Channel.connect` takes: where to connect, and options. */
export type ConnectTarget = ChannelTarget & ChannelOptions & BacklogOptions;

/** What `ChannelServer.listen` takes: where to listen, and options. */
export type ListenTarget = ChannelTarget &
  ChannelOptions & {
    /** Connections that may wait to be accepted. Default 511; the system caps it (Linux: net.core.somaxconn). */
    backlog?: number | undefined;
  };

/** An address of TCP. */
export interface TcpAddress {
  /** Numeric. */
  address: string;
  /** `IPv4` or `IPv6`. */
  family: string;
  /** The port in use. */
  port: number;
}

/** Where a server listens: its path, or the address and port. */
export type ServerAddress = string | TcpAddress;

/** A server of channels. */
export interface ChannelServer {
  /** What carries the bytes. */
  readonly transport: TransportName;
  /** What the server and its connections have counted. */
  stats(): ServerStats;
  /** null before it listens and after it is closed. */
  address(): ServerAddress | null;
  /** Stops listening and removes its socket file. Connections stay open. */
  close(): void;
}
