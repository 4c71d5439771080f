/** Turns a server's accepted connections into sockets; some are dropped or given to an accept delegate. */
import * as diagnostics from 'node:diagnostics_channel';
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import { errnoError } from '../errors/index.js';
import type { NativeEndpoint } from '../binding/addon.js';
import { HAS_BLOCK_LIST_OPTION } from '../runtime/version.js';
import type { BufferSizes } from '../config/options.js';
import { runTicks } from '../node/run-ticks.js';
import { connections, drops, type ConnectionEvent, type DropEvent, type DropReason } from '../stats/events.js';
import { counterFor } from '../stats/server-counter.js';
import { EngineListener } from '../engine/listener.js';
import { Scope, socketScope } from './async-scopes.js';
import { countConnection, roomOf, uncountConnection } from '../node/server-connections.js';
import type { ServerWithInternals } from '../node/server-internals.js';
import { acceptedOptions, type SocketSettings, type StreamOptions } from './socket-options.js';
import { readBufferSizes } from './socket-properties.js';
import { SocketConnection } from './socket-connection.js';
import { NativeSocket } from './socket.js';
import { acceptDelegateOf, type AcceptDelegate, type AcceptingListener, type Admit } from './accept-delegate.js';

/** Node's own channel. */
export const acceptedSockets = diagnostics.channel('net.server.socket');

/** Accepts connections for a server. */
export class ServerListener extends EngineListener implements AcceptingListener {
  /** @internal */
  readonly server: ServerWithInternals;
  /** @internal */
  readonly tcp: boolean;
  /** @internal */
  readonly settings: SocketSettings;
  private readonly paused: boolean;
  private readonly delegate: AcceptDelegate | undefined;
  /** 'connection' runs in the async context of listen(). */
  private readonly scope = new Scope('NEARWIRESERVER');
  private streamOptions: StreamOptions;
  /**
   * The sizes that the kernel applied, read from the first connection, because a listening socket does not show them.
   */
  bufferSizes: BufferSizes | undefined;

  constructor(engine: Engine, id: number, server: ServerWithInternals, settings: SocketSettings, tcp: boolean) {
    super(engine, id);
    this.server = server;
    this.tcp = tcp;
    this.settings = settings;
    this.paused = server.pauseOnConnect;
    this.delegate = acceptDelegateOf(server);
    this.streamOptions = acceptedOptions(server.allowHalfOpen, server.highWaterMark);
  }

  onAccept(id: number): void {
    const { server } = this;
    if (roomOf(server) <= 0) {
      this.drop(id);
      return;
    }
    if (server.blockList !== undefined && this.isBlocked(id, server.blockList)) {
      this.engine.release(id, false);
      this.noteDrop('blockList');
      return;
    }
    if (this.delegate !== undefined && this.take(id, this.delegate, false)) return;
    // Made outside of listen()'s context: the socket's events run in none.
    this.scope.run(accept, this, id, socketScope());
    runTicks();
  }

  /** @internal */
  take(id: number, delegate: AcceptDelegate, insideClose: boolean): boolean {
    this.bufferSizes ??= readBufferSizes(this.engine, id);
    // Before the program is told, which may throw.
    countConnection(this.server);
    if (delegate.take(this, id, insideClose)) return true;
    uncountConnection(this.server);
    return false;
  }

  announce<Host>(admit: Admit<Host>, host: Host, id: number): void {
    if (this.scope.runWith(admit, host, this, id)) runTicks();
  }

  /** @internal Called in the async context of listen(): a domain that is active there becomes the socket's. */
  makeSocket(id: number, scope: Scope): NativeSocket {
    const { server, engine } = this;
    this.bufferSizes ??= readBufferSizes(engine, id);
    const socket = new NativeSocket(this.settings, this.currentOptions());
    socket._connection = new SocketConnection(engine, id, socket, scope, this.tcp, !this.paused);
    if (this.paused) socket.pause();
    countConnection(server);
    socket.server = socket._server = server;
    return socket;
  }

