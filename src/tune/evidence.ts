/** The evidence for advice: what was observed of a server or a connection over a period. */

/** Sizes of the responses that had to wait for room; a response is everything written between two reads. */
export interface WaitingAnswers {
  /** Their number. */
  count: number;
  /**
   * Nine of ten are no larger, in bytes. Sizes are counted in classes of a quarter of a power of two; this is the upper
   * end of a class.
   */
  typical: number;
  /** The longest of them, in bytes, in the same classes. */
  largest: number;
}

/** Observations about sending. */
export interface SendEvidence {
  /**
   * `engine`: counted, so nothing is missed. `samples`: sampled, the only means for node's own sockets; what begins and
   * ends between two samples is missed.
   */
  source: 'engine' | 'samples';
  /** Milliseconds watched. */
  duration: number;
  /** Connections that were open at the end. */
  connections: number;
  /** Bytes sent during that time. */
  bytesSent: number;
  /** System calls that sent. Undefined if they cannot be observed, like the next two. */
  sends: number | undefined;
  /** Those of them of which the kernel took only a part. */
  partialSends: number | undefined;
  /** Those of them of which the kernel took nothing (EAGAIN). */
  sendEagains: number | undefined;
  /** How often a connection started to wait for room in its send buffer. */
  waits: number;
  /**
   * The average number of waiting connections: the time of all waits divided by `duration`. For one connection, its share
   * of waiting.
   */
  waiting: number;
  /** The average duration of a wait, in milliseconds. */
  meanWait: number | undefined;
  /** The responses that had to wait for room; undefined: none had. */
  answers: WaitingAnswers | undefined;
  /** SO_SNDBUF as it reads back: the connections' median. undefined: no connection could be queried. */
  sendBufferSize: number | undefined;
  /** Whether the connections are TCP, which sizes its buffers by itself until a size is set. */
  tcp: boolean;
}

/** Observations about a listener's accept queue. */
export interface QueueEvidence {
  /** The longest queue seen. */
  highWater: number;
  /** The queue's capacity: the requested backlog after the kernel's limit. */
  backlog: number;
}

/** Classes of `NativeTally.answers()` per power of two. */
const CLASSES = 4;

/** The end of a class. */
function upperEnd(index: number): number {
  return 2 ** Math.floor(index / CLASSES) * (1 + ((index % CLASSES) + 1) / CLASSES);
}

const TYPICAL = 0.9;

/** Summarizes a count per class. undefined: there were none. */
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
