/**
 * The numbers and names of the JavaScript/native boundary: what both sides write into shared memory, and the order of the
 * counters. native/js_abi.cc hands out the same from the addon's own tables; test/binding compares the two.
 */

/** What happened to a connection or listener. One completion is four int32: id, event, a, b. */
export const Completion = {
  /** Bytes lie in the lent slab: a = offset in `lentMemory()`, b = length. */
  Lent: 0,
  /** Bytes lie in the inbox, which only the engine sees: a = offset, b = length. */
  Inbox: 1,
  /** The peer sent its FIN: nothing more will be read. */
  End: 2,
  /** All that was queued has been handed to the kernel after a time in which it took no more. */
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
  /** The shutdown asked for is done: a = 0 or a negative errno. */
  Shutdown: 9,
  /** Bytes lie at the start of the buffer of `readInto`: b = length. Nothing is read until setReading(). */
  Into: 10,
  /** What stands in for JS has taken all that it was to take, and takes no more: a = 0, or a negative errno of a file. */
  Taken: 11,
  /**
   * On a listener: a = connections that were closed as there was no descriptor left, b = -EMFILE or -ENFILE. With 0
   * connections: there was none to close them with either; they wait, and the listener rests for a while.
   */
  Dropped: 12,
  /** Bytes lie at the start of a block: a = its slot, b = length. A block that is full is JS's from now on. */
  Block: 13,
} as const;
export type Completion = (typeof Completion)[keyof typeof Completion];

/** The id of a completion that is no longer to be dispatched. */
export const NOBODY = -1;
/** int32 per completion. */
export const COMPLETION_WORDS = 4;
/** int32 per submission: id, offset in the arena, length. */
export const SUBMISSION_WORDS = 3;

/** Words of `NativeEngineLayout.shared`. */
export const Shared = {
  /** Submissions put down and not yet gathered: JS counts up, the addon sets it to 0. */
  Submitted: 0,
  /** 1 during a batch and until its flush: what is written now is handed over without being asked. */
  InTurn: 1,
  /** 1 while bytes of submissions already gathered stand in the arena. */
  Gathered: 2,
  /** What the turn handler is called for: completions, a bit set of the block slots that are empty and wanted, ... */
  Completions: 3,
  SlotsWanted: 4,
  /** ... or results of the flush. */
  Results: 5,
  /** 1: the lent slab has memory that JS does not show yet. */
  LentReplaced: 6,
  /** 1: a lone handler that wrote has run for longer than writes may wait. JS sets it to 0. */
  RanLong: 7,
} as const;
/** Where a double follows them: the milliseconds that libuv's clock read when the batch began. */
export const TURN_BEGAN_OFFSET = 32;
/** int32 per flush result: id, negative errno or 0, bytes still queued. */
export const RESULT_WORDS = 3;
/**
 * One full read. Larger blocks come from mmap or are trimmed off the heap when freed, and cost a page fault per 4 KiB each
 * time: 256 KiB blocks made a MiB received five times as dear to allocate.
 */
export const BLOCK_BYTES = 64 * 1024;

/** Numbers the engine counts; all are totals since it was made. Order of `NativeEngine.counters()`. */
export const ENGINE_COUNTERS = [
  'turns',
  'completions',
  'reads',
  'sends',
  'partialSends',
  'eagains',
  'accepted',
  /** Connections that were closed instead, as there was no descriptor left. */
  'dropped',
  /** Spins begun; those ended by a completion, and by the clock; polls in them that found nothing. */
  'spins',
  'spinHits',
  'spinMisses',
  'spinPolls',
  /** Ranges of pages sent to their end, and bytes of pages: lent to the kernel; then those that it did not take so. */
  'pagesByReference',
  'pageBytesByReference',
  'pagesByCopy',
  'pageBytesByCopy',
  /** As a connection counts them. */
  'files',
  'filesCopied',
  'bytesByReference',
] as const;
/** Numbers a connection counts; order of `NativeEngine.connectionCounters()`. */
export const CONNECTION_COUNTERS = [
  'bytesRead',
  'bytesWritten',
  'reads',
  'sends',
  'partialSends',
  'eagains',
  'turns',
  /** Ranges of files that have been sent; those of them that were copied; bytes that went by reference. */
  'files',
  'filesCopied',
  'bytesByReference',
  /** Reads that have brought bytes; of the EAGAINs, those of sends; waits for room in the kernel, and nanoseconds in them. */
  'messages',
  'sendEagains',
  'waits',
  'waitNanos',
] as const;

/** Numbers that are counted for a server; order of `NativeTally.totals()`. All but the two marked are totals. */
export const SERVER_COUNTERS = [
  /** Connections taken from the queue; those of them that were closed at once for want of descriptors. */
  'accepted',
  'shed',
  /** The most that were found waiting at once. */
  'queueHighWater',
  /** Turns of the loop in which any connection, or the queue, was ready. */
  'turns',
  /** Connections that live, now. */
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

/** Words of `NativeEngineLayout.requestHead`; offsets are from the first byte of the head. */
export const RequestHead = {
  /** Index into the methods of src/node/http-parser.ts. */
  Method: 0,
  /** -1: none. */
  ContentLength: 1,
  HeaderCount: 2,
  TargetStart: 3,
  TargetEnd: 4,
  /** Four for each header: start and end of its name, start and end of its value. */
  Headers: 5,
} as const;

/** A send buffer that is to hold what is handed over at once, within limits. UNIX sockets; TCP's grows by itself. */
export const AUTO_BUFFER = -1;
