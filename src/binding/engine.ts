/**
 * The JavaScript/native boundary: the engine of a thread. Connections and listeners by their ids, and shared memory.
 */
import type { NativeBalance, NativePage, NativeTally } from './objects.js';
import type { NativeEndpoint } from './sockets.js';

export interface NativeEngineLayout {
  /** Holds data read for programs that will own it, until it is copied for them. Programs must not see this memory. */
  inbox: ArrayBuffer;
  /** Holds written data on its way to the kernel. Programs must not see it either. */
  arena: ArrayBuffer;
  completions: Int32Array;
  submissions: Int32Array;
  /** The fields named by `Shared`. */
  shared: Int32Array;
  results: Int32Array;
  /** The result of `scanRequest`: the fields named by `RequestHead`, then those of the headers. */
  requestHead: Int32Array;
  /** The result of `scanVariables`: the fields named by `UwsgiHead`, then those of the headers. */
  uwsgiHead: Int32Array;
}

/** Where to listen or connect: a path (a leading NUL is an abstract name on Linux), or a numeric address and port. */
export interface NativeAddress {
  path?: string;
  host?: string;
  port?: number;
  /** IPv6 sockets only: refuse IPv4-mapped connections. */
  ipv6Only?: boolean;
  /** Connect only: the local address to bind first. */
  localHost?: string;
  localPort?: number;
}

/** Sizes of a socket's buffers. */
export interface NativeBuffers {
  /** SO_SNDBUF in bytes as requested; 0 leaves the system default. Or `AUTO_BUFFER`. */
  sendBufferSize: number;
  recvBufferSize: number;
  /** Also accept sizes below the system default; otherwise they are ignored. */
  smallBuffers?: boolean;
}

export interface NativeConnectionOptions extends NativeBuffers {
  /** true: the program owns what is read (Inbox and Block completions). false: the memory is lent. */
  owned: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds before the first keep-alive probe; 0 leaves the system default. */
  keepAliveDelay: number;
  /** Do not read until resume(). */
  paused: boolean;
}

export interface NativeListenOptions extends NativeConnectionOptions {
  backlog: number;
  /** chmod bits of a socket file, or -1 to leave the umask's. */
  mode: number;
  reusePort: boolean;
  /** TCP on Linux: a connection on which no byte has arrived is accepted a second later. Also for adopted listeners. */
  deferAccept: boolean;
  /** Counts what happens to the listener and its connections. */
  tally?: NativeTally | undefined;
}

/** The one engine of an environment (the main thread, or a worker). */
export interface NativeEngine {
  readonly layout: NativeEngineLayout;
  /**
   * The handler of a batch: called once per event-loop iteration in which something happened. Fields of `shared` hold
   * the number of completions and which slots are wanted. When it has returned and its microtasks have run, the addon
   * flushes; if the flush has results, the handler is called once more for them.
   */
  setTurnHandler(handler: () => void): void;
  /** The handler of `callWhenClosing`. */
  setClosingHandler(handler: () => void): void;
  /**
   * Calls that handler once, in the closing phase of this event-loop iteration: after its immediates, where node
   * reports closed handles. ECANCELED: the environment is ending.
   */
  callWhenClosing(): number;
  /** Fills an empty slot with BLOCK_BYTES to read into; the engine keeps it alive until a read has filled it. */
  provideBlock(slot: number, block: Uint8Array): void;
  /**
   * A new ArrayBuffer over the lent slab. Programs see it and may detach it: the slab then gets new memory, with the
   * data read in this iteration at the same offsets, and this must be called again.
   */
  lentMemory(): ArrayBuffer;

