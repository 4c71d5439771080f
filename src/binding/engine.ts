/** The boundary, for the engine of a thread: connections and listeners by their ids, and what both sides share. */
import type { NativeBalance, NativePage, NativeTally } from './objects.js';
import type { NativeEndpoint } from './sockets.js';

export interface NativeEngineLayout {
  /** What is read for programs that are to own it, before it is copied for them. No program is to see it. */
  inbox: ArrayBuffer;
  /** What is written, on its way to the kernel. The same holds. */
  arena: ArrayBuffer;
  completions: Int32Array;
  submissions: Int32Array;
  /** The words named by `Shared`. */
  shared: Int32Array;
  results: Int32Array;
  /** What `scanRequest` found: the words named by `RequestHead`, then those of the headers. */
  requestHead: Int32Array;
}

/** Where to listen or connect: a path (a leading NUL is an abstract name on Linux), or a numeric address and port. */
export interface NativeAddress {
  path?: string;
  host?: string;
  port?: number;
  /** IPv6 sockets only: refuse IPv4-mapped connections. */
  ipv6Only?: boolean;
  /** Connect only: the local end to bind first. */
  localHost?: string;
  localPort?: number;
}

/** Sizes of a socket's buffers. */
export interface NativeBuffers {
  /** SO_SNDBUF in bytes as asked for; 0 leaves the system default. `AUTO_BUFFER`. */
  sendBufferSize: number;
  recvBufferSize: number;
  /** Take less than the system default as well; else it is left. */
  smallBuffers?: boolean;
}

export interface NativeConnectionOptions extends NativeBuffers {
  /** true: what is read becomes the program's (Inbox and Block completions). false: it is lent. */
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
  /** Of TCP, on Linux: a connection of which no byte has come is accepted a second later. Of adopted listeners too. */
  deferAccept: boolean;
  /** Where what happens to the listener and its connections is counted. */
  tally?: NativeTally | undefined;
}

/** The one engine of an environment (the main thread, or a worker). */
export interface NativeEngine {
  readonly layout: NativeEngineLayout;
  /**
   * The handler of a batch: called once per loop turn that saw something. Words of `shared` say how many completions
   * there are, and which slots are wanted. When it has returned and its microtasks are through, the addon flushes; if
   * that has results, the handler is called once more for them.
   */
  setTurnHandler(handler: () => void): void;
  /** The handler of `callWhenClosing`. */
  setClosingHandler(handler: () => void): void;
  /**
   * Has that handler called once, in the closing phase of this iteration of the loop: behind its immediates, where node
   * tells of handles that are closed. ECANCELED: the environment ends.
   */
  callWhenClosing(): number;
  /** Fills an empty slot with BLOCK_BYTES to read into; the engine keeps it alive until a read has filled it. */
  provideBlock(slot: number, block: Uint8Array): void;
  /**
   * A new ArrayBuffer over the lent slab. Programs see it, and may detach it: the slab then has other memory, with what
   * this turn has read at the same offsets, and this is to be called again.
   */
  lentMemory(): ArrayBuffer;

