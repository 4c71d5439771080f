/** The body of an answer, as a stream that knows its end. */
import { Readable } from 'node:stream';
import { shortBodyError } from '../errors/index.js';
import { copyOf } from '../memory/own-memory.js';
import type { Framing } from './answer.js';
import { ChunkedDecoder } from './chunked.js';

export interface BodyOwner {
  /** More is wanted, after `takeBytes()` has answered false. */
  resume(): void;
  /** The reader has had enough. */
  drop(): void;
}

export class AnswerBody extends Readable {
  private readonly chunked: ChunkedDecoder | undefined;
  private readonly length: number;
  private bytes = 0;

  constructor(
    private readonly framing: Framing,
    private readonly owner: BodyOwner,
  ) {
    super();
    this.chunked = framing.kind === 'chunked' ? new ChunkedDecoder() : undefined;
    this.length = framing.kind === 'length' ? framing.length : framing.kind === 'none' ? 0 : Number.POSITIVE_INFINITY;
  }

  /** True: all of it has come. What stands behind its end is dropped. */
  get complete(): boolean {
    return this.chunked?.over ?? this.bytes === this.length;
  }

  /** Takes bytes, which are copied. False: the reader has enough for now. Throws if they can't be a body's. */
  takeBytes(data: Buffer, start: number, end: number): boolean {
    const pieces: Buffer[] = [];
    const take = (from: number, until: number): void => {
      this.bytes += until - from;
      pieces.push(copyOf(data, from, until));
    };
    let room = true;
    try {
      if (this.chunked !== undefined) this.chunked.decode(data, start, end, take);
      else if (end > start && this.bytes < this.length) take(start, Math.min(end, start + this.length - this.bytes));
    } finally {
      // Behind all of it, as what is lent may be gone when a listener has done its work.
      for (const piece of pieces) room = this.push(piece);
    }
    return room;
  }

  /** The server has closed. Answers what is wrong with that, if anything. */
  closedBy(): Error | undefined {
    if (this.framing.kind === 'close' || this.complete) return undefined;
    return this.chunked === undefined
      ? shortBodyError(this.bytes, this.length - this.bytes)
      : shortBodyError(this.bytes);
  }

  override _read(): void {
    this.owner.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.owner.drop();
    callback(error);
  }
}
