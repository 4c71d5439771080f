/** Channels on the native engine. */
import type { Channel, ChannelCounters, ChannelHandlers, ChannelServer, ConnectTarget } from '../channel.js';
import { hasLine, Place } from '../connect-line.js';
import type { Engine } from '../engine.js';
import {
  argTypeError,
  connectError,
  connectQueueFullError,
  errnoError,
  socketClosedError,
  writeAfterEndError,
  writeError,
} from '../errors.js';
import type { FileRange, WritePart } from '../file-range.js';
import { FileWrite } from '../file-write.js';
import { withSendFileArguments, type SendFileCallback, type SendFileOptions, type SentFile } from '../files.js';
import { CHANNEL_COUNTERS } from '../native.js';
import { patienceOf, type BufferSizes } from '../options.js';
import { COPY_LIMIT } from '../outbound.js';
import { referenceTo, withReferences } from '../page.js';
import { closes, connectionStats, type CloseEvent } from '../stats/events.js';
import type { ConnectionStats } from '../stats/server-stats.js';
import { Wire } from '../wire.js';
import { ChannelFiles, type FileChannel } from './files.js';
import { addressOf, DEFAULT_HOST, optionsOf } from './native-target.js';
import { checkParts, checkRange } from './targets.js';

export class NativeChannel extends Wire implements Channel, FileChannel {
  readonly transport = 'native';
  readonly nodeTicks = false;
  data: unknown = undefined;
  private readonly handlers: ChannelHandlers;
  /** Where a connect went; undefined for an accepted channel, which has nothing to wait for. */
  private readonly target: ConnectTarget | undefined;
  private ended = false;
  private peerEnded = false;
  private lastCounters: ChannelCounters | undefined;
  private lentFailure = 0;
  private closeStats: ConnectionStats | undefined;
  /** Made by the first file. */
  private files: ChannelFiles | undefined;

