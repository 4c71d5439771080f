/**
 * The listening half: makes a genuine net.Server or http.Server listen on the native engine.
 *
 * node's own `listen()` checks arguments, looks names up and asks the cluster, and then calls `this._listen2` to make and
 * open a handle. Only that step is replaced, by one that puts an object of ours in `_handle`; node's close(), address(),
 * getConnections(), ref() and 'close' work with it unchanged.
 */
import { AsyncResource } from 'node:async_hooks';
import cluster from 'node:cluster';
import * as diagnostics from 'node:diagnostics_channel';
import { closeSync } from 'node:fs';
import * as net from 'node:net';
import { constants } from 'node:os';
import type { Engine } from '../engine.js';
import { errnoError, listenError, notNativeError } from '../errors.js';
import type { NativeAddress, NativeEndpoint, NativeListenOptions } from '../native.js';
import { HAS_BLOCK_LIST_OPTION, ZERO_CONNECTIONS_IS_A_LIMIT } from '../node-version.js';
import type { BufferOptions, BufferSizes, TransportChoice, TransportName } from '../options.js';
import { keepToRoom } from '../cluster/room.js';
import { runTicks } from '../run-ticks.js';
import { connections, drops, type ConnectionEvent, type DropEvent, type DropReason } from '../stats/events.js';
import { counterFor, type ServerCounter } from '../stats/server-counter.js';
import type { ServerStats } from '../stats/server-stats.js';
import { shareInCluster } from '../cluster/worker.js';
import { SocketFile } from '../socket-file.js';
import { WireListener } from '../wire.js';
import { buffersOfFirst, nativeBuffers } from './buffers.js';
import { tagAccepted } from './js.js';
import { acceptedOptions, channelOptions, type SocketSettings, type StreamOptions } from './socket-options.js';
import { setHandleOwner } from './handle-owner.js';
import { listenHandle, type Belongings, type ListenHandle } from './listen-handle.js';
import { readBufferSizes } from './socket-properties.js';
import { socketScope, SocketWire } from './socket-wire.js';
import type { OwningServer } from './socket-base.js';
import { NativeSocket } from './socket.js';

/** The fields of net.Server that its own code uses and its types leave out. */
interface ServerInternals extends OwningServer {
  _handle: ListenHandle | null;
  _unref: boolean;
  _connectionKey?: string;
  _listen2: ListenStep;
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds. */
  keepAliveInitialDelay: number;
  highWaterMark: number | undefined;
  /** Peers that are turned away without a word. */
  blockList?: net.BlockList;
}

export type ListenStep = (
  this: net.Server,
  address: string | null,
  port: number | null,
  addressType: number | null,
  backlog: number | false | undefined,
  fd: number | undefined,
  flags: number | undefined,
) => void;

type ServerWithInternals = net.Server & ServerInternals;

/** node's own step, as it stands on the prototype. */
export const nodesListen2 = (net.Server.prototype as ServerWithInternals)._listen2;

/** node's default; the kernel caps it at its own limit. */
const DEFAULT_BACKLOG = 511;
/** Bits of `flags`, as libuv has them. */
const IPV6_ONLY = 1;
const REUSE_PORT = 2;
/** Leave a socket file's mode to the umask. */
const UMASK_MODE = -1;
const EADDRINUSE = -constants.errno.EADDRINUSE;
const { EBADF, EEXIST } = constants.errno;

const acceptedSockets = diagnostics.channel('net.server.socket');
const listenTrace = diagnostics.tracingChannel('net.server.listen');

export interface ListenSettings {
  choice: TransportChoice;
  buffers: BufferOptions | undefined;
}

/** Takes a connection over from the engine. */
export type Taker = (engine: Engine, id: number) => void;

const takers = new WeakMap<net.Server, Taker>();

/**
 * Has a server's native connections given to this function: no socket is made of them, and no 'connection' emitted. What it
 * reads is lent. Whoever takes them says when they are closed: see `noteTakenClosed`. To be called before `listen()`.
 */
export function setTaker(server: net.Server, taker: Taker): void {
  takers.set(server, taker);
}

/** One of the connections that a server's taker has is closed: its 'close' waits for them. */
export function noteTakenClosed(server: net.Server): void {
  const internals = server as ServerWithInternals;
  internals._connections--;
  internals._emitCloseIfDrained();
}

/** Accepts for a server. */
class ServerListener extends WireListener {
  private readonly server: ServerWithInternals;
  private readonly tcp: boolean;
  private readonly settings: SocketSettings;
  private readonly paused: boolean;
  private readonly taker: Taker | undefined;
  /** 'connection' runs in the async context of listen(). */
  private readonly scope = new AsyncResource('NEARWIRESERVER');
  private streamOptions: StreamOptions;
  /** What the kernel made of the buffer sizes asked for, on the first connection: a listening socket does not show it. */
  bufferSizes: BufferSizes | undefined;

