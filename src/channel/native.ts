/** Channels on the native engine. */
import { constants } from 'node:os';
import type { Channel, ChannelHandlers, ChannelServer, ConnectTarget } from './types.js';
import type { Engine } from '../engine/engine.js';
import {
  argTypeError,
  connectError,
  errnoError,
  socketClosedError,
  writeAfterEndError,
  writeError,
} from '../errors/index.js';
import type { FileRange, WritePart } from '../binding/file-range.js';
import { FileWrite } from '../files/file-write.js';
import { beginSendFile, type FileSource, type SendFileOptions } from '../files/options.js';
import { COPY_LIMIT } from '../engine/outbound.js';
import { referenceTo, withReferences } from '../files/page.js';
import { closes, connectionStats, type CloseEvent } from '../stats/events.js';
import type { ConnectionStats } from '../stats/server-stats.js';
import { HeldWrites, type HoldingChannel } from './held-writes.js';
import { ChannelBase } from './native-base.js';
import { bytesOfParts, isCopied } from './parts.js';
import { checkRange, DEFAULT_HOST } from './targets.js';

const { ENOTCONN } = constants.errno;

/**
 * On Linux, shutdown(2) fails with ENOTCONN once the peer has reset the connection and thereby lost unread data; on
 * other systems also when the peer has merely closed.
 */
const TELLS_RESET = process.platform === 'linux';

export class NativeChannel extends ChannelBase implements Channel, HoldingChannel {
  private readonly handlers: ChannelHandlers;
  /** The address of a connect; undefined for an accepted channel, which has nothing to wait for. */
  private readonly target: ConnectTarget | undefined;
  private ended = false;
  private finSent = false;
  private peerEnded = false;
  /**
   * A write has returned false because it was held back: onDrain must be called even if the kernel takes everything.
   */
  private drainOwed = false;
  private closeStats: ConnectionStats | undefined;
  /** Created by the first file or cork. */
  private held: HeldWrites | undefined;

  /** Of an accepted channel. */
  readonly server: ChannelServer | undefined;

  constructor(
    engine: Engine,
    id: number,
    handlers: ChannelHandlers,
    target: ConnectTarget | undefined,
    server?: ChannelServer,
  ) {
    super(engine, id);
    this.handlers = handlers;
    this.target = target;
    this.server = server;
  }

  write(data: Uint8Array | string, start?: number, end?: number): boolean {
    if (this.ended) throw writeAfterEndError();
    if (this.id < 0 || this.failed) return false;
    if (typeof data === 'string') {
      if (data.length * 3 <= COPY_LIMIT && this.held?.holds !== true) {
        this.writeString(data, 'utf8');
        return this.hasRoom;
      }
      data = Buffer.from(data, 'utf8');
      start = end = undefined;
    } else if (!(data instanceof Uint8Array)) {
      throw argTypeError('data', 'of type string or an instance of Buffer or Uint8Array', data);
    }
    const from = start ?? 0;
    const to = end ?? data.length;
    if (start !== undefined || end !== undefined) checkRange(from, to, data.length);
    // Checking what a short message, or a part of received data, is would cost a fifth of its write.
    const mayBePage = data.length > COPY_LIMIT && data !== this.engine.lent;
    const reference = mayBePage ? referenceTo(data, from, to) : undefined;
    if (this.held?.holds === true) return this.hold([reference ?? data.subarray(from, to)]);
    if (reference !== undefined) {
      this.noteFailure(this.writeParts([reference]));
    } else if (to - from <= COPY_LIMIT) {
      if (to > from) this.writeBytes(data, from, to);
    } else {
      this.noteFailure(this.writeLent([data.subarray(from, to)]));
    }
    return this.hasRoom;
  }

  writev(parts: readonly (Uint8Array | string)[]): boolean {
    const bytes = bytesOfParts(parts);
    if (this.ended) throw writeAfterEndError();
    if (this.id < 0 || this.failed) return false;
    const references = withReferences(bytes);
    if (this.held?.holds === true) return this.hold(references ?? bytes);
    if (references !== undefined) {
      this.noteFailure(this.writeParts(references));
    } else if (isCopied(bytes)) {
      for (const part of bytes) if (part.length > 0) this.writeBytes(part, 0, part.length);
    } else {
      this.noteFailure(this.writeLent(bytes));
    }
    return this.hasRoom;
  }

  /** The return value of writes. */
  private get hasRoom(): boolean {
    return !this.blocked && !this.failed;
  }

  private noteFailure(left: number): void {
    if (left >= 0 || this.failed) return;
    this.failed = true;
    process.nextTick(tellLentFailure, this, left);
  }

  /** Holds a write back until the file before it is open, or the channel uncorked. */
  private hold(parts: readonly WritePart[]): boolean {
    this.held?.hold(parts);
    this.drainOwed = true;
    return false;
  }

  writeHeld(parts: readonly WritePart[]): void {
    if (this.id >= 0 && !this.failed) this.noteFailure(this.writeParts(parts));
  }

  cork(): void {
    if (this.id >= 0 && !this.ended) (this.held ??= new HeldWrites(this)).cork();
  }

  uncork(): void {
    this.held?.uncork();
  }

  get bufferedAmount(): number {
    if (this.id < 0) return 0;
    const { engine, id, held } = this;
    return engine.submitted(id) + engine.native.queued(id) + (held === undefined ? 0 : held.length);
  }