  /**
   * Connections that this turn has already taken from the accept queue are still served: dropping them would lose what
   * other processes on the same socket could have answered. The server's 'close' waits for them.
   */
  override close(): void {
    if (this.id < 0) return;
    const accepted = this.engine.takeAccepted(this.id);
    super.close();
    const { delegate, scope } = this;
    for (const id of accepted) {
      scope.run(takeOver, this, id, delegate);
    }
    process.nextTick(() => {
      scope.end();
    });
  }

  /** The options are read when used, as in node; one object is reused while they stay the same. */
  private currentOptions(): StreamOptions {
    const { server, streamOptions } = this;
    const { allowHalfOpen, highWaterMark } = server;
    if (streamOptions.allowHalfOpen !== allowHalfOpen || streamOptions.readableHighWaterMark !== highWaterMark) {
      this.streamOptions = acceptedOptions(allowHalfOpen, highWaterMark);
    }
    return this.streamOptions;
  }

  private isBlocked(id: number, list: net.BlockList): boolean {
    const peer = HAS_BLOCK_LIST_OPTION && this.tcp ? this.engine.native.peerAddress(id) : 0;
    if (typeof peer === 'number' || peer.address === undefined) return false;
    return list.check(peer.address, peer.family === 'IPv6' ? 'ipv6' : 'ipv4');
  }

  /** Over the limit: reports the peer, and closes. */
  private drop(id: number): void {
    const { server, engine, tcp } = this;
    const own = engine.native.localAddress(id);
    const peer = engine.native.peerAddress(id);
    engine.release(id, false);
    this.noteDrop('maxConnections');
    const described = tcp && typeof own === 'object' && typeof peer === 'object';
    this.scope.run(() => {
      if (described) server.emit('drop', describeEnds(own, peer));
      else server.emit('drop');
    });
    runTicks();
  }

  private noteDrop(reason: DropReason): void {
    const { server } = this;
    counterFor(server).dropped++;
    if (drops.hasSubscribers) drops.publish({ server, reason } satisfies DropEvent);
  }

  onAcceptError(errno: number): void {
    this.scope.run(() => {
      this.server.emit('error', errnoError(errno, 'accept'));
    });
  }
}

/** Called with an accepted socket after the 'connection' listeners. */
let afterConnection: ((socket: net.Socket) => void) | undefined;

export function setAfterConnection(step: (socket: net.Socket) => void): void {
  afterConnection = step;
}

/** A socket that was not announced by its listener is served now. */
export function tellServed(socket: net.Socket): void {
  afterConnection?.(socket);
}

function accept(listener: ServerListener, id: number, scope: Scope): void {
  emitConnection(listener.server, listener.makeSocket(id, scope));
}

/** Not inside the caller's close(). The socket still gets data that arrives in the meantime. */
function acceptLater(listener: ServerListener, id: number, scope: Scope): void {
  const socket = listener.makeSocket(id, scope);
  process.nextTick(emitConnection, listener.server, socket);
}

function takeOver(listener: ServerListener, id: number, delegate: AcceptDelegate | undefined): void {
  if (delegate === undefined || !listener.take(id, delegate, true)) acceptLater(listener, id, socketScope());
}

function emitConnection(server: net.Server, socket: NativeSocket): void {
  if (connections.hasSubscribers) connections.publish({ server, socket } satisfies ConnectionEvent);
  server.emit('connection', socket);
  afterConnection?.(socket);
  if (acceptedSockets.hasSubscribers) acceptedSockets.publish({ socket });
}

function describeEnds(own: NativeEndpoint, peer: NativeEndpoint): net.DropArgument {
  return {
    localAddress: own.address,
    localPort: own.port,
    localFamily: own.family,
    remoteAddress: peer.address,
    remotePort: peer.port,
    remoteFamily: peer.family,
  };
}
