/**
 * Constants of the JavaScript/native boundary: the fields that both sides write in shared memory, and the order of
 * counters. native/js_abi.cc hands out the same from the addon's own tables; test/binding compares the two.
 */

/** What happened to a connection or listener. One completion is four int32: id, event, a, b. */
export const Completion = {
  /** Bytes are in the lent slab: a = offset in `lentMemory()`, b = length. */
  Lent: 0,
  /** Bytes are in the inbox, which only the engine sees: a = offset, b = length. */
  Inbox: 1,
  /** The peer sent its FIN: there will be no more reads. */
  End: 2,
  /** The kernel has taken the whole queue, after a period in which it took no more. */
  Drain: 3,
  /** The outcome of connect: a = 0 or a negative errno. */
  Connect: 4,
  /** A read failed: a = negative errno. */
  ReadError: 5,
  /** A queued write failed: a = negative errno. */
  WriteError: 6,
  /** On a listener: a = id of the accepted connection. */
  Accept: 7,
  /** On a listener: accept failed, a = negative errno. */
  AcceptError: 8,
  /** The requested shutdown is done: a = 0 or a negative errno. */
  Shutdown: 9,
  /** Bytes are at the start of the buffer of `readInto`: b = length. Nothing is read until setReading(). */
  Into: 10,
  /** The sink has taken all that it was to take, and takes no more: a = 0, or a negative errno of a file. */
  Taken: 11,
  /**
   * On a listener: a = connections that were closed because no descriptor was left, b = -EMFILE or -ENFILE. With 0
   * connections: there was no descriptor to close them with either; they stay queued, and the listener pauses.
   */
  Dropped: 12,
  /** Bytes are at the start of a block: a = its slot, b = length. JavaScript owns a full block from now on. */
  Block: 13,
} as const;
export type Completion = (typeof Completion)[keyof typeof Completion];

/** Replaces the id of a completion that must no longer be dispatched. */
export const NOBODY = -1;
/** int32 per completion. */
export const COMPLETION_WORDS = 4;
/** int32 per submission: id, offset in the arena, length. */
export const SUBMISSION_WORDS = 3;

/** Indexes in `NativeEngineLayout.shared`. */
export const Shared = {
  /** Submissions written and not yet gathered: JavaScript increments it, the addon resets it to 0. */
  Submitted: 0,
  /** 1 during a batch and until its flush: writes made meanwhile are sent without a call to flush. */
  InTurn: 1,
  /** 1 while the arena holds bytes of submissions already gathered. */
  Gathered: 2,
  /**
   * The reasons for a call of the turn handler: completions, a bit set of the block slots that are empty and wanted,
   * ...
   */
  Completions: 3,
  SlotsWanted: 4,
  /** ... or results of the flush. */
  Results: 5,
  /** 1: the lent slab has memory that JavaScript does not see yet. */
  LentReplaced: 6,
  /** 1: the only handler of a batch has written and run for longer than writes may wait. JavaScript resets it to 0. */
  RanLong: 7,
} as const;
/** Offset of a double after them: libuv's clock in milliseconds when the batch began. */
export const TURN_BEGAN_OFFSET = 32;
/** int32 per flush result: id, negative errno or 0, bytes still queued. */
export const RESULT_WORDS = 3;
/**
 * One full read. Larger blocks come from mmap or are trimmed off the heap when freed, and cost a page fault per 4 KiB
 * each time: 256 KiB blocks made allocation five times as expensive per MiB received.
 */
export const BLOCK_BYTES = 64 * 1024;

/** The engine's counters; all are totals since it was created. Order of `NativeEngine.counters()`. */
export const ENGINE_COUNTERS = [
  'turns',
  'completions',
  'reads',
  'sends',
  'partialSends',
  'eagains',
  'accepted',
  /** Connections that were closed at once because no descriptor was left. */
  'dropped',
  /** Spins begun; those ended by a completion, and by the clock; polls in them that found nothing. */
  'spins',
  'spinHits',
  'spinMisses',
  'spinPolls',
  /** Ranges of pages sent completely, and bytes of pages: lent to the kernel; then those that it copied instead. */
  'pagesByReference',
  'pageBytesByReference',
  'pagesByCopy',
  'pageBytesByCopy',
  /** As counted per connection. */
  'files',
  'filesCopied',
  'bytesByReference',
] as const;
/** A connection's counters; order of `NativeEngine.connectionCounters()`. */
export const CONNECTION_COUNTERS = [
  'bytesRead',
  'bytesWritten',
  'reads',
  'sends',
  'partialSends',
  'eagains',
  'turns',
  /** Ranges of files sent; those of them that were copied; bytes sent by reference. */
  'files',
  'filesCopied',
  'bytesByReference',
  /** Reads that returned bytes; the EAGAINs of sends; waits for room in the kernel, and nanoseconds spent in them. */
  'messages',
  'sendEagains',
  'waits',
  'waitNanos',
] as const;

/** A server's counters; order of `NativeTally.totals()`. All but the two marked are totals. */
export const SERVER_COUNTERS = [
  /** Connections taken from the queue; those of them that were closed at once because no descriptor was left. */
  'accepted',
  'shed',
  /** The longest queue seen. */
  'queueHighWater',
  /** Event-loop iterations in which any connection, or the queue, was ready. */
  'turns',
  /** Live connections, now. */
  'active',
  'messages',
  'bytesRead',
  'bytesWritten',
  'reads',
  'readEagains',
  'sends',
  'partialSends',
  'sendEagains',
  'waits',
  'waitNanos',
] as const;

/** Indexes in `NativeEngineLayout.requestHead`; offsets are from the first byte of the header block. */
export const RequestHead = {
  /** Index into the methods of src/node/http-parser.ts. */
  Method: 0,
  /** -1: none. */
  ContentLength: 1,
  HeaderCount: 2,
  /** Of HTTP/1: 0 or 1. */
  MinorVersion: 3,
  /** Whether another request may follow on the connection: 0 or 1. */
  KeepsAlive: 4,
  /** Whether there is a Host: 0 or 1. */
  HasHost: 5,
  TargetStart: 6,
  TargetEnd: 7,
  /**
   * Four for each header: start and end of its name, start and end of its value. A negative start is that of a known
   * name: its index in the list of `setHeaderNames`, complemented (`~start`).
   */
  Headers: 8,
} as const;

/** Indexes in `NativeEngineLayout.uwsgiHead`; offsets are from the first variable. */
export const UwsgiHead = {
  /** Of all variables. */
  VariableCount: 0,
  /** -1: none. */
  ContentLength: 1,
  HeaderCount: 2,
  MethodStart: 3,
  MethodEnd: 4,
  UrlStart: 5,
  UrlEnd: 6,
  /** Of SERVER_PROTOCOL, where that is not HTTP/1.1; otherwise empty. */
  ProtocolStart: 7,
  ProtocolEnd: 8,
  /** As those of `RequestHead`; the list is that of `setVariableNames`. */
  Headers: 9,
} as const;

/** A send buffer sized, within limits, for what is written at once. UNIX sockets; TCP's grows by itself. */
export const AUTO_BUFFER = -1;