  connect(address: NativeAddress, options: NativeConnectionOptions): number;
  /** A connection that is to connect there, and does nothing about it until `tryConnect()`. */
  prepareConnect(address: NativeAddress, options: NativeConnectionOptions): number;
  /**
   * 0: tried, and a Connect completion tells the outcome. EAGAIN: the queue of the UNIX listener is full; nothing has
   * changed, and it may be tried again. EALREADY: it has been tried. EBADF.
   */
  tryConnect(id: number): number;
  listen(address: NativeAddress, options: NativeListenOptions): number;
  /**
   * Makes a connection of a stream socket from elsewhere, connected or half-closed: UNIX or TCP is found out, non-blocking and
   * close-on-exec are set. Takes the descriptor over on success only. EBADF; ENOTSOCK: another kind of file; EINVAL: a
   * listening or datagram socket; EEXIST: the engine or the loop has it already.
   */
  adopt(fd: number, options: NativeConnectionOptions): number;
  /**
   * The same for a socket to listen on, listening already or only bound: `listen(backlog)` is called in either case. `mode`
   * and `reusePort` are for binding, and have no effect here.
   */
  adoptListener(fd: number, options: NativeListenOptions): number;
  /**
   * Sends what has been submitted, then takes the connection out of the engine without a shutdown: answers its descriptor,
   * which is the caller's from now on, still non-blocking and close-on-exec. On a negative errno nothing has changed. EAGAIN: the kernel does not take all bytes now. EBUSY: the engine has read more than `bytesSeen`, the
   * number of bytes that the caller has been handed (see `takeUnread`), or a failure is on its way to the caller.
   * ENOTCONN: still connecting.
   */
  detach(id: number, bytesSeen: number): number;
  /**
   * Takes reads out of the current batch that come behind the first `bytesSeen` bytes: event, `a` and `b` of their
   * completions, in turn, which will not be delivered any more.
   */
  takeUnread(id: number, bytesSeen: number): number[];
  /**
   * Takes connections that a listener has accepted out of the batch, told of or still being gathered: their ids. The
   * caller sees to them; what has been dispatched already is to be marked with `NOBODY`.
   */
  takeAccepted(listener: number): number[];
  /** A new descriptor, close-on-exec, of the same listening socket; the caller's to close. */
  duplicateListener(id: number): number;
  /** The same for any descriptor. */
  duplicate(fd: number): number;
  listenerDescriptor(id: number): number;
  closeListener(id: number): void;
  refListener(id: number, ref: boolean): void;
  /** How many connections a listener may accept from here on, -1 for no limit. The rest wait for whoever shares it. */
  setAcceptLimit(id: number, limit: number): number;
  /**
   * Has a listener take its part only of the connections that come to a socket which other processes accept from as well.
   * EINVAL: no such place, or the listener has one already.
   */
  shareListener(id: number, balance: NativeBalance, place: number): number;
  /**
   * Of the connections that this listener has accepted since then the program has been handed so many, and so many are
   * open. The listener adds what it accepts from here on by itself.
   */
  countConnections(id: number, handed: number, open: number): void;
  listenerAddress(id: number): NativeEndpoint | number;

