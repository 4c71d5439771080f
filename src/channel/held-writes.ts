/**
 * The writes of one native channel that are held back while it is corked or a file is being opened, and its files that
 * the kernel has not completely taken.
 */
import { constants } from 'node:os';
import { errnoError } from '../errors/index.js';
import type { FileRange, WritePart } from '../binding/file-range.js';
import { COPY_LIMIT } from '../engine/outbound.js';
import type { FileCarrier, FileChunk } from '../files/file-write.js';

type Callback = (error?: Error | null) => void;

const { ECANCELED } = constants.errno;

/** The part of a channel that is used here. */
export interface HoldingChannel {
  readonly open: boolean;
  /** Sends bytes and ranges of pages that were held back. */
  writeHeld(parts: readonly WritePart[]): void;
  /**
   * Sends the range in its place among the writes. Returns the bytes still queued, or a negative errno, which the
   * channel handles.
   */
  sendRange(range: FileRange): number;
  withdrawRange(range: FileRange): boolean;
  destroy(error?: Error): void;
  /** Everything that was held back has been written. */
  onReleased(): void;
}

interface Held {
  /** In bytes. */
  readonly length: number;
  readonly parts?: readonly WritePart[];
  /** A held call: of everything but parts. */
  readonly run?: () => void;
  readonly callback?: Callback;
}

interface Sent {
  chunk: FileChunk;
  callback: Callback;
}

const lengthOf = (parts: readonly { length: number }[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/**
 * Joins short neighbors: handing a part to the kernel costs more than copying it, and one sendmsg takes a limited
 * number.
 */
function joinShort(parts: readonly WritePart[]): WritePart[] {
  const joined: WritePart[] = [];
  let short: Uint8Array[] = [];
  const join = (): void => {
    if (short.length > 0) joined.push(short.length === 1 ? (short[0] as Uint8Array) : Buffer.concat(short));
    short = [];
  };
  for (const part of parts) {
    if (part instanceof Uint8Array && part.length <= COPY_LIMIT) {
      short.push(part);
    } else {
      join();
      joined.push(part);
    }
  }
  join();
  return joined;
}

export class HeldWrites implements FileCarrier {
  /** True while a file is being opened or the channel is corked: writes must be passed to `hold`. */
  holds = false;
  private readonly channel: HoldingChannel;
  private corks = 0;
  private opening: Sent | undefined;
  private held: Held[] = [];
  private sent: Sent[] = [];

  constructor(channel: HoldingChannel) {
    this.channel = channel;
  }

  /** Bytes held back. A file that is being opened counts with its length, as far as that is known. */
  get length(): number {
    return lengthOf(this.held) + (this.opening?.chunk.length ?? 0);
  }

  /** Whether anything is held back, or a file is still to be opened and sent. */
  get waits(): boolean {
    return this.opening !== undefined || this.held.length > 0;
  }

  cork(): void {
    this.corks++;
    this.holds = true;
  }

  uncork(): void {
    if (this.corks === 0 || --this.corks > 0) return;
    this.release();
  }

  uncorkAll(): void {
    this.corks = Math.min(this.corks, 1);
    this.uncork();
  }

  /** Memory lent to the channel may change after this call, so it is copied. */
  hold(parts: readonly WritePart[]): void {
    const kept = parts.map((part) => (part instanceof Uint8Array ? Buffer.from(part) : part));
    // Sending nothing would still cost a system call.
    if (kept.every(({ length }) => length === 0)) return;
    this.held.push({ parts: kept, length: lengthOf(kept) });
  }

  /** As `hold`, for a call that is not a write. */
  holdCall(run: () => void): void {
    this.held.push({ run, length: 0 });
  }

  write(chunk: FileChunk, callback: Callback): void {
    if (this.holds) {
      const run = (): void => {
        this.write(chunk, callback);
      };
      this.held.push({ run, callback, length: chunk.length });
    } else if (chunk.stage === 'opening') {
      this.opening = { chunk, callback };
      this.holds = true;
      chunk.onOpened = this.onOpened;
    } else {
      this.hand({ chunk, callback });
    }
  }

  private readonly onOpened = (): void => {
    const { opening } = this;
    this.opening = undefined;
    if (opening === undefined) return;
    // The file comes before the corked writes.
    this.hand(opening);
    this.release();
  };

  /** Writes what was held back, up to the first file among it that is still being opened. */
  private release(): void {
    this.holds = this.corks > 0 || this.opening !== undefined;
    const { held } = this;
    this.held = [];
    let at = 0;
    while (at < held.length && !this.holds) {
      const parts: WritePart[] = [];
      for (let next = held[at]; next?.parts !== undefined; next = held[++at]) {
        for (const part of next.parts) parts.push(part);
      }
      if (parts.length > 0) this.channel.writeHeld(joinShort(parts));
      else held[at++]?.run?.();
    }
    this.held = held.slice(at);
    if (!this.waits) this.channel.onReleased();
  }

  private hand(file: Sent): void {
    const range = file.chunk.hand();
    const left = range === undefined ? 0 : this.channel.sendRange(range);
    if (left > 0) {
      this.sent.push(file);
    } else {
      // A failure is reported when the channel ends.
      file.chunk.written(left < 0 ? errnoError(left, 'write') : null);
      if (left < 0) this.sent.push(file);
      else process.nextTick(file.callback);
    }
  }

  withdraw(range: FileRange): boolean {
    return this.channel.open && this.channel.withdrawRange(range);
  }

  destroy(error: Error): void {
    this.channel.destroy(error);
  }

  /** The kernel has taken everything that was queued. */
  drained(): void {
    for (const { chunk, callback } of this.sent.splice(0)) {
      chunk.written(null);
      callback();
    }
  }

  /** The channel has closed: calls all callbacks, on a later tick. */
  closed(error: Error | undefined): void {
    const { opening, held, sent } = this;
    this.opening = undefined;
    if (opening !== undefined) opening.chunk.onOpened = undefined;
    this.corks = 0;
    this.holds = false;
    this.held = [];
    this.sent = [];
    const failure = error ?? errnoError(-ECANCELED, 'write');
    for (const { callback } of [...sent, ...(opening === undefined ? [] : [opening]), ...held]) {
      if (callback !== undefined) process.nextTick(callback, failure);
    }
  }
}
