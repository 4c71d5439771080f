/** Channels on node:net, for platforms without the addon and for comparison. */
import type net from 'node:net';

import type { Channel, ChannelCounters, ChannelHandlers, ConnectTarget } from './types.js';
import { DESCRIPTOR, descriptorUnder } from '../engine/descriptor.js';
import { argTypeError, socketClosedError, writeAfterEndError } from '../errors/index.js';
import { beginSendFile, type FileSource, type SendFileOptions } from '../files/options.js';
import { readNodesBuffers } from '../net/buffers.js';
import { timerDuration } from '../net/idle-timer.js';
import { connectByNode } from '../net/js.js';
import type { BufferSizes } from '../config/options.js';
import { startSending } from '../files/stream-file.js';
import { readBehindFailedWrites } from './js-failed-write.js';
import { bytesOfParts, isCopied } from './parts.js';
import { checkRange, DEFAULT_HOST } from './targets.js';

/** The memory that `onData` is lending at the moment. */
let lent: ArrayBufferLike | undefined;

/**
 * Calls the program and reports its exception: thrown into node's streams, it would interrupt their work and stop them.
 */
export function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export class JsChannel implements Channel {
  readonly transport = 'js';
  data: unknown = undefined;
  private ended = false;
  /** `destroy()` has been called. */
  private destroyed = false;
  /** A write has returned false, or a file is being sent. */
  private drainOwed = false;
  private turns = 0;
  private files = 0;
  private filesUnderWay = 0;
  /** Passed to `onWriteError`. */
  private writeFailure: Error | undefined;
  private lastCounters: ChannelCounters | undefined;

  constructor(
    private readonly socket: net.Socket,
    private readonly handlers: ChannelHandlers,
  ) {
    socket.on('connect', () => {
      this.tell(() => handlers.onConnect?.(this));
    });
    socket.on('data', (chunk: Buffer) => {
      this.turns++;
      this.tell(() => {
        lent = chunk.buffer;
        try {
          handlers.onData?.(this, chunk, 0, chunk.length);
        } finally {
          lent = undefined;
        }
      });
    });
    socket.on('finish', this.onWritten);
    socket.on('timeout', () => {
      this.tell(() => handlers.onTimeout?.(this));
    });
    socket.on('end', () => {
      if (handlers.onEnd === undefined) this.end();
      else this.tell(() => handlers.onEnd?.(this));
      if (this.writeFailure !== undefined) socket.destroy();
    });
    if (handlers.onWriteError !== undefined) {
      readBehindFailedWrites(socket, (error) => {
        this.writeFailure = error;
        this.tell(() => handlers.onWriteError?.(this, error));
      });
    }
    socket.on('error', (error) => {
      guard(() => {
        if (handlers.onError === undefined) throw error;
        handlers.onError(this, error);
      });
    });
    socket.on('close', (hadError) => {
      // Later node removes unsent data from its count.
      this.lastCounters = this.counters;
      guard(() => handlers.onClose?.(this, hadError));
    });
  }

  /** A stream may emit further events after `destroy()`. */
  private tell(call: () => void): void {
    if (!this.closed) guard(call);
  }

  get closed(): boolean {
    return this.destroyed || this.socket.destroyed;
  }

  private get writes(): boolean {
    return !this.closed && this.writeFailure === undefined;
  }

  write(data: Uint8Array | string, start?: number, end?: number): boolean {
    if (this.ended) throw writeAfterEndError();
    if (!this.writes) return false;
    if (typeof data === 'string') {
      this.hand(data);
      return this.hasRoom();
    }
    if (!(data instanceof Uint8Array)) {
      throw argTypeError('data', 'of type string or an instance of Buffer or Uint8Array', data);
    }
    const from = start ?? 0;
    const to = end ?? data.length;
    checkRange(from, to, data.length);
    this.handParts([data.subarray(from, to)]);
    return this.hasRoom();
  }

  writev(parts: readonly (Uint8Array | string)[]): boolean {
    const bytes = bytesOfParts(parts);
    if (this.ended) throw writeAfterEndError();
    if (!this.writes) return false;
    this.socket.cork();
    this.handParts(bytes);
    this.socket.uncork();
    return this.hasRoom();
  }

  /** node keeps references to its chunks until they are written. */
  private handParts(parts: readonly Uint8Array[]): void {
    const copied = isCopied(parts);
    for (const part of parts) this.hand(copied || part.buffer === lent ? Buffer.from(part) : part);
  }

  private hand(data: string | Uint8Array): void {
    if (data.length > 0) this.socket.write(data, this.onWritten);
  }

  /** The return value of writes. node's own is true even for queued data, below the high-water mark. */
  private hasRoom(): boolean {
    const room = this.isHandedOver;
    if (!room) this.drainOwed = true;
    return room;
  }

  private get isHandedOver(): boolean {
    return this.socket.writableLength === 0 && this.filesUnderWay === 0 && this.socket.errored === null && this.writes;
  }

  private readonly onWritten = (): void => {
    if (!this.drainOwed || !this.isHandedOver) return;
    this.drainOwed = false;
    this.tell(() => this.handlers.onDrain?.(this));
  };

  sendFile(file: FileSource, options?: SendFileOptions): Promise<number> {
    return beginSendFile(file, options, (call, done) => {
      if (this.ended) throw writeAfterEndError();
      if (this.closed) {
        process.nextTick(done, socketClosedError());
        return;
      }
      this.drainOwed = true;
      this.filesUnderWay++;
      startSending(this.socket, call, (error, bytes) => {
        this.filesUnderWay--;
        if (error === null && this.writes) this.files++;
        done(error ?? this.writeFailure ?? null, bytes);
        this.onFileSent(error !== null);
      });
    });
  }

  private onFileSent(failed: boolean): void {
    // A file that cannot be opened is reported before its place among the writes, in which it counts as nothing; the
    // callback of an empty write after it reports when that place has been reached.
    if (failed && this.socket.writable) this.socket.write('', this.onWritten);
    else this.onWritten();
  }

  flush(): void {
    // node:net hands each write to the kernel at once.
  }

  cork(): void {
    if (!this.ended && !this.closed) this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  get bufferedAmount(): number {
    return this.closed ? 0 : this.socket.writableLength;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    if (this.ended || this.closed) return;
    this.ended = true;
    this.socket.end();
  }

  destroy(error?: Error): void {
    // Nothing is reported from within this call, not even a failed write.
    this.destroyed = true;
    while (this.socket.writableCorked > 0) this.socket.uncork();
    this.socket.destroy(error);
  }

  setTimeout(milliseconds: number): this {
    // This checks the argument; on a destroyed socket it does not.
    if (this.closed) timerDuration(milliseconds);
    else this.socket.setTimeout(milliseconds);
    return this;
  }

  ref(): this {
    this.socket.ref();
    return this;
  }

  unref(): this {
    this.socket.unref();
    return this;
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.socket.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.socket.localPort;
  }

  get localFamily(): string | undefined {
    return this.socket.localFamily;
  }

  get [DESCRIPTOR](): number {
    return descriptorUnder(this.socket);
  }

  get bufferSizes(): BufferSizes | undefined {
    return readNodesBuffers(this.socket);
  }

  get counters(): ChannelCounters {
    if (this.lastCounters !== undefined) return this.lastCounters;
    const { bytesRead, bytesWritten } = this.socket;
    const { turns, files } = this;
    const unseen = { reads: 0, sends: 0, partialSends: 0, eagains: 0, bytesByReference: 0 };
    const waiting = { sendEagains: 0, waits: 0, waitNanos: 0 };
    return { ...unseen, ...waiting, bytesRead, bytesWritten, turns, messages: turns, files, filesCopied: files };
  }
}

export function connectJs(target: ConnectTarget, handlers: ChannelHandlers): Channel {
  const { noDelay = true, sendBufferSize, recvBufferSize, allowSmallBuffers } = target;
  const common = { allowHalfOpen: true, sendBufferSize, recvBufferSize, allowSmallBuffers };
  const socket =
    target.path !== undefined
      ? connectByNode({ path: target.path, backlogTimeout: target.backlogTimeout, ...common })
      : connectByNode({ port: target.port, host: target.host ?? DEFAULT_HOST, noDelay, ...common });
  return new JsChannel(socket, handlers);
}
