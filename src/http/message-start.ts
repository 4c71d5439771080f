/** When a message began, and whether it has been told that it has not arrived in time: that is told once. */
import { loopTime } from '../engine/thread-engine.js';
import { isLate } from '../exchange/is-late.js';

export class MessageStart {
  readonly at: number;
  isTold: boolean;

  constructor(at = loopTime(), isTold = false) {
    this.at = at;
    this.isTold = isTold;
  }

  /** Whether it should have arrived by now. Times are in milliseconds; 0 means no limit. */
  takeLate(now: number, hasHead: boolean, headersTimeout: number, requestTimeout: number): boolean {
    if (this.isTold) return false;
    return (this.isTold = isLate(now - this.at, hasHead, headersTimeout, requestTimeout));
  }
}

/** A message that has begun behind others, of which all has come. */
export interface BegunBehind {
  readonly start: MessageStart;
  others: number;
}