  connect(address: NativeAddress, options: NativeConnectionOptions): number;
  /** A connection to this address that does not start connecting until `tryConnect()`. */
  prepareConnect(address: NativeAddress, options: NativeConnectionOptions): number;
  /**
   * 0: tried, and a Connect completion will report the outcome. EAGAIN: the accept queue of the UNIX listener is full;
   * nothing has changed, and it may be tried again. EALREADY: it has been tried. EBADF.
   */
  tryConnect(id: number): number;
  listen(address: NativeAddress, options: NativeListenOptions): number;
  /**
   * Makes a connection of an existing stream socket, connected or half-closed. It detects UNIX or TCP, and sets
   * non-blocking and close-on-exec. Takes ownership of the descriptor only on success. EBADF; ENOTSOCK: another kind of
   * file; EINVAL: a listening or datagram socket; EEXIST: the engine or the event loop already has it.
   */
  adopt(fd: number, options: NativeConnectionOptions): number;
  /**
   * The same for a socket to listen on, already listening or only bound: `listen(backlog)` is called in both cases.
   * `mode` and `reusePort` apply to binding and have no effect here.
   */
  adoptListener(fd: number, options: NativeListenOptions): number;
  /**
   * Sends what has been submitted, then removes the connection from the engine without a shutdown. Returns its
   * descriptor, which the caller then owns, still non-blocking and close-on-exec. On a negative errno nothing has
   * changed. EAGAIN: the kernel does not take all bytes now. EBUSY: the engine has read more than `bytesSeen`, the
   * number of bytes that the caller has received (see `takeUnread`), or a failure is still to be delivered. ENOTCONN:
   * still connecting.
   */
  detach(id: number, bytesSeen: number): number;
  /**
   * Removes reads after the first `bytesSeen` bytes from the current batch. Returns event, `a` and `b` of each of their
   * completions; these are no longer delivered.
   */
  takeUnread(id: number, bytesSeen: number): number[];
  /**
   * Removes connections that a listener has accepted from the batch, whether the batch is being dispatched or still
   * being gathered. Returns their ids. The caller must handle them. When JavaScript dispatches such a completion it
   * replaces the id (see words.ts), so that it is not returned here.
   */
  takeAccepted(listener: number): number[];
  /** A new descriptor, close-on-exec, of the same listening socket. The caller must close it. */
  duplicateListener(id: number): number;
  /** The same for any descriptor. */
  duplicate(fd: number): number;
  listenerDescriptor(id: number): number;
  closeListener(id: number): void;
  refListener(id: number, ref: boolean): void;
  /**
   * The number of connections that a listener may still accept, -1 for no limit. The rest stay in the queue, for other
   * listeners of the same socket.
   */
  setAcceptLimit(id: number, limit: number): number;
  /**
   * Makes a listener accept only its share of the connections to a socket from which other processes accept too.
   * EINVAL: no such place, or the listener already has one.
   */
  shareListener(id: number, balance: NativeBalance, place: number): number;
  /**
   * Of the connections that this listener has accepted since `shareListener()`, the program has been given `handed`, of
   * which `open` are open. The listener itself counts those that it accepts from now on.
   */
  countConnections(id: number, handed: number, open: number): void;
  listenerAddress(id: number): NativeEndpoint | number;

