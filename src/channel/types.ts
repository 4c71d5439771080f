/** The public types of `nearwire/channel`: connections, servers, and the handlers that they call. */
import type { FileSender } from '../files/options.js';
import type { BufferSizes, BacklogOptions, TransportName, TransportOptions } from '../config/options.js';
import type { ServerStats } from '../stats/server-stats.js';

/** What a channel has counted since it was made. All are totals. */
export interface ChannelCounters {
  /** Bytes received. */
  bytesRead: number;
  /** On `native` the bytes that the kernel has taken; on `js`, as in node:net, queued ones too. */
  bytesWritten: number;
  /** System calls that read. Always 0 on `js`, as are the next four: node:net does not count them. */
  reads: number;
  /** System calls that sent. */
  sends: number;
  /** Sends of which the kernel took only a part. */
  partialSends: number;
  /** Reads and sends that failed with EAGAIN. */
  eagains: number;
  /** Event-loop iterations in which the socket was ready. On `js` the number of chunks received. */
  turns: number;
  /** Ranges of files that have been sent. */
  files: number;
  /** Those of them that were copied because they could not be sent by reference; on `js` all of them. */
  filesCopied: number;
  /** Bytes of files and pages that were sent by reference. Always 0 on `js`. */
  bytesByReference: number;
  /** Reads that returned bytes. On `js` the number of chunks received. */
  messages: number;
  /** The part of `eagains` that were sends. Always 0 on `js`, as are the next two. */
  sendEagains: number;
  /** Number of times the socket buffer was full and queued data had to wait. */
  waits: number;
  /** Total time of these waits, in nanoseconds. */
  waitNanos: number;
}

/**
 * A connected stream socket. `Data` is the type of `data`.
 *
 * `sendFile()`: the promise resolves once the kernel has taken the file and everything queued with it. While a file is
 * being opened, writes queued behind it return false.
 */
export interface Channel<Data = unknown> extends FileSender {
  /** What carries the bytes: the addon, or node:net. */
  readonly transport: TransportName;
  /** A value of the program's own for this connection. Undefined until the program sets it; never read by nearwire. */
  data: Data;

  /**
   * Queues bytes `[start, end)` of `data` (default: all of it), or a string in UTF-8.
   *
   * Returns false if the socket buffer is full; the data is queued anyway and `onDrain` is called once it has been sent. It
   * also returns false while the channel is corked, and behind a file that is being opened. Data up to 8 KiB is copied.
   * Larger buffers are borrowed: if `write()` returned false, do not modify them until `onDrain` or `onClose`; if it returned
   * true, they may be reused immediately. Memory that `onData` lent is copied if the kernel does not take it at once. A
   * `Page`, or a range of it, is sent by reference.
   *
   * On a closed channel, and after a failed write, it does nothing and returns false. Throws ERR_STREAM_WRITE_AFTER_END
   * after `end()`, ERR_INVALID_ARG_TYPE and ERR_OUT_OF_RANGE for invalid arguments.
   */
  write(data: Uint8Array | string, start?: number, end?: number): boolean;
  /** As `write()` for several parts, which are sent together. They are copied if all of them come to at most 8 KiB. */
  writev(parts: readonly (Uint8Array | string)[]): boolean;
  /**
   * Hands all queued data to the kernel now. Without it, writes of one event-loop iteration are sent when the handlers of
   * that iteration have returned. Data held by `cork()` stays held. No effect on `js`, which does not defer writes.
   */
  flush(): void;
  /**
   * Holds all writes and files until `uncork()`, across event-loop iterations: then they are sent with as few system calls as
   * possible. Calls nest: as many calls of `uncork()` are needed. Held data is copied on `native`. `end()` and `destroy()`
   * send what is held first. Data still held when the process exits is lost. No effect on a closed channel.
   *
   * Use it for a message that is produced over several event-loop iterations. Writes of a single iteration are combined
   * without it.
   */
  cork(): void;
  /** Undoes one `cork()`. No effect if the channel is not corked. */
  uncork(): void;
  /**
   * Bytes queued that the kernel has not taken: those held by `cork()` or behind a file included, and 0 on a closed channel. A
   * file counts with the rest of its length, as soon as that is known. On `js` a partly sent write still counts in full.
   */
  readonly bufferedAmount: number;

  /**
   * Stops reading: what the peer sends stays in the kernel's socket buffer. Bytes that have already been read in this
   * event-loop iteration are still passed to `onData`, and the end of the peer's data to `onEnd`.
   */
  pause(): void;
  /** Reads again after `pause()`. */
  resume(): void;

  /**
   * Sends FIN after all queued data. The channel closes once the peer has ended too. If the kernel has not taken all data
   * by then, that is an error.
   */
  end(): void;
  /**
   * Closes the channel at once. Of the queued data, the part that the kernel accepts immediately is still sent. `onClose` is
   * called on a later tick, after `onError` if there is an error; no other handler is called any more. No effect on a closed
   * channel.
   */
  destroy(error?: Error): void;
  /** True from the moment the channel closes, for any reason. `onClose` follows. */
  readonly closed: boolean;

  /**
   * Calls `onTimeout` once no byte has been received or sent for this many milliseconds, and again after each later period
   * of inactivity. 0 (the default) turns it off. The channel stays open: a handler that wants to close it calls `destroy()`.
   * The timer does not keep the process alive. Waiting for a connect counts as inactivity; bytes of a queued write count
   * when the kernel takes them.
   *
   * Throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE unless it is a finite number >= 0. More than 2^31-1 is reduced to that,
   * with a process warning, as by node:net. No effect on a closed channel.
   */
  setTimeout(milliseconds: number): this;
  /** Undoes `unref()`. */
  ref(): this;
  /** Lets the process exit while this channel is open, if nothing else keeps it alive. May be called before `onConnect`. */
  unref(): this;

