/**
 * The listening half: makes a genuine net.Server or http.Server listen on the native engine.
 *
 * Node's own `listen()` checks arguments, resolves names, queries the cluster, and then calls `this._listen2` to make
 * and open a handle. Only that step is replaced, by one that installs our own object as the handle; node's close(),
 * address(), getConnections(), ref() and 'close' work with it unchanged.
 */
import * as diagnostics from 'node:diagnostics_channel';
import { closeSync } from 'node:fs';
import * as net from 'node:net';
import { constants } from 'node:os';
import { keepToAcceptLimit } from '../cluster/accept-limit.js';
import { placeOf, shareInCluster } from '../cluster/worker.js';
import type { Engine } from '../engine/engine.js';
import { listenError, notNativeError } from '../errors/index.js';
import type { NativeAddress, NativeListenOptions } from '../binding/addon.js';
import type { BufferOptions, BufferSizes, TransportChoice, TransportName } from '../config/options.js';
import { SocketFile } from '../engine/socket-file.js';
import { counterFor, type ServerCounter } from '../stats/server-counter.js';
import type { ServerStats } from '../stats/server-stats.js';
import { buffersOfFirst, nativeBuffers } from './buffers.js';
import { handleOf, setHandle } from '../node/handles.js';
import { setHandleOwner } from '../node/handle-owner.js';
import { tagAccepted } from './js.js';
import { listenHandle, type Belongings } from './listen-handle.js';
import { connectionsOf, endConnection } from '../node/server-connections.js';
import type { ListenHandle, ListenStep, ServerWithInternals } from '../node/server-internals.js';
import { ServerListener } from './server-listener.js';
import { connectionOptions, type SocketSettings } from './socket-options.js';
import { acceptDelegateOf } from './accept-delegate.js';
import { nodeCluster } from '../runtime/modules.js';

/** Node's own step, as found on the prototype. */
export const originalListen2 = (net.Server.prototype as ServerWithInternals)._listen2;

/** Node's default; the kernel caps it at its own limit. */
const DEFAULT_BACKLOG = 511;
/** Bits of `flags`, as in libuv. */
const IPV6_ONLY = 1;
const REUSE_PORT = 2;
/** Leave a socket file's mode to the umask. */
const UMASK_MODE = -1;
const EADDRINUSE = -constants.errno.EADDRINUSE;
const { EBADF, EEXIST } = constants.errno;

const listenTrace = diagnostics.tracingChannel('net.server.listen');

export interface ListenSettings {
  choice: TransportChoice;
  buffers: BufferOptions | undefined;
}

/** A connection of a server's accept delegate is closed. */
export function noteDelegatedClosed(server: net.Server): void {
  endConnection(server as ServerWithInternals);
}

/** The native listeners of this thread. */
export interface Listening {
  server: net.Server;
  handle: ListenHandle;
  tcp: boolean;
}

const open = new Set<Listening>();

export function listeningServers(): Iterable<Listening> {
  return open;
}

const installed = new WeakSet<net.Server>();

function isInstalled(server: net.Server): boolean {
  return installed.has(server);
}

/** The native listening of one server; provides `server.transport` and `server.bufferSizes`. */
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

  /** Replaces node's step, for this server only. */
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
    // Before listening the counters are zero, which differs from unknown.
    if (!this.fellBack) this.counter.startTally();
    return this.counter.stats(this.transport, connectionsOf(this.server));
  }

  listen(...args: Parameters<ListenStep>): void {
    const [address, port, addressType, backlog, fd, flags = 0] = args;
    const given = handleOf(this.server) as ListenHandle | null;
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

  /**
   * Listens on a descriptor, or on one of node's handles that has a descriptor. A cluster's round-robin handle has
   * none.
   */
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
    // When a cluster worker disconnects, node closes the servers of its handles.
    if (origin !== undefined) setHandleOwner(origin, this.server);
    const listener = this.serve(id, typeof name === 'object' && name.family !== undefined, { origin });
    if (origin !== undefined && nodeCluster().isWorker) keepToAcceptLimit(this.server, listener, placeOf(origin));
    this.server._connectionKey = `${String(addressType)}:${String(address)}:${String(port)}`;
  }

  /** Listens on this descriptor, or on a duplicate of it if it belongs to a handle or to another native server. */
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

  /** Leaves what the engine cannot take to node. */
  private fallBack(args: Parameters<ListenStep>, what: string): void {
    if (this.settings.choice === 'native') {
      this.refuse(what);
      return;
    }
    if (!this.fellBack) tagAccepted(this.server, this.settings.buffers);
    this.fellBack = true;
    originalListen2.apply(this.server, args);
  }

  private refuse(what: string): void {
    const { server } = this;
    const error = notNativeError(what);
    const handle = handleOf(server) as ListenHandle | null;
    setHandle(server, null);
    if (!nodeCluster().isWorker) throw error;
    // The primary answers asynchronously: listen() has already returned.
    handle?.close();
    process.nextTick(emitError, server, error);
  }

  private open(address: NativeAddress, backlog: number | false | undefined, flags: number): number {
    return this.engine.listen(address, this.listenOptions(backlog, flags));
  }

  private listenOptions(backlog: number | false | undefined, flags: number): NativeListenOptions {
    return {
      ...connectionOptions(this.socketSettings(), this.server.pauseOnConnect),
      owned: acceptDelegateOf(this.server)?.owned ?? true,
      backlog: backlog || DEFAULT_BACKLOG,
      mode: UMASK_MODE,
      reusePort: (flags & REUSE_PORT) !== 0,
      deferAccept: acceptDelegateOf(this.server)?.peerSpeaksFirst === true,
      tally: this.counter.tally,
    };
  }

  /** Without a host: all addresses of both families, or of IPv4 if there is no IPv6. */
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

  private serve(id: number, tcp: boolean, belongings: Omit<Belongings, 'closed'>): ServerListener {
    const { server, engine } = this;
    const listener = new ServerListener(engine, id, server, this.socketSettings(), tcp);
    this.listener = listener;
    const closed = (): void => {
      open.delete(listening);
    };
    const listening = { server, tcp, handle: listenHandle(listener, tcp, { ...belongings, closed }) };
    setHandle(server, listening.handle);
    open.add(listening);
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
  if (handleOf(server) !== null) server.emit('listening');
}