  constructor(engine: Engine, id: number, server: ServerWithInternals, settings: SocketSettings, tcp: boolean) {
    super(engine, id);
    this.server = server;
    this.tcp = tcp;
    this.settings = settings;
    this.paused = server.pauseOnConnect;
    this.taker = takers.get(server);
    this.streamOptions = acceptedOptions(server.allowHalfOpen, server.highWaterMark);
  }

  onAccept(id: number): void {
    const { server } = this;
    const { maxConnections } = server as { maxConnections?: number };
    if (
      (maxConnections || (ZERO_CONNECTIONS_IS_A_LIMIT && maxConnections === 0)) &&
      server._connections >= maxConnections
    ) {
      this.drop(id);
      return;
    }
    if (server.blockList !== undefined && this.isBlocked(id, server.blockList)) {
      this.engine.release(id, false);
      this.noteDrop('blockList');
      return;
    }
    if (this.taker !== undefined) {
      this.take(id, this.taker);
      return;
    }
    this.scope.runInAsyncScope(emitConnection, undefined, server, this.makeSocket(id));
    runTicks();
  }

  private take(id: number, taker: Taker): void {
    this.bufferSizes ??= readBufferSizes(this.engine, id);
    this.server._connections++;
    taker(this.engine, id);
  }

  private makeSocket(id: number): NativeSocket {
    const { server, engine } = this;
    this.bufferSizes ??= readBufferSizes(engine, id);
    const socket = new NativeSocket(this.settings, this.currentOptions());
    // Made outside of listen()'s context: the socket's events run in none.
    socket._wire = new SocketWire(engine, id, socket, socketScope(), this.tcp, !this.paused);
    if (this.paused) socket.pause();
    server._connections++;
    socket.server = socket._server = server;
    return socket;
  }

  /**
   * Connections that this turn has taken from the queue already are served: to drop them would lose what other processes
   * on the same socket could have answered. The server's 'close' waits for them.
   */
  override close(): void {
    const accepted = this.id < 0 ? [] : this.engine.takeAccepted(this.id);
    super.close();
    const { taker } = this;
    if (taker !== undefined) {
      for (const id of accepted) this.take(id, taker);
      return;
    }
    const sockets = accepted.map((id) => this.makeSocket(id));
    for (const socket of sockets) {
      process.nextTick(() => {
        this.scope.runInAsyncScope(emitConnection, undefined, this.server, socket);
      });
    }
  }

  /** The options are read when used, as in node; one object serves as long as they stay the same. */
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

