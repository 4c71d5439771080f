/** Files of one native channel: those that the kernel has not all of, and what waits behind one that is being opened. */
import { constants } from 'node:os';
import { errnoError } from '../errors/index.js';
import type { FileRange } from '../binding/file-range.js';
import type { FileCarrier, FileChunk } from '../files/file-write.js';

type Callback = (error?: Error | null) => void;

const { ECANCELED } = constants.errno;

/** What of a channel is used here. */
export interface FileChannel {
  readonly open: boolean;
  /** Sends the range in its turn; answers the bytes still queued, or a negative errno, which the channel sees to. */
  sendRange(range: FileRange): number;
  withdrawRange(range: FileRange): boolean;
  destroy(error?: Error): void;
  /** All that was held back has been written. */
  onReleased(): void;
}

interface Held {
  run: () => void;
  callback?: Callback;
}

interface Sent {
  chunk: FileChunk;
  callback: Callback;
}

export class ChannelFiles implements FileCarrier {
  private readonly channel: FileChannel;
  private opening: Sent | undefined;
  private held: Held[] = [];
  private sent: Sent[] = [];

  constructor(channel: FileChannel) {
    this.channel = channel;
  }

  /** A file is being opened: what follows it must be given to `hold`. */
  get holds(): boolean {
    return this.opening !== undefined;
  }

  hold(run: () => void): void {
    this.held.push({ run });
  }

  write(chunk: FileChunk, callback: Callback): void {
    if (this.opening !== undefined) {
      const run = (): void => {
        this.write(chunk, callback);
      };
      this.held.push({ run, callback });
    } else if (chunk.stage === 'opening') {
      this.opening = { chunk, callback };
      chunk.onOpened = this.onOpened;
    } else {
      this.hand({ chunk, callback });
    }
  }

  private readonly onOpened = (): void => {
    const { opening } = this;
    this.opening = undefined;
    if (opening === undefined) return;
    this.hand(opening);
    // One of these may be a file that is still being opened.
    while (this.held.length > 0 && !this.holds) this.held.shift()?.run();
    if (!this.holds) this.channel.onReleased();
  };

  private hand(file: Sent): void {
    const range = file.chunk.hand();
    const left = range === undefined ? 0 : this.channel.sendRange(range);
    if (left > 0) {
      this.sent.push(file);
    } else {
      // The channel's end tells of a failure.
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

  /** The kernel has all that was queued. */
  drained(): void {
    for (const { chunk, callback } of this.sent.splice(0)) {
      chunk.written(null);
      callback();
    }
  }

  /** The channel is closed: tells everybody, on a later tick. */
  closed(error: Error | undefined): void {
    const { opening, held, sent } = this;
    this.opening = undefined;
    if (opening !== undefined) opening.chunk.onOpened = undefined;
    this.held = [];
    this.sent = [];
    const failure = error ?? errnoError(-ECANCELED, 'write');
    for (const { callback } of [...sent, ...(opening === undefined ? [] : [opening]), ...held]) {
      if (callback !== undefined) process.nextTick(callback, failure);
    }
  }
}