  /**
   * Takes all submissions and sends each connection's share with as few system calls as can be. Returns the number of
   * results: one for each connection that could not send everything.
   */
  flush(): number;
  /**
   * Takes all submissions, then appends lent parts to this connection's queue, and sends that connection's queue at once.
   * Returns the bytes still queued, or a negative errno. Parts are held until sent.
   */
  writeLent(id: number, parts: readonly Uint8Array[]): number;
  /**
   * As writeLent, with ranges of files among the parts, three elements each: the file's id or a sealed page, an offset and a
   * length in bytes.
   * A range is sent by reference where the system can, and keeps its file open until then. EINVAL: no such file or range,
   * and nothing has been done. A file that ends before its range does fails the connection with ENODATA.
   */
  writeParts(id: number, parts: readonly (Uint8Array | NativePage | number)[]): number;
  /**
   * A file to be sent: a path, or a descriptor, of which the file gets one of its own. Answers its id. A path is opened
   * only if that needs no disk, else EAGAIN. EISDIR, ESPIPE: neither a regular file nor a block device. EBADF: not open for
   * reading. EINVAL: open with O_DIRECT or O_PATH.
   */
  openFile(file: string | number): number;
  /** In bytes, when it was opened. ESPIPE: a block device. */
  fileSize(file: number): number;
  /** When it was last written to, as it was opened: seconds since 1970. */
  fileModified(file: number): number;
  /** The descriptor that it is read by. It stays the engine's, and open for as long as the id is somebody's. */
  fileSource(file: number): number;
  /** The id is nobody's from now on; ranges that are queued are sent all the same. */
  closeFile(file: number): void;
  /** Takes the next range of this file, of which nothing has been sent, out of the connection's queue. False: there is none. */
  withdrawFile(id: number, file: number): boolean;
  /** Bytes queued and not yet handed to the kernel, without submissions that have not been taken. */
  queued(id: number): number;
  /** When bytes last moved, in or out: the time of the event-loop iteration, in milliseconds of uv_hrtime. 0: none has. */
  movedAt(id: number): number;
  /**
   * Reads go straight into this buffer, one at a time, from now on: Into completions. It is kept alive. Without room, or
   * once it has been detached, reading fails with ENOBUFS.
   */
  readInto(id: number, buffer: Uint8Array): void;
  /** Starts or stops reading. */
  setReading(id: number, reading: boolean): void;
  /**
   * What `source` receives goes out on `target`, another one, without passing through JS, until `stopSink()`, behind what is
   * queued there. End, ReadError and WriteError tell what becomes of the two, as ever; nothing is moved after the first of
   * them. After `limit` bytes, none if it is negative, it rests, and says so once there may be more: Taken.
   * 0, or EBADF; EINVAL: the two are the same; EBUSY: the source has another sink, or the target another source, or its end
   * has been asked for; ENOTCONN: the source is not open, or has ended.
   */
  splice(source: number, target: number, limit: number): number;
  /**
   * What the connection receives is written to a file, until `stopSink()`: from `offset` on, or at the file's own position if
   * that is negative. The file is kept open. Taken tells once `limit` bytes are in the file, or that writing has failed, and
   * nothing is taken after that; the end of the connection is told when all that came before it is in the file. 0, or EBADF;
   * EBUSY: it has another sink; ENOTCONN, as `splice()`; EMFILE.
   *
   * `writeEnd` is called if it is stopped, or the connection closed, while it `isWriting`, as soon as that write is over: with
   * the bytes that are in the file, and 0 or a negative errno.
   */
  receiveFile(
    id: number,
    file: number,
    offset: number,
    limit: number,
    writeEnd: (written: number, status: number) => void,
  ): number;
  /** Nothing more is taken: Taken, with ECANCELED, tells when what has been taken is in the file. */
  finishSink(id: number): void;
  /**
   * JS has what the connection receives again. What has been taken and not yet passed on goes into the target's queue. Answers
   * the bytes taken in all.
   */
  stopSink(id: number): number;
  /**
   * The bytes taken so far, milliseconds since some last moved, in or out (-1: none has), the bytes that have arrived, and
   * whether others are being written to a file; EBADF: there is no sink.
   */
  sinkTotals(id: number): [moved: number, idle: number, arrived: number, isWriting: boolean] | number;
  /** Sends FIN. 0: done. 1: to be done when the queue is empty, told by a Shutdown completion. Else a negative errno. */
  shutdown(id: number): number;
  /** Sends what the kernel takes of the queue, then closes. `reset`: TCP sends RST. Safe with a stale id. */
  close(id: number, reset: boolean): void;
  ref(id: number, ref: boolean): void;
  setNoDelay(id: number, on: boolean): number;
  setKeepAlive(id: number, on: boolean, delaySeconds: number): number;
  /** What SO_SNDBUF and SO_RCVBUF read back: `[send, recv]` in bytes. */
  bufferSizes(id: number): [send: number, recv: number] | number;
  peerAddress(id: number): NativeEndpoint | number;
  localAddress(id: number): NativeEndpoint | number;
  fileDescriptor(id: number): number;
  /**
   * The descriptor, for another process to have as well, which decides from then on whether calls on it wait: libuv makes
   * a descriptor non-blocking when it first hears of it, and hears of this one now. EBADF; ENOTCONN: not open.
   */
  shareDescriptor(id: number): number;
  /** Two connected UNIX sockets, non-blocking and close-on-exec; the caller's. */
  openPair(): [one: number, other: number] | number;
  /** Neither direction is open any more: the peer has closed, or each side has ended its own. */
  hasHungUp(id: number): boolean;
  /**
   * Reads the head of a plain HTTP/1.1 request that lies at `start` of this memory, and answers its length; what it holds
   * is in `layout.requestHead` until the next call. 0: not a plain one, or not all of it before `end` (see
   * native/request_head.h).
   */
  scanRequest(memory: Uint8Array, start: number, end: number): number;
  /** Bytes that the kernel has and that have not been read. EBADF. */
  unread(id: number): number;
  /** Whether this thread has been taken off its processor since this was last asked. */
  wasPreempted(): boolean;
  /** Microseconds for which the loop polls without blocking after a turn that had completions; 0: not at all. */
  setSpin(microseconds: number): void;
  counters(): Float64Array;
  connectionCounters(id: number): Float64Array | number;
  /** Reports an exception that a listener threw, as node does for its own callbacks. */
  reportException(error: unknown): void;
}