  sendFile(file: FileSource, options?: SendFileOptions): Promise<number> {
    return beginSendFile(file, options, (call, done) => {
      if (this.ended) throw writeAfterEndError();
      if (this.id < 0) {
        process.nextTick(done, socketClosedError());
        return;
      }
      this.held ??= new HeldWrites(this);
      new FileWrite(this.engine, this.held, call, done).begin();
    });
  }

  sendRange(range: FileRange): number {
    const left = this.writeParts([range]);
    this.noteFailure(left);
    return left;
  }

  withdrawRange(range: FileRange): boolean {
    return typeof range.file === 'number' && this.engine.native.withdrawFile(this.id, range.file);
  }

  onReleased(): void {
    process.nextTick(tellReleased, this);
  }

  tellReleased(): void {
    if (this.drainOwed && this.isHandedOver()) this.tellDrain();
  }

  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.engine.native.reportException(error);
    }
  }

  end(): void {
    if (this.ended || this.id < 0) return;
    this.ended = true;
    this.held?.uncorkAll();
    if (this.held?.holds !== true) {
      this.shutdown();
      return;
    }
    this.held.holdCall(() => {
      this.shutdown();
    });
  }

  /**
   * Both sides have ended. The engine reports a shutdown before events that the loop has found since; one of them may
   * be that the kernel has taken the last write.
   */
  private closeBehindDrain(): void {
    try {
      if (this.blocked || this.drainOwed) this.onDrain();
    } finally {
      this.destroy();
    }
  }

  destroy(error?: Error): void {
    if (this.id < 0) return;
    this.held?.uncorkAll();
    // Sends now what is to be counted. Files that the kernel has taken by then have been sent.
    if (this.hasDrained()) this.held?.drained();
    if (this.server !== undefined && closes.hasSubscribers) {
      this.closeStats = connectionStats(this.engine.native, this.id);
    }
    this.keepCounters();
    this.close();
    this.held?.closed(error);
    process.nextTick(tellClosed, this, error);
  }

  tellClosed(error: Error | undefined): void {
    const { handlers, server, closeStats: stats } = this;
    if (server !== undefined && stats !== undefined) {
      closes.publish({ server, socket: this, stats } satisfies CloseEvent);
    }
    if (error !== undefined) {
      this.guard(() => {
        if (handlers.onError === undefined) throw error;
        handlers.onError(this, error);
      });
    }
    handlers.onClose?.(this, error !== undefined);
  }

  override onLent(memory: Buffer, start: number, end: number): void {
    this.handlers.onData?.(this, memory, start, end);
  }

  onEnd(): void {
    this.peerEnded = true;
    try {
      if (this.handlers.onEnd === undefined) this.end();
      else this.handlers.onEnd(this);
    } finally {
      // Otherwise onShutdown closes the channel.
      if (this.finSent) this.closeBehindDrain();
    }
  }

  onShutdown(status: number): void {
    // A write has failed: the event that will report it closes the channel.
    if (this.failed) return;
    this.finSent = true;
    // As in node: a connection that is no longer connected reports that when it is read, unless reading has reached its
    // end.
    const isLoss = status !== -ENOTCONN || (this.peerEnded && TELLS_RESET);
    if (status < 0 && isLoss) this.destroy(errnoError(status, 'shutdown'));
    else if (this.peerEnded) this.closeBehindDrain();
  }

  onConnect(status: number): void {
    if (status === 0) {
      this.touchTimeout();
      this.handlers.onConnect?.(this);
      return;
    }
    this.destroy(this.connectFailure(status));
  }

  connectFailure(errno: number): Error {
    const { path, host, port } = this.target ?? {};
    return connectError(errno, 'connect', { address: path ?? host ?? DEFAULT_HOST, port });
  }

  onReadError(errno: number): void {
    this.destroy(errnoError(errno, 'read'));
  }

  onWriteError(errno: number): void {
    if (this.id < 0) return;
    const error = writeError(errno);
    if (this.handlers.onWriteError === undefined || this.peerEnded) {
      this.destroy(error);
      return;
    }
    // Nothing more is sent: the peer's FIN closes the channel.
    this.finSent = true;
    this.held?.closed(error);
    this.handlers.onWriteError(this, error);
  }

  onDrain(): void {
    if (!this.isHandedOver()) return;
    if (this.held !== undefined) {
      this.held.drained();
      // Their callbacks may have written, or closed the channel.
      if (!this.isHandedOver()) return;
    }
    this.tellDrain();
  }

  /**
   * Whether the kernel has taken all writes. A completion only reports that it once had: handlers of the same batch may
   * have written since.
   */
  private isHandedOver(): boolean {
    this.flush();
    if (!this.open || this.failed) return false;
    if (this.engine.native.hasDrained(this.id)) return true;
    // Another drain will follow, or the failure.
    this.blocked = true;
    return false;
  }

  private tellDrain(): void {
    // Writes are held back, or a file that is being opened is still to be sent.
    this.drainOwed = this.held?.waits === true;
    if (!this.drainOwed) this.handlers.onDrain?.(this);
  }

  protected onTimeout(): void {
    this.handlers.onTimeout?.(this);
  }

  onFlushed(): void {
    // A channel has no write callbacks: onDrain is all that this API reports about writes.
  }
}

function tellClosed(channel: NativeChannel, error: Error | undefined): void {
  channel.tellClosed(error);
}

function tellReleased(channel: NativeChannel): void {
  channel.tellReleased();
}

function tellLentFailure(channel: NativeChannel, errno: number): void {
  channel.onWriteError(errno);
}
