/** What an advice rests on: what was seen of a server or a connection over a while. */

/** Sizes of what had to wait for room: all that was written between two things received. */
export interface WaitingAnswers {
  /** How many. */
  count: number;
  /** Nine of ten are no larger, in bytes. Counted in classes of a quarter of a power of two: the upper end of one. */
  typical: number;
  /** The longest of them, in bytes, in the same classes. */
  largest: number;
}

/** What was seen of sending. */
export interface SendEvidence {
  /**
   * `engine`: counted, nothing is missed. `samples`: looked at now and then, as nothing else can be seen of node's own
   * sockets; what begins and ends between two looks is missed.
   */
  source: 'engine' | 'samples';
  /** Milliseconds watched. */
  over: number;
  /** Connections that were open at the end. */
  connections: number;
  /** Bytes that were sent meanwhile. */
  bytesSent: number;
  /** System calls that sent. Undefined where they can't be seen, as the two below. */
  sends: number | undefined;
  /** Those of which the kernel took a part. */
  partialSends: number | undefined;
  /** Those of which it took nothing (EAGAIN). */
  sendEagains: number | undefined;
  /** Times that a connection began to wait for room in its send buffer. */
  waits: number;
  /** How many waited so at any time, on average: the time of all waits by the time watched. Of one connection, the share. */
  waiting: number;
  /** Milliseconds that a wait took, on average. */
  meanWait: number | undefined;
  /** What had to wait for room; undefined: nothing did. */
  answers: WaitingAnswers | undefined;
  /** SO_SNDBUF as it reads back: the middle of the connections'. undefined: nobody could be asked. */
  sendBufferSize: number | undefined;
  /** Whether the connections are TCP's, which sizes its buffers by itself until it is told. */
  tcp: boolean;
}

/** What was seen of a listener's queue. */
export interface QueueEvidence {
  /** The most that waited at once, as far as it was seen. */
  highWater: number;
  /** How many may wait, by what the kernel made of the backlog asked for. */
  backlog: number;
}

/** Classes that `NativeTally.answers()` has to a power of two. */
const CLASSES = 4;

/** Where a class ends. */
function upperEnd(index: number): number {
  return 2 ** Math.floor(index / CLASSES) * (1 + ((index % CLASSES) + 1) / CLASSES);
}

const TYPICAL = 0.9;

/** From a count per class. undefined: there were none. */
export function answersOf(counts: ArrayLike<number>): WaitingAnswers | undefined {
  const all = Array.from(counts);
  const count = all.reduce((sum, n) => sum + n, 0);
  if (count === 0) return undefined;
  let seen = 0;
  const typical = all.findIndex((n) => (seen += n) >= count * TYPICAL);
  return { count, typical: upperEnd(typical), largest: upperEnd(all.findLastIndex((n) => n > 0)) };
}

/** The class of a size. */
export function answerClass(bytes: number): number {
  const power = Math.max(2, Math.floor(Math.log2(Math.max(bytes, 1))));
  return CLASSES * power + Math.min(CLASSES - 1, Math.floor((bytes / 2 ** power - 1) * CLASSES));
}

export function median(values: ArrayLike<number>): number | undefined {
  return Array.from(values).sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
