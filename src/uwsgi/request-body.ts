/** The body of a request to a uwsgi server. Its length must be known before the first byte is sent. */
import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { argTypeError, argValueError, bodyTooLargeError, contentLengthMismatchError } from '../errors/index.js';
import { whenAborted } from '../config/signal.js';

/** Bytes, text in UTF-8, or a stream of them. */
export type RequestBody = Uint8Array | string | AsyncIterable<Uint8Array | string>;

/** A body ready to be sent. `length` is undefined if there is none. */
export type PreparedBody =
  | { length: number | undefined; bytes: Uint8Array | undefined; source?: undefined }
  | { length: number; source: BodySource; bytes?: undefined };

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Matches a body with its Content-Length; a stream without one is read to its end first. */
export async function prepareBody(
  body: unknown,
  lengthHeader: string | undefined,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<PreparedBody> {
  const said = lengthHeader === undefined ? undefined : parseLength(lengthHeader);
  if (isAsyncIterable(body)) {
    const source = new BodySource(body);
    if (said !== undefined) return { length: said, source };
    const bytes = await source.gather(limit, signal);
    return bytes.length === 0 ? { length: undefined, bytes: undefined } : { length: bytes.length, bytes };
  }
  const bytes = bytesOf(body);
  if (said !== undefined && said !== (bytes?.length ?? 0)) throw contentLengthMismatchError(bytes?.length ?? 0, said);
  return { length: bytes?.length ?? said, bytes };
}

function parseLength(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw argValueError('options.headers.content-length', text);
  return Number(text);
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  throw argTypeError('options.body', 'of type string, an instance of Uint8Array or an async iterable', body);
}

/** A stream of chunks given by the caller. */
export class BodySource {
  private readonly iterator: AsyncIterator<unknown>;
  private over = false;

  constructor(private readonly iterable: AsyncIterable<unknown>) {
    // giveUp() decides whether a stream is destroyed.
    this.iterator =
      iterable instanceof Readable ? iterable.iterator({ destroyOnReturn: false }) : iterable[Symbol.asyncIterator]();
  }

  /** The next chunk, undefined after the last. Rejects with the stream's error. */
  async next(): Promise<Uint8Array | undefined> {
    const result: IteratorResult<unknown, unknown> = await this.iterator.next();
    const { value } = result;
    if (result.done === true) {
      this.over = true;
      return undefined;
    }
    if (value instanceof Uint8Array) return value;
    if (typeof value === 'string') return Buffer.from(value);
    throw argTypeError('chunk', 'of type string or an instance of Uint8Array', value);
  }

  /** Reads the whole stream. */
  async gather(limit: number, signal: AbortSignal | undefined): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let release = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => (release = whenAborted(signal, reject)));
    aborted.catch(() => undefined);
    try {
      for (;;) {
        const chunk = await (signal === undefined ? this.next() : Promise.race([this.next(), aborted]));
        if (chunk === undefined) return Buffer.concat(chunks, length);
        length += chunk.length;
        if (length > limit) throw bodyTooLargeError(limit);
        chunks.push(chunk);
      }
    } catch (error) {
      this.giveUp(error);
      throw error;
    } finally {
      release();
    }
  }

  /** Ends reading early: the rest is not needed. */
  giveUp(error?: unknown): void {
    if (this.over) return;
    this.over = true;
    if (this.iterable instanceof Readable && !(this.iterable instanceof IncomingMessage)) {
      // Our own error: the caller gets it from the promise.
      this.iterable.on('error', () => undefined);
      this.iterable.destroy(error instanceof Error ? error : undefined);
    }
    // If a next() is pending, this waits until it settles; its error no longer matters then.
    this.iterator.return?.().then(undefined, () => undefined);
  }
}
