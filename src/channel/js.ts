/** Channels on node:net, for platforms without the addon and for comparison. */
import net from 'node:net';

import type {
  Channel,
  ChannelCounters,
  ChannelHandlers,
  ChannelServer,
  ChannelServerHandlers,
  ConnectTarget,
  ListenTarget,
  ServerAddress,
} from './types.js';
import { DESCRIPTOR, descriptorUnder } from '../engine/descriptor.js';
import { argTypeError, socketClosedError, writeAfterEndError } from '../errors/index.js';
import { beginSendFile, type FileSource, type SendFileOptions } from '../files/options.js';
import { giveBuffersToAccepted, readNodesBuffers } from '../net/buffers.js';
import { connectByNode, tagJsServer } from '../net/js.js';
import type { BufferSizes } from '../config/options.js';
import { connections, tellNodeClose, type ConnectionEvent } from '../stats/events.js';
import { connectionsOf } from '../node/server-internals.js';
import { counterFor } from '../stats/server-counter.js';
import type { ServerStats } from '../stats/server-stats.js';
import { startSending } from '../files/stream-file.js';
import { readBehindFailedWrites } from './js-failed-write.js';
import { bytesOfParts, isCopied } from './parts.js';
import { checkRange } from './targets.js';

const DEFAULT_BACKLOG = 511;
const DEFAULT_HOST = '127.0.0.1';

/** What `onData` lends at the moment. */
let lent: ArrayBufferLike | undefined;

/**
 * Makes a call into the program, and reports what it throws: node's streams would be left in the middle of what they do,
 * and not go on.
 */
function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

class JsChannel implements Channel {
  readonly transport = 'js';
  data: unknown = undefined;
  private ended = false;
  private closed = false;
  /** A write has answered false, or a file is under way. */
  private drainOwed = false;
  private turns = 0;
  private files = 0;
  private filesUnderWay = 0;
  /** Told to `onWriteError`. */
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
      // node takes what it has not sent out of its count, some time later.
      this.lastCounters = this.counters;
      this.closed = true;
      guard(() => handlers.onClose?.(this, hadError));
    });
  }

  /** A stream may have more to say after `destroy()`. */
  private tell(call: () => void): void {
    if (!this.isClosed) guard(call);
  }

  private get isClosed(): boolean {
    return this.closed || this.socket.destroyed;
  }

  private get writes(): boolean {
    return !this.isClosed && this.writeFailure === undefined;
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

  /** node holds what it is given by reference until it is written. */
  private handParts(parts: readonly Uint8Array[]): void {
    const copied = isCopied(parts);
    for (const part of parts) this.hand(copied || part.buffer === lent ? Buffer.from(part) : part);
  }

  private hand(data: string | Uint8Array): void {
    if (data.length > 0) this.socket.write(data, this.onWritten);
  }

  /** What a write answers. node's own answer is true for what it holds, as long as that is not much. */
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
      if (this.isClosed) {
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
    // That a file can't be had is told before its turn among the writes, which it counts for nothing in; an empty write
    // behind it tells when that is over.
    if (failed && this.socket.writable) this.socket.write('', this.onWritten);
    else this.onWritten();
  }

  flush(): void {
    // node:net hands each write to the kernel at once.
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    if (this.ended || this.isClosed) return;
    this.ended = true;
    this.socket.end();
  }

  destroy(error?: Error): void {
    this.socket.destroy(error);
  }

  get [DESCRIPTOR](): number {
    return descriptorUnder(this.socket);
  }

  /** @internal Bytes that the kernel has not taken yet. */
  get writableLength(): number {
    return this.socket.writableLength;
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

class JsChannelServer implements ChannelServer {
  readonly transport = 'js';

  constructor(
    private readonly server: net.Server,
    handlers: ChannelServerHandlers,
  ) {
    counterFor(this).watch(server);
    server.on('connection', (socket) => {
      const channel = new JsChannel(socket, handlers);
      tellNodeClose(this, socket, channel);
      if (connections.hasSubscribers) connections.publish({ server: this, socket: channel } satisfies ConnectionEvent);
      guard(() => handlers.onConnection?.(channel));
    });
    server.on('listening', () => {
      handlers.onListening?.(this);
    });
    server.on('error', (error) => {
      if (handlers.onServerError === undefined) throw error;
      handlers.onServerError(this, error);
    });
  }

  get [DESCRIPTOR](): number {
    return descriptorUnder(this.server);
  }

  stats(): ServerStats {
    return counterFor(this).stats('js', connectionsOf(this.server));
  }

  address(): ServerAddress | null {
    return this.server.listening ? this.server.address() : null;
  }

  close(): void {
    if (!this.server.listening) return;
    this.server.close();
    // node's 'close' waits for the connections; a channel server's does not.
    process.nextTick(this.onClosed);
  }

  onClosed: () => void = () => undefined;
}

export function listenJs(target: ListenTarget, handlers: ChannelServerHandlers): ChannelServer {
  const server = tagJsServer(net.createServer({ allowHalfOpen: true, noDelay: target.noDelay ?? true }));
  giveBuffersToAccepted(server, target);
  const made = new JsChannelServer(server, handlers);
  made.onClosed = () => {
    handlers.onServerClose?.(made);
  };
  const backlog = target.backlog ?? DEFAULT_BACKLOG;
  if (target.path !== undefined) server.listen({ path: target.path, backlog });
  else server.listen({ port: target.port, host: target.host ?? DEFAULT_HOST, backlog });
  return made;
}
