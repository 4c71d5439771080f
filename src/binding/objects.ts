/** The boundary, for what is shared by threads or lives beside an engine: pages, counters, the balance of a cluster. */

/** The counters of one server: of all that it has ever listened on and accepted. */
export interface NativeTally {
  /** The numbers named by `SERVER_COUNTERS`. */
  totals(): Float64Array;
  /**
   * How many answers (bytes sent between two things received) have not been taken by the kernel at once, by size, those
   * under way included or not: four classes to each power of two. Class `4 * p + q` begins at `2 ** p * (1 + q / 4)` bytes.
   */
  answers(underWay: boolean): Float64Array;
  /** SO_SNDBUF as it reads back, of the first so many living connections. */
  sendBuffers(most: number): Float64Array;
}

/**
 * A body in sealed memory: opened, filled by `append`, sealed, mapped. It may also stand for one that lies in memory of
 * JS, and do no more than account for that.
 */
export interface NativePage {
  /**
   * Adds bytes to what the living pages of this process come to, all threads of it together; before memory is taken for
   * them. They are taken off when neither this object nor a mapping, nor a queue, has the page. EDQUOT: it would be more
   * than `limit`.
   */
  reserve(bytes: number, limit: number): number;
  /** ENOSYS where there is no such memory. */
  open(): number;
  append(bytes: Uint8Array): number;
  seal(): number;
  /**
   * The bytes, in a mapping of its own: what is written to it changes nothing else. Where memory from outside V8 is not
   * allowed, a copy.
   */
  map(): ArrayBuffer | number;
  /** Copies the first bytes, as many as there is room for. */
  read(into: Uint8Array): number;
  /** Gives all up at once. */
  close(): void;
}

/**
 * Memory in which the processes that accept from one listening socket tell each other how many connections they have. It
 * has `BALANCE_PLACES` places, which are numbered from 0.
 */
export interface NativeBalance {
  /** Makes new memory. */
  open(): number;
  /** A socket that holds the memory, to be sent to another process; the caller's to close. */
  pack(): number;
  /** Takes the memory out of a socket that `pack()` of another process has made. The socket stays open. */
  unpack(socket: number): number;
  /** Whoever had the place is gone: it may have ended without a word. */
  vacate(place: number): void;
  /** Gives the memory up here; a listener that has a place in it keeps it. */
  close(): void;
}

/** native/balance.h has the same. */
export const BALANCE_PLACES = 64;