  /**
   * Takes all submissions and sends each connection's share with as few system calls as possible. Returns the number of
   * results: one for each connection that could not send everything.
   */
  flush(): number;
  /**
   * Takes all submissions, then appends lent parts to this connection's queue, and sends that queue at once. Returns
   * the bytes still queued, or a negative errno. Parts are kept alive until sent.
   */
  writeLent(id: number, parts: readonly Uint8Array[]): number;
  /**
   * As writeLent, with ranges of files among the parts. A range is three elements: the file's id or a sealed page, an
   * offset, and a length in bytes. It is sent by reference where the system can, and keeps its file open until then.
   * EINVAL: no such file or range, and nothing has been done. A file that ends before its range does fails the
   * connection with ENODATA.
   */
  writeParts(id: number, parts: readonly (Uint8Array | NativePage | number)[]): number;
  /**
   * Opens a file to be sent: a path, or a descriptor, which is duplicated. Returns its id. A path is opened only if
   * that needs no disk access, otherwise EAGAIN. EISDIR, ESPIPE: neither a regular file nor a block device. EBADF: not
   * open for reading. EINVAL: opened with O_DIRECT or O_PATH.
   */
  openFile(file: string | number): number;
  /** In bytes, when the file was opened. ESPIPE: a block device. */
  fileSize(file: number): number;
  /** The modification time when the file was opened: seconds since 1970. */
  fileModified(file: number): number;
  /** The descriptor for reading it. The engine owns it, and keeps it open until `closeFile`. */
  fileSource(file: number): number;
  /** Releases the id; queued ranges are still sent. */
  closeFile(file: number): void;
  /**
   * Removes the next range of this file, if none of it has been sent, from the connection's queue. False: there is
   * none.
   */
  withdrawFile(id: number, file: number): boolean;
  /** Bytes queued and not yet handed to the kernel, excluding submissions that have not been taken. */
  queued(id: number): number;
  /**
   * Whether the kernel has taken all that the addon has been given, and no send has failed. True before the Drain
   * completion that reports it, and false before a WriteError.
   */
  hasDrained(id: number): boolean;
  /** When bytes last moved, in or out: the time of the event-loop iteration, in milliseconds of uv_hrtime. 0: never. */
  movedAt(id: number): number;
  /**
   * From now on reads go directly into this buffer, one at a time: Into completions. It is kept alive. If it has no
   * room, or has been detached, reading fails with ENOBUFS.
   */
  readInto(id: number, buffer: Uint8Array): void;
  /** Starts or stops reading. */
  setReading(id: number, reading: boolean): void;
  /**
   * Sends what `source` receives on `target`, another connection, without passing through JavaScript, until
   * `stopSink()`, after what is queued there. End, ReadError and WriteError are reported for both as usual; nothing is
   * moved after the first of them. After `limit` bytes (none if it is negative) it pauses and reports Taken once there
   * may be more. 0, or EBADF; EINVAL: the two are the same; EBUSY: the source already has a sink, or the target a
   * source, or its end has been requested; ENOTCONN: the source is not open, or has ended.
   */
  splice(source: number, target: number, limit: number): number;
  /**
   * Writes what the connection receives to a file, until `stopSink()`: from `offset` on, or at the file's own position
   * if that is negative. The file is kept open. Taken reports that `limit` bytes are in the file or that writing has
   * failed; nothing is taken after that. The connection's end is reported when everything before it is in the file. 0,
   * or EBADF; EBUSY: it already has a sink; ENOTCONN, as `splice()`; EMFILE.
   *
   * If it is stopped, or the connection closed, while it `isWriting`, `writeEnd` is called when that write is over,
   * with the number of bytes in the file and 0 or a negative errno.
   */
  receiveFile(
    id: number,
    file: number,
    offset: number,
    limit: number,
    writeEnd: (written: number, status: number) => void,
  ): number;
  /** Takes nothing more. Taken with ECANCELED reports that what has been taken is in the file. */
  finishSink(id: number): void;
  /**
   * Delivers what the connection receives to JavaScript again. Bytes taken and not yet passed on go into the target's
   * queue. Returns the total of bytes taken.
   */
  stopSink(id: number): number;
  /**
   * The bytes taken so far, milliseconds since bytes last moved, in or out (-1: none has), the bytes that have arrived,
   * and whether more are being written to a file; EBADF: there is no sink.
   */
  sinkTotals(id: number): [moved: number, idle: number, arrived: number, isWriting: boolean] | number;
  /**
   * Sends FIN. 0: done. 1: deferred until the queue is empty, then reported by a Shutdown completion. Otherwise a
   * negative errno.
   */
  shutdown(id: number): number;
  /** Sends what the kernel accepts of the queue, then closes. `reset`: TCP sends RST. Safe with a stale id. */
  close(id: number, reset: boolean): void;
  ref(id: number, ref: boolean): void;
  setNoDelay(id: number, on: boolean): number;
  setKeepAlive(id: number, on: boolean, delaySeconds: number): number;
  /** SO_SNDBUF and SO_RCVBUF as read back: `[send, recv]` in bytes. */
  bufferSizes(id: number): [send: number, recv: number] | number;
  peerAddress(id: number): NativeEndpoint | number;
  localAddress(id: number): NativeEndpoint | number;
  fileDescriptor(id: number): number;
  /**
   * Returns the descriptor, to be shared with another process, which then decides whether calls on it block. libuv
   * makes a descriptor non-blocking when it first sees it, so this call lets libuv see it now. EBADF; ENOTCONN: not
   * open.
   */
  shareDescriptor(id: number): number;
  /** Two connected UNIX sockets, non-blocking and close-on-exec, owned by the caller. */
  openPair(): [one: number, other: number] | number;
  /** Neither direction is open: the peer has closed, or each side has ended its own. */
  hasHungUp(id: number): boolean;
  /** What `scanRequest` knows from now on: header names of ASCII, at most 256, by upper and lower case. */
  setHeaderNames(names: readonly string[]): void;
  /**
   * Parses the header block of a plain HTTP/1.1 request at `start` of this memory; undefined: of the inbox. Returns it as
   * latin1 text; where its parts are is in `layout.requestHead` until the next call. undefined: not plain, or not complete
   * before `end` (see native/request_head.h).
   */
  scanRequest(memory: Uint8Array | undefined, start: number, end: number): string | undefined;
  /** What `scanVariables` knows from now on: uwsgi variables that are headers, at most 256. */
  setVariableNames(names: readonly string[]): void;
  /**
   * As `scanRequest`, for the variables of a uwsgi packet, which are all of `[start, end)`: their parts are in
   * `layout.uwsgiHead`. undefined: they are not usual ones (see native/uwsgi_variables.h).
   */
  scanVariables(memory: Uint8Array | undefined, start: number, end: number): string | undefined;
  /** Bytes that the kernel has received and that have not been read. EBADF. */
  unread(id: number): number;
  /** Whether this thread has been preempted since the last call. */
  wasPreempted(): boolean;
  /** Microseconds for which the loop polls without blocking after an iteration that had completions; 0: never. */
  setSpin(microseconds: number): void;
  counters(): Float64Array;
  connectionCounters(id: number): Float64Array | number;
  /** Reports an exception that a listener threw, as node does for its own callbacks. */
  reportException(error: unknown): void;
}