  /**
   * The peer's IP address, as in node:net. Undefined for a UNIX socket, which has no address: there, `inspect(channel).peer`
   * of `nearwire/tune` has the process id, user id and group id that the kernel reports for the peer (Linux).
   *
   * The peer's are undefined while the channel connects, and after it has closed unless one was read before. The local ones
   * are undefined after it has closed.
   */
  readonly remoteAddress: string | undefined;
  /** The peer's port. */
  readonly remotePort: number | undefined;
  /** `IPv4` or `IPv6`. Undefined for a UNIX socket. */
  readonly remoteFamily: string | undefined;
  /** The local IP address. Undefined for a UNIX socket. */
  readonly localAddress: string | undefined;
  /** The local port. */
  readonly localPort: number | undefined;
  /** `IPv4` or `IPv6`. */
  readonly localFamily: string | undefined;

  /** What has been counted so far; after the channel has closed, the final values. */
  readonly counters: ChannelCounters;
  /** Sizes of the socket buffers in bytes, as the kernel reports them. Undefined on a closed channel, and without the addon. */
  readonly bufferSizes: BufferSizes | undefined;
}

/**
 * What a channel calls. One object of handlers may serve any number of channels: each call passes its channel. An exception
 * thrown by a handler is reported as an uncaught exception; the channel continues, and later handlers are called.
 */
export interface ChannelHandlers<Data = unknown> {
  /** A channel made by `Channel.connect` is connected. */
  onConnect?(channel: Channel<Data>): void;
  /**
   * Bytes `[start, end)` of `data` have been received. The memory is lent: it is valid only during this call. Copy what is to be
   * kept. To pass it to `write()` of any channel is safe.
   */
  onData?(channel: Channel<Data>, data: Buffer, start: number, end: number): void;
  /**
   * The kernel has taken all data written so far: nothing is queued. Called after a `write()` that returned false, and
   * possibly after others. Not called after a write that failed.
   */
  onDrain?(channel: Channel<Data>): void;
  /** The peer has sent FIN. Without this handler the channel calls `end()`. */
  onEnd?(channel: Channel<Data>): void;
  /** See `setTimeout()`. */
  onTimeout?(channel: Channel<Data>): void;
  /**
   * A write has failed before the peer sent FIN. With this handler the channel stays open, to read what the peer sent
   * before it closed; `onEnd`, or `onError` of a read, follows, and writes return false. Without it the channel closes, with
   * `onError`.
   */
  onWriteError?(channel: Channel<Data>, error: NodeJS.ErrnoException): void;
  /** The channel has failed. Without this handler the error is reported as an uncaught exception. `onClose` follows. */
  onError?(channel: Channel<Data>, error: NodeJS.ErrnoException): void;
  /** The channel has closed. The last call of all. */
  onClose?(channel: Channel<Data>, hadError: boolean): void;
}

/** What a server calls, and the handlers of all channels that it accepts. */
export interface ChannelServerHandlers<Data = unknown> extends ChannelHandlers<Data> {
  /** A connection has been accepted: the place to set `channel.data`. */
  onConnection?(channel: Channel<Data>): void;
  /** The server listens. */
  onListening?(server: ChannelServer): void;
  /** Without this handler the error is reported as an uncaught exception. */
  onServerError?(server: ChannelServer, error: NodeJS.ErrnoException): void;
  /** The server has stopped listening. Its connections may still be open. */
  onServerClose?(server: ChannelServer): void;
}

/** A UNIX socket by its path (on Linux a leading NUL makes it an abstract name), or TCP. */
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
      /** An IP address: host names are not resolved. Default `127.0.0.1`. */
      host?: string | undefined;
      /** 0 to 65,535. A server with 0 gets a free one. */
      port: number;
    };

/** Options of channels and of their servers. */
export interface ChannelOptions extends TransportOptions {
  /** TCP_NODELAY, for TCP: disables Nagle's algorithm. Default true, since writes of an iteration are combined already. */
  noDelay?: boolean | undefined;
}

/** What `Channel.connect` takes: where to connect, and options. */
export type ConnectTarget = ChannelTarget & ChannelOptions & BacklogOptions;

/** What `ChannelServer.listen` takes: where to listen, and options. */
export type ListenTarget = ChannelTarget &
  ChannelOptions & {
    /** Length of the queue of connections not yet accepted. Default 511; the system caps it (Linux: net.core.somaxconn). */
    backlog?: number | undefined;
  };

/** An address of TCP. */
export interface TcpAddress {
  /** An IP address. */
  address: string;
  /** `IPv4` or `IPv6`. */
  family: string;
  /** The port in use. */
  port: number;
}

/** Where a server listens: the path of its UNIX socket, or an IP address and port. */
export type ServerAddress = string | TcpAddress;

/** A listening socket. */
export interface ChannelServer {
  /** What carries the bytes. */
  readonly transport: TransportName;
  /** What the server and its connections have counted. */
  stats(): ServerStats;
  /** Null before it listens and after it has closed. */
  address(): ServerAddress | null;
  /**
   * Stops listening and removes its socket file. Connections stay open: see `closeAllConnections()`. `onServerClose` is
   * called on a later tick. No effect on a closed server.
   */
  close(): void;
  /** Calls `destroy()` on all open connections of this server, as node:http's servers do. It continues to listen. */
  closeAllConnections(): void;
  /** Undoes `unref()`. */
  ref(): this;
  /** Lets the process exit while this server listens, if nothing else keeps it alive. */
  unref(): this;
  /** `close()`; resolves once `onServerClose` has been called. Connections stay open. For `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
