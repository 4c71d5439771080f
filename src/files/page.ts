/** Bodies that are sent by reference. */
import { argTypeError, illegalConstructorError } from '../errors/index.js';
import { engineCounters } from '../engine/engine-counters.js';
import { FileRange, type WritePart } from '../binding/file-range.js';
import { Gathering, ordinaryBodies, pageTotals, type Body } from './page-body.js';
import { pageLimitOfThread } from '../config/settings.js';

import { PAGE_THRESHOLD } from './page-body.js';

/** What has been sent, and how many bytes that was. */
export interface Transfers {
  /** How often. */
  times: number;
  /** The bytes of all of them. */
  bytes: number;
}

/** What `Page.stats()` returns: memory of the process, and counts of the calling thread. */
export interface PageStats {
  /**
   * Living pages of `Page.threshold` bytes or more, those that the collector has not found yet among them. Of all threads of
   * the process, as `bytes`; where the addon is not there, of this one.
   */
  pages: number;
  /** The memory that they take, in bytes. */
  bytes: number;
  /** What `bytes` may come to: see `configure({ pageLimit })`. */
  limit: number;
  /** Large pages that this thread has made in ordinary memory, which is never sent by reference. */
  ordinary: number;
  /** Why the last one was: the code of a system error, or in words. */
  reason: string | undefined;
  /** Pages that native sockets and channels of this thread have sent, which the kernel was lent. */
  byReference: Transfers;
  /**
   * Those that they copied: pages in ordinary memory (of more than 8 KiB: smaller ones are not told from other writes), and
   * all where the kernel does not take references. What node:net, TLS and other streams do with a page, which is a Buffer
   * to them, is not seen.
   */
  byCopy: Transfers;
}

/** What a page can be made of at once. */
export type PageSource = Uint8Array | string | readonly Uint8Array[];

/** Pages in ordinary memory, as they were written to native transport by this thread. The engine counts the others. */
const copied: Transfers = { times: 0, bytes: 0 };

/** Known to this module alone: pages are made by `Page.from`. */
const MAKE = Symbol('make');

/** As Buffer has it: what is derived from a page by methods of TypedArray is a plain Buffer. */
const derived = (Buffer as unknown as { [Symbol.species]: BufferConstructor })[Symbol.species];

// The instance is made by Uint8Array, and its prototype chain goes through Buffer's: see below.
const Base = Uint8Array as unknown as new (memory: ArrayBuffer, start: number, length: number) => Buffer;

/** What a page is made of; undefined for other bytes. */
let bodyOf: (bytes: Uint8Array) => Body | undefined;

/**
 * An immutable body: a response that is kept, a bundle, an image, a message for ten thousand sockets. It is made once, and
 * sent any number of times to any number of connections; native sockets and channels hand the kernel references to its
 * memory instead of copies.
 *
 * It is a Buffer, and can go wherever one can: `socket.write(page)`, `response.end(page)`, a TLS socket, a file. What
 * native transport sends is what the page was made of, even if a program writes to it, which changes only what it and
 * other users of this Buffer see.
 *
 * From `Page.threshold` bytes on it lies in a sealed file in memory (Linux), and takes one descriptor. That memory is freed
 * when neither JavaScript has the page, nor a buffer made of it, nor a connection has any of it to send. A smaller page,
 * or one of a system that has no such memory or no descriptor left, is ordinary memory: an ordinary Buffer, copied by whoever
 * sends it.
 *
 * A page belongs to its thread: what is posted to another arrives there as a copy, an ordinary Uint8Array.
 */
export class Page extends Base {
  readonly #body: Body;
  #bytes: Buffer | undefined;

