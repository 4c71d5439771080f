/**
 * The memory of pages: sealed memory of the addon where it pays off and is available, otherwise ordinary memory. Large
 * pages are accounted for in both cases, so that a limit means the same everywhere.
 */
import { constants } from 'node:buffer';
import { getSystemErrorName } from 'node:util';
import { errnoError, outOfRangeError, pageLimitError } from '../errors/index.js';
import { nodeWorkerThreads } from '../runtime/modules.js';
import { addonStatus, type NativePage } from '../binding/addon.js';
import { pageLimitOfThread } from '../config/settings.js';
import { transportStatus } from '../engine/transport.js';

/**
 * Bodies of fewer bytes are ordinary memory and need no descriptor. A node:http response over a UNIX socket, including
 * its headers, takes the server 12.4 us of CPU by reference and 13.1 copied at 16 KiB, 13.7 and 15.7 at 32 KiB, 16.5
 * and 23 at 64 KiB, 127 and 282 at 1 MiB (Linux 6.18, Node 20.20, a virtual Xeon with 2 cores; medians of 3 rounds).
 * Below that, the additional system call for the reference costs more than it saves.
 */
export const PAGE_THRESHOLD = 16 * 1024;

/** The growth factor of the memory if the final size is not known. */
const GROWTH = 2;

const { MAX_LENGTH } = constants;

/** Accounts for one page: its bytes count as long as the page lives. Negative: the limit would be exceeded. */
type Account = Pick<NativePage, 'reserve' | 'close'>;

/** The memory of a page. */
export interface Body {
  memory: ArrayBuffer;
  length: number;
  /** The sealed memory; undefined for a body in ordinary memory. */
  sealed: NativePage | undefined;
  /** Must be kept as long as the memory is used; undefined for a small body. */
  account: unknown;
}

const ordinary = { made: 0, reason: undefined as string | undefined };

/** Large bodies that this thread has put into ordinary memory, and the reason for the last one. */
export function ordinaryBodies(): Readonly<typeof ordinary> {
  return ordinary;
}

// --- accounts of this thread, for use without the addon ---

const totals = { pages: 0, bytes: 0 };

function takeOff(share: { bytes: number }): void {
  if (share.bytes > 0) totals.pages--;
  totals.bytes -= share.bytes;
  share.bytes = 0;
}

const registry = new FinalizationRegistry(takeOff);

class ThreadAccount implements Account {
  private readonly share = { bytes: 0 };

  constructor() {
    registry.register(this, this.share);
  }

  reserve(bytes: number, limit: number): number {
    if (totals.bytes + bytes > limit) return -1;
    if (this.share.bytes === 0) totals.pages++;
    totals.bytes += bytes;
    this.share.bytes += bytes;
    return 0;
  }

  close(): void {
    takeOff(this.share);
  }
}

/** Live large pages and their bytes: of the process, or of this thread without the addon. */
export function pageTotals(): { pages: number; bytes: number } {
  const { addon } = addonStatus();
  if (addon === undefined) return totals;
  const [pages, bytes] = addon.pageTotals();
  return { pages, bytes };
}

/** Why a page cannot have sealed memory; undefined if it can, and then it is open. */
function openSealed(page: NativePage | undefined): string | undefined {
  if (transportStatus().requested === 'js') return 'the transport of this process is js';
  if (page === undefined) return 'the addon is not available';
  const status = page.open();
  return status < 0 ? getSystemErrorName(status) : undefined;
}

/** Collects the bytes of one page. If a call throws, nothing is held any more. */
export class Gathering {
  private length = 0;
  private reserved = 0;
  private account: Account | undefined;
  /** Holds the bytes once they are many. */
  private sealed: NativePage | undefined;
  /** Holds the bytes otherwise: the first `length` bytes are used. */
  private held: Buffer = Buffer.alloc(0);

  /** `expected`: the final number of bytes, if known. */
  constructor(private readonly expected = 0) {
    this.expect(expected);
  }

  add(bytes: Uint8Array): void {
    this.expect(this.length + bytes.length);
    if (this.sealed === undefined) this.hold(bytes);
    else this.append(this.sealed, bytes);
    this.length += bytes.length;
  }

  finish(): Body {
    const { sealed, length } = this;
    if (sealed !== undefined) {
      const status = sealed.seal();
      const memory = status < 0 ? status : sealed.map();
      if (typeof memory !== 'number') return this.lasting(memory, sealed);
      this.retreat(sealed, memory);
    }
    if (this.account !== undefined) ordinary.made++;
    // Growing has left unused memory after the last byte, which would live as long as the page.
    const exact = this.held.length === length ? this.held : copyOf(this.held.subarray(0, length));
    return this.lasting(exact.buffer as ArrayBuffer, undefined);
  }

  private lasting(memory: ArrayBuffer, sealed: NativePage | undefined): Body {
    // Posting a page to another thread must not detach it here. node itself marks the addon's memory; on Node 24 and
    // later that mark is also a key that node lacks when it takes such memory back at the end of the thread, and the
    // process would abort.
    if (sealed === undefined) nodeWorkerThreads().markAsUntransferable(memory);
    return { memory, length: this.length, sealed, account: this.account };
  }

  /** Discards what has been collected. */
  abandon(): void {
    this.account?.close();
    this.account = this.sealed = undefined;
    this.held = Buffer.alloc(0);
  }

  /** Makes sure that this many bytes in total may be used. */
  private expect(total: number): void {
    if (total < PAGE_THRESHOLD || total <= this.reserved) return;
    if (total > MAX_LENGTH) this.fail(outOfRangeError('body.length', `<= ${String(MAX_LENGTH)}`, total));
    const isNew = this.account === undefined;
    const native = isNew ? addonStatus().addon?.createPage() : undefined;
    this.account ??= native ?? new ThreadAccount();
    this.reserve(this.account, total - this.reserved, total);
    this.reserved = total;
    if (isNew) this.start(native);
  }

  private reserve(account: Account, bytes: number, total: number): void {
    const limit = pageLimitOfThread();
    if (account.reserve(bytes, limit) >= 0) return;
    this.fail(pageLimitError(total, pageTotals().bytes - this.reserved, limit));
  }

  private start(page: NativePage | undefined): void {
    const reason = openSealed(page);
    if (reason !== undefined) {
      ordinary.reason = reason;
      return;
    }
    this.sealed = page;
    if (page !== undefined && this.length > 0) this.append(page, this.held.subarray(0, this.length));
    this.held = Buffer.alloc(0);
  }

  private append(page: NativePage, bytes: Uint8Array): void {
    const status = page.append(bytes);
    if (status < 0) this.fail(errnoError(status, 'pwrite'));
  }

  private hold(bytes: Uint8Array): void {
    const needed = this.length + bytes.length;
    if (needed > this.held.length) {
      const isExact = needed <= this.expected;
      const grown = Buffer.allocUnsafeSlow(isExact ? this.expected : Math.min(needed * GROWTH, MAX_LENGTH));
      grown.set(this.held.subarray(0, this.length));
      this.held = grown;
    }
    this.held.set(bytes, this.length);
  }

  /** The system provides such memory and does not seal or map it: falls back to ordinary memory. */
  private retreat(page: NativePage, errno: number): void {
    ordinary.reason = getSystemErrorName(errno);
    this.held = Buffer.allocUnsafeSlow(this.length);
    const status = page.read(this.held);
    if (status < 0) this.fail(errnoError(status, 'pread'));
    page.close();
    this.reserve(page, this.length, this.length);
  }

  private fail(error: Error): never {
    this.abandon();
    throw error;
  }
}

/** A copy in memory of its own. */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
