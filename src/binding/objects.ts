/**
 * The JavaScript/native boundary: objects shared by threads or independent of an engine: pages, counters, the balance
 * of a cluster.
 */

/** The counters of one server, across all its listeners and accepted connections. */
export interface NativeTally {
  /** The numbers named by `SERVER_COUNTERS`. */
  totals(): Float64Array;
  /**
   * How many responses (bytes sent between two reads) the kernel has not taken at once, by size, with or without the
   * current ones: four classes to each power of two. Class `4 * p + q` begins at `2 ** p * (1 + q / 4)` bytes.
   */
  answers(underWay: boolean): Float64Array;
  /** SO_SNDBUF as read back, of the first `most` live connections. */
  sendBuffers(most: number): Float64Array;
}

/**
 * A body in sealed memory: opened, filled by `append`, sealed, mapped. It may also represent a body in JavaScript's
 * memory, and then only accounts for that.
 */
export interface NativePage {
  /**
   * Adds bytes to the total of this process's live pages, in all its threads. Call it before memory is allocated for
   * them. They are subtracted when neither this object, nor a mapping, nor a queue holds the page. EDQUOT: the total
   * would exceed `limit`.
   */
  reserve(bytes: number, limit: number): number;
  /** ENOSYS if the system has no such memory. */
  open(): number;
  append(bytes: Uint8Array): number;
  seal(): number;
  /**
   * The bytes, in a mapping of its own: writing to it changes nothing else. A copy where memory from outside V8 is not
   * allowed.
   */
  map(): ArrayBuffer | number;
  /** Copies the first bytes, as many as fit. */
  read(into: Uint8Array): number;
  /** Releases everything at once. */
  close(): void;
}

/**
 * Memory in which the processes that accept from one listening socket publish how many connections they have. It has
 * `BALANCE_PLACES` places, numbered from 0.
 */
export interface NativeBalance {
  /** Creates the memory. */
  open(): number;
  /** A socket that holds the memory, to be sent to another process. The caller must close it. */
  pack(): number;
  /** Takes the memory from a socket that another process created with `pack()`. The socket stays open. */
  unpack(socket: number): number;
  /** Frees the place of a process that is gone; it may have ended without notice. */
  vacate(place: number): void;
  /** Releases the memory here; a listener that has a place in it keeps it. */
  close(): void;
}

/** As in native/balance.h. */
export const BALANCE_PLACES = 64;
