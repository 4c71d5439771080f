/**
 * The body of a request between who reads it from the connection and the handler, which takes it as a stream, or all of
 * it at once.
 *
 *   open --(its last byte)--> ended
 *     \--(cut off)--> failed        \--(not wanted)--> discarded
 */

/** The side of the connection. */
export interface BodySource {
  /** The handler waits for bytes. */
  wants(): void;
  /** The rest will not be read. */
  abandons(): void;
}

const NOTHING = new Uint8Array(0);

export class RequestBody {
  ended = false;
  discarded = false;
  private failure: Error | undefined;
  private chunks: Uint8Array[] = [];
  private size = 0;
  /** Called at the next change. */
  private waiter: (() => void) | undefined;
  /** All of it is to be kept, however much. */
  private isCollected = false;
  private readonly source: BodySource;
  private readonly highWaterMark: number;

  constructor(source: BodySource, highWaterMark: number) {
    this.source = source;
    this.highWaterMark = highWaterMark;
  }

  // --- the side of the connection ---

  /** Whether the connection should read on. */
  get hasRoom(): boolean {
    return this.discarded || this.isCollected || this.size < this.highWaterMark;
  }

  /** Takes bytes in memory of their own. */
  push(chunk: Uint8Array): void {
    if (this.discarded || this.failure !== undefined) return;
    this.chunks.push(chunk);
    this.size += chunk.length;
    this.tell();
  }

  end(): void {
    this.ended = true;
    this.tell();
  }

  fail(error: Error): void {
    if (this.ended || this.discarded) return;
    this.failure ??= error;
    this.chunks = [];
    this.size = 0;
    this.tell();
  }

  /** The response is over: the rest is not read. */
  discard(): void {
    if (this.discarded) return;
    this.discarded = true;
    this.chunks = [];
    this.size = 0;
    this.source.abandons();
    this.tell();
  }

  private tell(): void {
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.();
  }

  // --- the side of the handler ---

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.waiter = resolve;
      this.source.wants();
    });
  }

  private take(): Uint8Array | undefined {
    const chunk = this.chunks.shift();
    if (chunk !== undefined) this.size -= chunk.length;
    return chunk;
  }

  private get isAtEnd(): boolean {
    return this.chunks.length === 0 && this.ended;
  }

  private get lost(): Error | undefined {
    return (
      this.failure ?? (this.discarded ? new TypeError('The response is over: the request was not read') : undefined)
    );
  }

  /** Each read takes what has come. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream(
      {
        type: 'bytes',
        pull: (controller) => this.give(controller),
        cancel: () => {
          this.discard();
        },
      },
      { highWaterMark: 0 },
    );
  }

  private async give(controller: ReadableByteStreamController): Promise<void> {
    while (this.chunks.length === 0 && !this.ended && this.lost === undefined) await this.change();
    const { lost } = this;
    if (lost !== undefined) {
      controller.error(lost);
      return;
    }
    const chunk = this.take();
    if (chunk !== undefined) controller.enqueue(chunk);
    if (!this.isAtEnd) return;
    controller.close();
    controller.byobRequest?.respond(0);
  }

  /** All bytes, in memory of their own. Rejects if the client is cut off. */
  async whole(): Promise<Uint8Array> {
    this.isCollected = true;
    while (!this.ended && this.lost === undefined) await this.change();
    const { lost, chunks, size } = this;
    if (lost !== undefined) throw lost;
    this.chunks = [];
    this.size = 0;
    if (chunks.length < 2) return chunks[0] ?? NOTHING;
    const all = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}
