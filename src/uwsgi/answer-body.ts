/** The body of a response, as a stream that knows where it ends. */
import { Readable } from 'node:stream';
import { shortBodyError } from '../errors/index.js';
import { copyOf } from '../memory/own-memory.js';
import type { Framing } from './answer.js';
import { ChunkedDecoder } from './chunked.js';

export interface BodyOwner {
  /** Called for more data after `takeBytes()` has returned false. */
  resume(): void;
  /** The reader has destroyed the body. */
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

  /** Whether the whole body has arrived. Bytes after its end are dropped. */
  get complete(): boolean {
    return this.chunked?.over ?? this.bytes === this.length;
  }

  /**
   * Takes bytes, which are copied. Returns false if the reader has enough for now. Throws if they are not a valid body.
   */
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
      // Only after everything is copied: the lent memory may change as soon as a listener has run.
      for (const piece of pieces) room = this.push(piece);
    }
    return room;
  }

  /** The server has closed. Returns an error if that was too early. */
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
