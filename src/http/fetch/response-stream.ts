/**
 * Sends the body of a response that is a stream, and so every body of a genuine Response. Where the stream is at its end
 * after the first piece, as that of a string is, all is sent at once with its length.
 */
import { contentLengthMismatchError } from '../../errors/index.js';
import type { ResponseParts } from './response-parts.js';

/** The exchange. */
export interface StreamTarget {
  readonly isGone: boolean;
  readonly isOver: boolean;
  sendKnown(parts: ResponseParts, body: string | Uint8Array): void;
  beginStream(parts: ResponseParts): boolean;
  write(chunk: Uint8Array): boolean;
  endStream(): void;
  breakStream(error: unknown): void;
  /** Before anything has been sent. */
  fail(error: unknown): void;
}

type Result = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>;

export class ResponseStream {
  private readonly target: StreamTarget;
  private readonly stream: ReadableStream<Uint8Array>;
  private readonly parts: ResponseParts;
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private hasBegun = false;
  private isReading = false;
  private sent = 0;

  constructor(target: StreamTarget, stream: ReadableStream<Uint8Array>, parts: ResponseParts) {
    this.target = target;
    this.stream = stream;
    this.parts = parts;
  }

  begin(): void {
    try {
      this.reader = this.stream.getReader();
    } catch (error) {
      // The program has begun to read it since the handler has returned it.
      this.target.fail(error);
      return;
    }
    this.read((result) => {
      if (result.done) this.target.sendKnown(this.parts, '');
      else this.lookAhead(checked(result.value));
    });
  }

  private get isLeft(): boolean {
    return this.reader === undefined || this.target.isGone || this.target.isOver;
  }

  private read(then: (result: Result) => void): void {
    const { reader } = this;
    if (reader === undefined || this.isReading) return;
    this.isReading = true;
    reader.read().then(
      (result) => {
        this.isReading = false;
        if (this.isLeft) return;
        try {
          then(result);
        } catch (error) {
          this.break(error);
        }
      },
      (error: unknown) => {
        this.isReading = false;
        this.break(error);
      },
    );
  }

  /** The first piece waits for the second as long as promises take: until the next tick. */
  private lookAhead(first: Uint8Array): void {
    let waits = true;
    const begin = (): void => {
      waits = false;
      if (this.isLeft) return;
      this.hasBegun = true;
      if (this.target.beginStream(this.parts)) this.send(first);
      else this.cancel(undefined);
    };
    process.nextTick(() => {
      if (!waits) return;
      try {
        begin();
      } catch (error) {
        this.break(error);
      }
    });
    this.read((result) => {
      if (waits && result.done) {
        waits = false;
        this.target.sendKnown(this.parts, first);
        return;
      }
      if (waits) begin();
      this.take(result);
    });
  }

  private readonly take = (result: Result): void => {
    if (this.isLeft) return;
    if (result.done) this.end();
    else if (this.send(checked(result.value))) this.read(this.take);
  };

  /** There is room again. */
  go(): void {
    if (this.hasBegun && !this.isLeft) this.read(this.take);
  }

  private send(chunk: Uint8Array): boolean {
    const { length } = this.parts;
    this.sent += chunk.length;
    if (length !== undefined && this.sent > length) throw contentLengthMismatchError(this.sent, length);
    return chunk.length === 0 || this.target.write(chunk);
  }

  private end(): void {
    const { length } = this.parts;
    if (length !== undefined && this.sent < length) throw contentLengthMismatchError(this.sent, length);
    this.target.endStream();
  }

  private break(error: unknown): void {
    if (this.isLeft) return;
    this.cancel(error);
    if (this.hasBegun) this.target.breakStream(error);
    else this.target.fail(error);
  }

  /** The rest is not wanted. Its source may fail to stop, or never answer. */
  cancel(reason: unknown): void {
    const { reader } = this;
    this.reader = undefined;
    reader?.cancel(reason).catch(() => undefined);
  }
}

function checked(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('The body of the response has a chunk that is not a Uint8Array');
}