  /** Over the limit: tells who it was, and closes. */
  private drop(id: number): void {
    const { server, engine, tcp } = this;
    const own = engine.native.localAddress(id);
    const peer = engine.native.peerAddress(id);
    engine.release(id, false);
    this.noteDrop('maxConnections');
    const described = tcp && typeof own === 'object' && typeof peer === 'object';
    this.scope.runInAsyncScope(() => {
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
    this.scope.runInAsyncScope(() => {
      this.server.emit('error', errnoError(errno, 'accept'));
    });
  }
}

/** What is done with an accepted socket when the listeners of 'connection' have had it. */
let afterConnection: ((socket: net.Socket) => void) | undefined;

export function setAfterConnection(step: (socket: net.Socket) => void): void {
  afterConnection = step;
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

const installed = new WeakSet<net.Server>();

function isInstalled(server: net.Server): boolean {
  return installed.has(server);
}

/** The native listening of one server; it is what `server.transport` and `server.bufferSizes` tell of. */
export class NativeListening {
  private readonly server: ServerWithInternals;
  private readonly engine: Engine;
  private readonly settings: ListenSettings;
  private listener: ServerListener | undefined;
  private readonly counter: ServerCounter;
  private fellBack = false;

  constructor(server: net.Server, engine: Engine, settings: ListenSettings) {
    this.server = server as ServerWithInternals;
    this.counter = counterFor(server);
    this.engine = engine;
    this.settings = settings;
  }

  /** Puts itself in the place of node's step, for this server alone. */
  install(): void {
    installed.add(this.server);
    shareInCluster(isInstalled);
    this.server._listen2 = (...args) => {
      this.listen(...args);
    };
  }

  get transport(): TransportName {
    return this.fellBack ? 'js' : 'native';
  }

  get bufferSizes(): BufferSizes | undefined {
    return this.fellBack ? buffersOfFirst(this.server) : this.listener?.bufferSizes;
  }

  stats(): ServerStats {
    // Nothing has been counted before it listens, which is not the same as not known.
    if (!this.fellBack) this.counter.startTally();
    return this.counter.stats(this.transport, this.server._connections);
  }

  listen(...args: Parameters<ListenStep>): void {
    const [address, port, addressType, backlog, fd, flags = 0] = args;
    const given = this.server._handle;
    if (given !== null || typeof fd === 'number') {
      this.listenOn(given ?? undefined, given === null ? fd : given.fd, args);
      return;
    }
    const isPath = addressType === -1;
    const { id, at, family } = isPath
      ? { id: this.open({ path: address ?? '' }, backlog, 0), at: address, family: addressType }
      : this.openTcp(address, port ?? 0, addressType ?? 4, backlog, flags);
    if (id < 0) {
      const error = listenError(id, at ?? undefined, port ?? 0);
      listenTrace.error.publish({ server: this.server, error });
      process.nextTick(emitError, this.server, error);
      return;
    }
    this.serve(id, !isPath, { file: isPath ? SocketFile.of(address ?? '') : undefined });
    this.server._connectionKey = `${String(family)}:${String(at)}:${String(port)}`;
  }

  /** A descriptor, or a handle that is node's and knows its own. A cluster's round-robin handle has none. */
  private listenOn(origin: ListenHandle | undefined, fd: number | undefined, args: Parameters<ListenStep>): void {
    const [address, port, addressType, backlog] = args;
    const id = fd === undefined ? -EBADF : this.adopt(fd, origin !== undefined, backlog);
    if (id < 0) {
      this.fallBack(
        args,
        fd === undefined
          ? 'a handle without a descriptor, such as that of a cluster worker'
          : `descriptor ${String(fd)}`,
      );
      return;
    }
    const { native } = this.engine;
    const name = native.listenerAddress(id);
    // A cluster's worker that disconnects closes its handles' servers.
    if (origin !== undefined) setHandleOwner(origin, this.server);
    const listener = this.serve(id, typeof name === 'object' && name.family !== undefined, { origin });
    if (origin !== undefined && cluster.isWorker) keepToRoom(this.server, listener);
    this.server._connectionKey = `${String(addressType)}:${String(address)}:${String(port)}`;
  }

  /** Listens on this descriptor; on a duplicate of it where it belongs to a handle, or to a server of ours. */
  private adopt(fd: number, owned: boolean, backlog: number | false | undefined): number {
    const { engine } = this;
    const options = this.listenOptions(backlog, 0);
    if (!owned) {
      const id = engine.adoptListener(fd, options);
      if (id !== -EEXIST) return id;
    }
    const copy = engine.native.duplicate(fd);
    const id = copy < 0 ? copy : engine.adoptListener(copy, options);
    if (copy >= 0 && id < 0) closeSync(copy);
    return id;
  }

  /** What the engine can't take: node's own business. */
  private fallBack(args: Parameters<ListenStep>, what: string): void {
    if (this.settings.choice === 'native') {
      this.refuse(what);
      return;
    }
    if (!this.fellBack) tagAccepted(this.server, this.settings.buffers);
    this.fellBack = true;
    nodesListen2.apply(this.server, args);
  }

  private refuse(what: string): void {
    const { server } = this;
    const error = notNativeError(what);
    const handle = server._handle;
    server._handle = null;
    if (!cluster.isWorker) throw error;
    // The primary has answered in its own time: listen() has returned long since.
    handle?.close();
    process.nextTick(emitError, server, error);
  }

  private open(address: NativeAddress, backlog: number | false | undefined, flags: number): number {
    return this.engine.listen(address, this.listenOptions(backlog, flags));
  }

  private listenOptions(backlog: number | false | undefined, flags: number): NativeListenOptions {
    return {
      ...channelOptions(this.socketSettings(), this.server.pauseOnConnect),
      owned: !takers.has(this.server),
      backlog: backlog || DEFAULT_BACKLOG,
      mode: UMASK_MODE,
      reusePort: (flags & REUSE_PORT) !== 0,
      tally: this.counter.tally,
    };
  }

  /** Without a host: all addresses of both families, or of IPv4 where there is no IPv6. */
  private openTcp(
    host: string | null,
    port: number,
    family: number,
    backlog: number | false | undefined,
    flags: number,
  ): { id: number; at: string; family: number } {
    if (host) {
      const ipv6Only = family === 6 && (flags & IPV6_ONLY) !== 0;
      return { id: this.open({ host, port, ipv6Only }, backlog, flags), at: host, family };
    }
    const ipv6Only = (flags & IPV6_ONLY) !== 0;
    const id = this.open({ host: '::', port, ipv6Only }, backlog, flags);
    if (id >= 0 || id === EADDRINUSE) return { id, at: '::', family: 6 };
    return { id: this.open({ host: '0.0.0.0', port }, backlog, flags), at: '0.0.0.0', family: 4 };
  }

  private socketSettings(): SocketSettings {
    const { server, engine } = this;
    const { noDelay, keepAlive, keepAliveInitialDelay } = server;
    return {
      engine,
      ...nativeBuffers(this.settings.buffers),
      noDelay,
      keepAlive,
      keepAliveDelay: keepAliveInitialDelay,
    };
  }

  private serve(id: number, tcp: boolean, belongings: Belongings): ServerListener {
    const { server, engine } = this;
    const listener = new ServerListener(engine, id, server, this.socketSettings(), tcp);
    this.listener = listener;
    server._handle = listenHandle(listener, tcp, belongings);
    listenTrace.asyncEnd.publish({ server });
    if (server._unref) server.unref();
    process.nextTick(emitListening, server);
    return listener;
  }
}

function emitError(server: net.Server, error: Error): void {
  server.emit('error', error);
}

function emitListening(server: ServerWithInternals): void {
  if (server._handle !== null) server.emit('listening');
}
