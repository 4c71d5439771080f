/** Bodies that are sent by reference. */
import { argTypeError, illegalConstructorError } from '../errors/index.js';
import { engineCounters } from '../engine/engine-counters.js';
import { FileRange, type WritePart } from '../binding/file-range.js';
import { Gathering, ordinaryBodies, pageTotals, type Body } from './page-body.js';
import { pageLimitOfThread } from '../config/settings.js';

import { PAGE_THRESHOLD } from './page-body.js';

/** A number of transfers, and their bytes. */
export interface Transfers {
  /** The number of transfers. */
  times: number;
  /** Their total of bytes. */
  bytes: number;
}

/** What `Page.stats()` returns: memory of the process, and counts of the calling thread. */
export interface PageStats {
  /**
   * Live pages of `Page.threshold` bytes or more, including those not yet garbage-collected. Of all threads of the
   * process, as `bytes`; without the addon, of this thread.
   */
  pages: number;
  /** The memory that they use, in bytes. */
  bytes: number;
  /** The limit of `bytes`: see `configure({ pageLimit })`. */
  limit: number;
  /** Large pages that this thread has put into ordinary memory, which is never sent by reference. */
  ordinary: number;
  /** The reason for the last one: the code of a system error, or a description. */
  reason: string | undefined;
  /** Pages that native sockets and channels of this thread have sent by reference. */
  byReference: Transfers;
  /**
   * Pages that they copied: those in ordinary memory (of more than 8 KiB: smaller ones are not distinguished from other
   * writes), and all of them if the kernel does not accept references. Pages written to node:net, TLS and other
   * streams, which see a plain Buffer, are not counted.
   */
  byCopy: Transfers;
}

/** The bytes from which a page can be made at once. */
export type PageSource = Uint8Array | string | readonly Uint8Array[];

/** Pages in ordinary memory that this thread has written to the native transport. The engine counts the others. */
const copied: Transfers = { times: 0, bytes: 0 };

/** Private to this module: pages are made by `Page.from`. */
const MAKE = Symbol('make');

/** As in Buffer: methods of TypedArray derive a plain Buffer from a page. */
const derived = (Buffer as unknown as { [Symbol.species]: BufferConstructor })[Symbol.species];

// Uint8Array makes the instance, and its prototype chain goes through Buffer's: see below.
const Base = Uint8Array as unknown as new (memory: ArrayBuffer, start: number, length: number) => Buffer;

/** The memory of a page; undefined for other bytes. */
let bodyOf: (bytes: Uint8Array) => Body | undefined;

/**
 * An immutable body: a cached response, a bundle, an image, a message for ten thousand sockets. It is made once and
 * sent any number of times to any number of connections; native sockets and channels hand the kernel references to its
 * memory instead of copies.
 *
 * It is a Buffer, and can be used wherever one can: `socket.write(page)`, `response.end(page)`, a TLS socket, a file.
 * The native transport always sends the original bytes, even if a program writes to the page: that changes only what it
 * and other users of this Buffer see.
 *
 * From `Page.threshold` bytes on, the body is in a sealed file in memory (Linux), and takes one descriptor. That memory
 * is freed when no JavaScript code has the page, or a buffer made of it, and no connection has any of it to send. A
 * smaller page, or one on a system that has no such memory or no free descriptor, is in ordinary memory: an ordinary
 * Buffer, which is copied when it is sent.
 *
 * A page belongs to its thread: posted to another, it arrives there as a copy, an ordinary Uint8Array.
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

  /** The size in bytes from which on pages are sent by reference. */
  static readonly threshold = PAGE_THRESHOLD;

  /**
   * Makes a page with a copy of these bytes; a string is encoded as UTF-8, several parts become one body.
   *
   * Throws ERR_NEARWIRE_PAGE_LIMIT if the pages of this process would exceed `configure({ pageLimit })`, before any
   * memory is allocated, and a system error (`pwrite ENOSPC`, `pwrite ENOMEM`) if the system has no more memory.
   */
  static from(body: PageSource): Page;
  /**
   * Makes a page of everything that a stream delivers, bytes or strings, as it arrives: a large page never needs a
   * second copy. Rejects with the stream's error, or those named above; then the stream is destroyed, and nothing is
   * held.
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

  /** Returns the number of pages, their memory and how they were sent. */
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

  /** The class of the results of a page's `slice()`, `map()` and other methods: Buffer, not `Page`. */
  static get [Symbol.species](): BufferConstructor {
    return derived;
  }

  /**
   * The bytes as a separate Buffer, the same one each time: writing to it changes neither the page, nor what any
   * transport sends of it. It shares the memory of a large page (written parts are copied first, 4 KiB at a time); of
   * ordinary memory it is a copy.
   */
  get bytes(): Buffer {
    return (this.#bytes ??= this.#view());
  }

  #view(): Buffer {
    const memory = this.#body.sealed?.map();
    // No mapping is available: a copy has the same effect.
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

/** Copies the array: the caller's might return other elements the next time. */
function checkedParts(parts: readonly unknown[]): Uint8Array[] {
  return Array.from(parts, (part, index) => {
    if (part instanceof Uint8Array) return part;
    throw argTypeError(`body[${String(index)}]`, 'an instance of Buffer or Uint8Array', part);
  });
}

/**
 * What the native transport sends for `[start, end)` of these bytes if they are a page that is sent by reference;
 * otherwise undefined, and pages are counted as copied.
 */
export function referenceTo(bytes: Uint8Array, start: number, end: number): FileRange | undefined {
  const body = bodyOf(bytes);
  if (body === undefined) return undefined;
  if (body.sealed !== undefined) return new FileRange(body.sealed, start, end - start);
  copied.times++;
  copied.bytes += end - start;
  return undefined;
}

/** These parts with pages replaced by references; undefined if there are none. */
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