  static {
    bodyOf = (bytes) => (#body in bytes ? bytes.#body : undefined);
    Object.setPrototypeOf(Page.prototype, Buffer.prototype as object);
  }

  private constructor(key: typeof MAKE, body: Body) {
    if ((key as unknown) !== MAKE) throw illegalConstructorError();
    super(body.memory, 0, body.length);
    this.#body = body;
  }

  /** From how many bytes on pages are sent by reference. */
  static readonly threshold = PAGE_THRESHOLD;

  /**
   * Makes a page of a copy of these bytes; a string is taken as UTF-8, several parts become one body.
   *
   * Throws ERR_NEARWIRE_PAGE_LIMIT if the pages of this process would come to more than `configure({ pageLimit })` allows,
   * before any memory is taken, and a system error (`pwrite ENOSPC`, `pwrite ENOMEM`) if the system has no more.
   */
  static from(body: PageSource): Page;
  /**
   * Makes a page of all that a stream brings, bytes or strings, as it comes: no second copy is ever held, if the page is
   * large. Rejects with the stream's error, or those named above; then the stream is destroyed, and nothing is held.
   */
  static from(body: AsyncIterable<Uint8Array | string>): Promise<Page>;
  static from(body: PageSource | AsyncIterable<Uint8Array | string>): Page | Promise<Page> {
    if (typeof body === 'string') return Page.#of([Buffer.from(body)]);
    if (body instanceof Uint8Array) return Page.#of([body]);
    if (Array.isArray(body)) return Page.#of(checkedParts(body));
    if (isAsyncIterable(body)) return Page.#gather(body);
    throw argTypeError('body', 'of type string, an instance of Uint8Array, an Array of them, or a stream', body);
  }

  static #of(parts: readonly Uint8Array[]): Page {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const gathering = new Gathering(length);
    for (const part of parts) gathering.add(part);
    return new Page(MAKE, gathering.finish());
  }

  static async #gather(body: AsyncIterable<unknown>): Promise<Page> {
    const gathering = new Gathering();
    try {
      for await (const chunk of body) gathering.add(checkedBytes(chunk, 'chunk'));
    } catch (error) {
      gathering.abandon();
      throw error;
    }
    return new Page(MAKE, gathering.finish());
  }

  /** Counts the pages, their memory and how they were sent. */
  static stats(): PageStats {
    const { made, reason } = ordinaryBodies();
    const sent = engineCounters();
    return {
      ...pageTotals(),
      limit: pageLimitOfThread(),
      ordinary: made,
      reason,
      byReference: { times: sent.pagesByReference, bytes: sent.pageBytesByReference },
      byCopy: { times: copied.times + sent.pagesByCopy, bytes: copied.bytes + sent.pageBytesByCopy },
    };
  }

  /** The class of what `slice()`, `map()` and other methods make of a page: Buffer, not `Page`. */
  static get [Symbol.species](): BufferConstructor {
    return derived;
  }

  /**
   * The bytes as a Buffer of its own, the same one each time: writing to it changes neither the page, nor what any transport
   * sends of it. Large pages lend it the memory they have (what is written to is copied then, 4 KiB at a time); of ordinary
   * memory it is a copy.
   */
  get bytes(): Buffer {
    return (this.#bytes ??= this.#view());
  }

  #view(): Buffer {
    const memory = this.#body.sealed?.map();
    // No mapping to be had: a copy does the same.
    return memory === undefined || typeof memory === 'number' ? Buffer.from(this) : Buffer.from(memory);
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function checkedBytes(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  throw argTypeError(name, 'of type string or an instance of Buffer or Uint8Array', value);
}

/** An array of its own: the caller's might answer otherwise the next time. */
function checkedParts(parts: readonly unknown[]): Uint8Array[] {
  return Array.from(parts, (part, index) => {
    if (part instanceof Uint8Array) return part;
    throw argTypeError(`body[${String(index)}]`, 'an instance of Buffer or Uint8Array', part);
  });
}

/**
 * What native transport sends for `[start, end)` of these bytes, if they are a page that goes by reference; else
 * undefined, and pages are counted as copied.
 */
export function referenceTo(bytes: Uint8Array, start: number, end: number): FileRange | undefined {
  const body = bodyOf(bytes);
  if (body === undefined) return undefined;
  if (body.sealed !== undefined) return new FileRange(body.sealed, start, end - start);
  copied.times++;
  copied.bytes += end - start;
  return undefined;
}

/** These parts with references in the place of pages; undefined if there are none. */
export function withReferences(parts: readonly WritePart[]): WritePart[] | undefined {
  let sent: WritePart[] | undefined;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as WritePart;
    if (part instanceof FileRange) continue;
    const reference = referenceTo(part, 0, part.length);
    if (reference !== undefined) (sent ??= parts.slice())[i] = reference;
  }
  return sent;
}