  /** Of an accepted one. */
  private readonly server: ChannelServer | undefined;

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
    if (this.id < 0) return false;
    if (typeof data === 'string') {
      if (data.length * 3 <= COPY_LIMIT && this.files?.holds !== true) {
        this.writeString(data, 'utf8');
        return !this.blocked;
      }
      data = Buffer.from(data, 'utf8');
    } else if (!(data instanceof Uint8Array)) {
      throw argTypeError('data', 'of type string or an instance of Buffer or Uint8Array', data);
    }
    const from = start ?? 0;
    const to = end ?? data.length;
    if (start !== undefined || end !== undefined) checkRange(from, to, data.length);
    // To ask a short message for what it is, or a part of what has come in, costs a fifth of its write.
    const mayBePage = data.length > COPY_LIMIT && data !== this.engine.lent;
    const reference = mayBePage ? referenceTo(data, from, to) : undefined;
    if (this.files?.holds === true) return this.hold([reference ?? data.subarray(from, to)]);
    if (reference !== undefined) {
      this.noteFailure(this.writeParts([reference]));
    } else if (to - from <= COPY_LIMIT) {
      if (to > from) this.writeBytes(data, from, to);
    } else {
      this.noteFailure(this.writeLent([data.subarray(from, to)]));
    }
    return !this.blocked;
  }

  writev(parts: readonly (Uint8Array | string)[]): boolean {
    checkParts(parts);
    if (this.ended) throw writeAfterEndError();
    if (this.id < 0) return false;
    const bytes = parts.map((part, index) => {
      if (typeof part === 'string') return Buffer.from(part, 'utf8');
      if (part instanceof Uint8Array) return part;
      throw argTypeError(`parts[${String(index)}]`, 'of type string or an instance of Buffer or Uint8Array', part);
    });
    const total = bytes.reduce((sum, part) => sum + part.length, 0);
    const references = withReferences(bytes);
    if (this.files?.holds === true) return this.hold(references ?? bytes);
    if (references !== undefined) {
      this.noteFailure(this.writeParts(references));
    } else if (total <= COPY_LIMIT) {
      for (const part of bytes) if (part.length > 0) this.writeBytes(part, 0, part.length);
    } else {
      this.noteFailure(this.writeLent(bytes));
    }
    return !this.blocked;
  }

  private noteFailure(left: number): void {
    if (left >= 0 || this.lentFailure !== 0) return;
    this.lentFailure = left;
    process.nextTick(tellLentFailure, this, left);
  }

  /** Keeps a write back until the file before it is open. It is copied: what is lent may change after this turn. */
  private hold(parts: readonly WritePart[]): boolean {
    const kept = parts.map((part) => (part instanceof Uint8Array ? Buffer.from(part) : part));
    this.files?.hold(() => {
      if (this.id >= 0) this.noteFailure(this.writeParts(kept));
    });
    return false;
  }

  sendFile(file: SentFile, options?: SendFileOptions): Promise<void>;
  sendFile(file: SentFile, callback: SendFileCallback): undefined;
  sendFile(file: SentFile, options: SendFileOptions | undefined, callback: SendFileCallback): undefined;
  sendFile(
    file: SentFile,
    options?: SendFileOptions | SendFileCallback,
    callback?: SendFileCallback,
  ): Promise<void> | undefined {
    return withSendFileArguments(file, options, callback, (call, done) => {
      if (this.ended) throw writeAfterEndError();
      if (this.id < 0) {
        process.nextTick(done, socketClosedError());
        return;
      }
      this.files ??= new ChannelFiles(this);
      new FileWrite(this.engine, this.files, call, done).begin();
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
    // Writes that were kept back have answered false.
    process.nextTick(tellReleased, this);
  }

  tellReleased(): void {
    if (this.drained && this.files?.holds !== true) this.handlers.onDrain?.(this);
  }

  end(): void {
    if (this.ended || this.id < 0) return;
    this.ended = true;
    if (this.files?.holds !== true) {
      this.shutdown();
      return;
    }
    this.files.hold(() => {
      this.shutdown();
    });
  }

  destroy(error?: Error): void {
    if (this.id < 0) return;
    if (this.server !== undefined && closes.hasSubscribers) {
      this.flush();
      this.closeStats = connectionStats(this.engine.native, this.id);
    }
    this.lastCounters = this.counters;
    this.close();
    this.files?.closed(error);
    process.nextTick(tellClosed, this, error);
  }

  tellClosed(error: Error | undefined): void {
    const { handlers, server, closeStats: stats } = this;
    if (server !== undefined && stats !== undefined) {
      closes.publish({ server, socket: this, stats } satisfies CloseEvent);
    }
    if (error !== undefined) {
      try {
        if (handlers.onError === undefined) throw error;
        handlers.onError(this, error);
      } catch (thrown) {
        this.engine.native.reportException(thrown);
      }
    }
    handlers.onClose?.(this, error !== undefined);
  }

  override onLent(memory: Buffer, start: number, end: number): void {
    this.handlers.onData?.(this, memory, start, end);
  }

  onEnd(): void {
    this.peerEnded = true;
    if (this.handlers.onEnd === undefined) {
      this.end();
    } else {
      this.handlers.onEnd(this);
    }
    if (this.ended && !this.blocked && this.files?.holds !== true) this.destroy();
  }

  onShutdown(status: number): void {
    if (this.peerEnded) {
      this.destroy();
    } else if (status < 0) {
      this.onWriteError(status);
    }
  }

  onConnect(status: number): void {
    if (status === 0) {
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
    this.destroy(writeError(errno));
  }

  onDrain(): void {
    this.files?.drained();
    this.handlers.onDrain?.(this);
  }

  onFlushed(): void {
    // Nobody asks a channel for it: drain is all that the callback API tells of writes.
  }

  get counters(): ChannelCounters {
    if (this.lastCounters !== undefined) return this.lastCounters;
    const values = this.engine.native.channelCounters(this.id);
    const entries = CHANNEL_COUNTERS.map((name, i) => [name, typeof values === 'number' ? 0 : (values[i] ?? 0)]);
    return Object.fromEntries(entries) as ChannelCounters;
  }

  get bufferSizes(): BufferSizes | undefined {
    const sizes = this.engine.native.bufferSizes(this.id);
    return typeof sizes === 'number' ? undefined : { send: sizes[0], recv: sizes[1] };
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

export function connectNative(engine: Engine, target: ConnectTarget, handlers: ChannelHandlers): Channel {
  const { path } = target;
  const patience = patienceOf(target);
  const waits = path !== undefined && patience > 0;
  const id = waits
    ? engine.prepareConnect(addressOf(target), optionsOf(target))
    : engine.connect(addressOf(target), optionsOf(target));
  const channel = new NativeChannel(engine, id, handlers, target);
  // What fails early is told late: no handler runs inside this call.
  if (id < 0) process.nextTick(tellEarlyFailure, channel, id);
  else if (waits) standInLine(channel, path, patience);
  return channel;
}

function standInLine(channel: NativeChannel, path: string, patience: number): void {
  // Nearly all are through here.
  if (!hasLine(path) && channel.engine.tryConnect(channel.id) === 'settled') return;
  const place = new Place(path, patience, {
    tryOnce: () => channel.engine.tryConnect(channel.id),
    giveUp(waited) {
      channel.destroy(connectQueueFullError(path, waited));
    },
  });
  channel.place = place;
  place.wait();
}

function tellEarlyFailure(channel: NativeChannel, errno: number): void {
  channel.tellClosed(channel.connectFailure(errno));
}
