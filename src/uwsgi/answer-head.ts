/** Takes the head of an answer as it comes, in any pieces. */
import { answerHeadTooLargeError } from '../errors/index.js';
import { endOfHead, parseHead, type AnswerHead } from './answer.js';

const NOTHING = Buffer.alloc(0);
/** An end may begin this many bytes before what comes next. */
const END_BYTES = 3;
const SWITCHING_PROTOCOLS = 101;

export class HeadReader {
  private held = NOTHING;
  private passedOver = 0;

  /** Bytes that may come before the head is over. */
  constructor(private readonly limit: number) {}

  /** All bytes so far. */
  get length(): number {
    return this.passedOver + this.held.length;
  }

  /** What came before the final answer (103 Early Hints) is passed over, and counts for the limit. */
  take(piece: Uint8Array): { head: AnswerHead; rest: Buffer } | undefined {
    let from = Math.max(0, this.held.length - END_BYTES);
    // What comes is lent: it is copied in any case.
    this.held = Buffer.concat([this.held, piece]);
    for (;;) {
      const end = endOfHead(this.held, from);
      if (this.passedOver + (end < 0 ? this.held.length : end) > this.limit) throw answerHeadTooLargeError(this.limit);
      if (end < 0) return undefined;
      const head = parseHead(this.held.subarray(0, end));
      const rest = this.held.subarray(end);
      if (head.statusCode >= 200 || head.statusCode === SWITCHING_PROTOCOLS) return { head, rest };
      this.held = rest;
      this.passedOver += end;
      from = 0;
    }
  }
}
