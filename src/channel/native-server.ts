/** Servers of channels on the native engine. */
import type { ChannelServer, ChannelServerHandlers, ListenTarget, ServerAddress } from './types.js';
import type { Engine } from '../engine/engine.js';
import { errnoError, listenError } from '../errors/index.js';
import { SocketFile } from '../engine/socket-file.js';
import { connections, type ConnectionEvent } from '../stats/events.js';
import { ServerCounter, setCounter } from '../stats/server-counter.js';
import type { ServerStats } from '../stats/server-stats.js';
import { EngineListener } from '../engine/listener.js';
import { addressOf, optionsOf } from './native-target.js';
import { NativeChannel } from './native.js';
import { DEFAULT_BACKLOG, DEFAULT_HOST } from './targets.js';

class NativeChannelServer extends EngineListener implements ChannelServer {
  readonly transport = 'native';
  private readonly handlers: ChannelServerHandlers;
  private readonly file: SocketFile | undefined;
  private readonly counter: ServerCounter;

  constructor(
    engine: Engine,
    id: number,
    target: ListenTarget,
    handlers: ChannelServerHandlers,
    counter: ServerCounter,
  ) {
    super(engine, id);
    this.counter = setCounter(this, counter);
    this.handlers = handlers;
    this.file = id >= 0 && target.path !== undefined ? SocketFile.of(target.path) : undefined;
  }

  stats(): ServerStats {
    return this.counter.stats('native');
  }

  address(): ServerAddress | null {
    const at = this.id < 0 ? -1 : this.engine.native.listenerAddress(this.id);
    if (typeof at === 'number') return null;
    return at.path ?? { address: at.address ?? '', family: at.family ?? '', port: at.port ?? 0 };
  }

  override close(): void {
    if (this.id < 0) return;
    this.file?.remove();
    super.close();
    process.nextTick(() => {
      this.handlers.onServerClose?.(this);
    });
  }

  closeAllConnections(): void {
    const accepted = [...this.engine.open()].filter((one) => one instanceof NativeChannel && one.server === this);
    for (const channel of accepted as NativeChannel[]) channel.destroy();
  }

  ref(): this {
    this.setRef(true);
    return this;
  }

  unref(): this {
    this.setRef(false);
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return new Promise((resolve) => {
      process.nextTick(resolve);
    });
  }

  tellListening(): void {
    if (this.id < 0) return;
    this.handlers.onListening?.(this);
  }

  tellError(error: NodeJS.ErrnoException): void {
    if (this.handlers.onServerError === undefined) throw error;
    this.handlers.onServerError(this, error);
  }

  onAccept(id: number): void {
    const channel = new NativeChannel(this.engine, id, this.handlers, undefined, this);
    if (connections.hasSubscribers) connections.publish({ server: this, socket: channel } satisfies ConnectionEvent);
    this.handlers.onConnection?.(channel);
  }

  onAcceptError(errno: number): void {
    this.tellError(errnoError(errno, 'accept'));
  }
}

export function listenNative(engine: Engine, target: ListenTarget, handlers: ChannelServerHandlers): ChannelServer {
  const counter = new ServerCounter();
  const options = {
    ...optionsOf(target),
    backlog: target.backlog ?? DEFAULT_BACKLOG,
    mode: -1,
    reusePort: false,
    deferAccept: false,
    tally: counter.tally,
  };
  const id = engine.listen(addressOf(target), options);
  const server = new NativeChannelServer(engine, id, target, handlers, counter);
  process.nextTick(() => {
    if (id >= 0) {
      server.tellListening();
    } else {
      server.tellError(listenError(id, target.path ?? target.host ?? DEFAULT_HOST, target.port ?? -1));
    }
  });
  return server;
}
