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
} from '../channel.js';
import { DESCRIPTOR, descriptorUnder } from '../descriptor.js';
import { argTypeError, socketClosedError, writeAfterEndError } from '../errors.js';
import { withSendFileArguments, type SendFileCallback, type SendFileOptions, type SentFile } from '../files.js';
import { giveBuffersToAccepted, readNodesBuffers } from '../net/buffers.js';
import { connectByNode, tagJsServer } from '../net/js.js';
import type { BufferSizes } from '../options.js';
import { connections, tellNodeClose, type ConnectionEvent } from '../stats/events.js';
import { counterFor } from '../stats/server-counter.js';
import type { ServerStats } from '../stats/server-stats.js';
import { startSending } from '../stream-file.js';
import { checkParts, checkRange } from './targets.js';

const DEFAULT_BACKLOG = 511;
const DEFAULT_HOST = '127.0.0.1';

class JsChannel implements Channel {
  readonly transport = 'js';
  data: unknown = undefined;
  private ended = false;
  private closed = false;
  private turns = 0;
  private files = 0;

  constructor(
    private readonly socket: net.Socket,
    handlers: ChannelHandlers,
  ) {
    socket.on('connect', () => {
      handlers.onConnect?.(this);
    });
    socket.on('data', (chunk: Buffer) => {
      this.turns++;
      handlers.onData?.(this, chunk, 0, chunk.length);
    });
    socket.on('drain', () => {
      handlers.onDrain?.(this);
    });
    socket.on('end', () => {
      if (handlers.onEnd === undefined) this.end();
      else handlers.onEnd(this);
    });
    socket.on('error', (error) => {
      if (handlers.onError === undefined) throw error;
      handlers.onError(this, error);
    });
    socket.on('close', (hadError) => {
      this.closed = true;
      handlers.onClose?.(this, hadError);
    });
  }

  write(data: Uint8Array | string, start?: number, end?: number): boolean {
    if (this.ended) throw writeAfterEndError();
    if (this.closed || this.socket.destroyed) return false;
    if (typeof data === 'string') return this.socket.write(data, 'utf8');
    if (!(data instanceof Uint8Array)) {
      throw argTypeError('data', 'of type string or an instance of Buffer or Uint8Array', data);
    }
    const from = start ?? 0;
    const to = end ?? data.length;
    checkRange(from, to, data.length);
    return this.socket.write(data.subarray(from, to));
  }

  writev(parts: readonly (Uint8Array | string)[]): boolean {
    checkParts(parts);
    this.socket.cork();
    let room = !this.closed;
    try {
      for (const part of parts) room = this.write(part);
    } finally {
      this.socket.uncork();
    }
    return room;
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
      if (this.closed || this.socket.destroyed) {
        process.nextTick(done, socketClosedError());
        return;
      }
      startSending(this.socket, call, (error) => {
        if (error === null) this.files++;
        done(error);
      });
    });
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
    if (this.ended) return;
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
    const { bytesRead, bytesWritten } = this.socket;
    const { turns, files } = this;
    const unseen = { reads: 0, sends: 0, partialSends: 0, eagains: 0, bytesByReference: 0 };
    const waiting = { sendEagains: 0, waits: 0, waitNanos: 0 };
    return { ...unseen, ...waiting, bytesRead, bytesWritten, turns, messages: turns, files, filesCopied: files };
  }
}

export function connectJs(target: ConnectTarget, handlers: ChannelHandlers): Channel {
  const { noDelay = true, sendBuffer, recvBuffer, allowSmallBuffers } = target;
  const common = { allowHalfOpen: true, sendBuffer, recvBuffer, allowSmallBuffers };
  const socket =
    target.path !== undefined
      ? connectByNode({ path: target.path, connectTimeout: target.connectTimeout, ...common })
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
      handlers.onConnection?.(channel);
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
    return counterFor(this).stats('js', (this.server as net.Server & { _connections: number })._connections);
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
