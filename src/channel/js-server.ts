/** Servers of channels on node:net. */
import net from 'node:net';

import type { ChannelServer, ChannelServerHandlers, ListenTarget, ServerAddress } from './types.js';
import { DESCRIPTOR, descriptorUnder } from '../engine/descriptor.js';
import { giveBuffersToAccepted } from '../net/buffers.js';
import { tagJsServer } from '../net/js.js';
import { connectionsOf } from '../node/server-connections.js';
import { connections, tellNodeClose, type ConnectionEvent } from '../stats/events.js';
import { counterFor } from '../stats/server-counter.js';
import type { ServerStats } from '../stats/server-stats.js';
import { guard, JsChannel } from './js.js';
import { DEFAULT_BACKLOG, DEFAULT_HOST } from './targets.js';

class JsChannelServer implements ChannelServer {
  readonly transport = 'js';
  private readonly channels = new Set<JsChannel>();
  private closing = false;
  /** Resolves once it listens, has failed to, or has been closed before that. */
  private readonly settled: Promise<void>;
  private settle: () => void = () => undefined;

  constructor(
    private readonly server: net.Server,
    private readonly handlers: ChannelServerHandlers,
  ) {
    counterFor(this).watch(server);
    this.settled = new Promise((resolve) => (this.settle = resolve));
    server.once('error', this.settle);
    server.on('connection', this.onConnection);
    server.on('listening', () => {
      if (this.closing) this.stop();
      else handlers.onListening?.(this);
    });
    server.on('error', (error) => {
      if (handlers.onServerError === undefined) throw error;
      handlers.onServerError(this, error);
    });
  }

  private readonly onConnection = (socket: net.Socket): void => {
    const channel = new JsChannel(socket, this.handlers);
    this.channels.add(channel);
    socket.once('close', () => this.channels.delete(channel));
    tellNodeClose(this, socket, channel);
    if (connections.hasSubscribers) connections.publish({ server: this, socket: channel } satisfies ConnectionEvent);
    guard(() => this.handlers.onConnection?.(channel));
  };

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
    if (this.closing) return;
    this.closing = true;
    // node looks up a host first, even a numeric one: 'listening' is emitted although the server has been closed.
    if (this.server.listening) this.stop();
  }

  private stop(): void {
    this.server.close();
    this.settle();
    // node's 'close' waits for the connections; a channel server's does not.
    process.nextTick(() => {
      this.handlers.onServerClose?.(this);
    });
  }

  closeAllConnections(): void {
    for (const channel of this.channels) channel.destroy();
  }

  ref(): this {
    this.server.ref();
    return this;
  }

  unref(): this {
    this.server.unref();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.settled;
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
  }
}

export function listenJs(target: ListenTarget, handlers: ChannelServerHandlers): ChannelServer {
  const server = tagJsServer(net.createServer({ allowHalfOpen: true, noDelay: target.noDelay ?? true }));
  giveBuffersToAccepted(server, target);
  const made = new JsChannelServer(server, handlers);
  const backlog = target.backlog ?? DEFAULT_BACKLOG;
  if (target.path !== undefined) server.listen({ path: target.path, backlog });
  else server.listen({ port: target.port, host: target.host ?? DEFAULT_HOST, backlog });
  return made;
}
