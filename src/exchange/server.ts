/** The server of a protocol: listens like a net.Server, and dispatches requests like an http.Server. */
import { EventEmitter } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { clearInterval, setInterval } from 'node:timers';
import { promisify } from 'node:util';
import type { Engine } from '../engine/engine.js';
import { loopTime } from '../engine/thread-engine.js';
import { installTransport, type ServerInfo } from '../net/factory.js';
import { noteDelegatedClosed } from '../net/listen.js';
import { setAcceptDelegate } from '../net/accept-delegate.js';
import { checkMessages } from '../node/http-messages.js';
import { connectionsOf } from '../node/server-connections.js';
import { nodeHttp } from '../runtime/http.js';
import type { BufferSizes, TransportName } from '../config/options.js';
import { connections, type ConnectionEvent } from '../stats/events.js';
import type { ServerStats } from '../stats/server-stats.js';
import { announceLater } from './announcement.js';
import { NodeCarrier, NativeCarrier } from './carrier.js';
import type { Codec } from './codec.js';
import { OneRequestConnection, type ReleasingServer } from './one-request.js';
import { Connections } from './connections.js';
import { checkOptions, highWaterMarkOf, timeoutsOf, type ExchangeServerOptions, type OwnOptions } from './options.js';
import type { RequestClass, ResponseClass, ResponseOptions } from './contracts.js';
import { requestClass } from './request.js';
import type { ExchangeSocket } from './socket.js';
import { endsMayBeShort } from './study.js';

/** Events of the listening server that this server emits as well. */
const FORWARDED = ['listening', 'error', 'close', 'drop'] as const;

type Listener = (...args: never[]) => void;

/** A server of a protocol other than HTTP that handles its requests like an `http.Server`. */
export class ExchangeServer extends EventEmitter implements ServerInfo, ReleasingServer {
  /** Milliseconds of inactivity after which a connection emits 'timeout'; 0: never. */
  timeout = 0;
  /** Milliseconds within which a request's headers must arrive; 0: no limit. Default: that of the options. */
  headersTimeout: number;
  /** Milliseconds within which a request must arrive with its body; 0: no limit. Default: that of the options. */
  requestTimeout: number;
  /** Whether a peer that has ended its side still gets a response. Default false. */
  httpAllowHalfOpen = false;
  /** @internal */
  readonly emitter = this;
  /** @internal */
  readonly codec: Codec;
  /** @internal */
  readonly requestClass: RequestClass;
  /** @internal */
  readonly responseClass: ResponseClass;
  /** @internal */
  readonly responseOptions: ResponseOptions;
  /** @internal */
  readonly highWaterMark: number;
  /** @internal */
  readonly joinDuplicateHeaders: boolean;
  /** @internal */
  readonly uniqueHeaders: ReadonlySet<string>;
  private readonly checkingInterval: number;
  private readonly server: net.Server & ServerInfo;
  private readonly open = new Connections<OneRequestConnection>();
  private checker: NodeJS.Timeout | undefined;

  constructor(
    codec: Codec,
    options: ExchangeServerOptions,
    own: OwnOptions,
    requestListener: http.RequestListener | undefined,
  ) {
    super();
    checkOptions(options, own);
    checkMessages();
    endsMayBeShort();
    this.codec = codec;
    const { headersTimeout, requestTimeout, checkingInterval } = timeoutsOf(options);
    this.headersTimeout = headersTimeout;
    this.requestTimeout = requestTimeout;
    this.checkingInterval = checkingInterval;
    this.highWaterMark = highWaterMarkOf(options);
    this.uniqueHeaders = new Set((options.uniqueHeaders ?? []).map((name) => name.toLowerCase()));
    this.joinDuplicateHeaders = options.joinDuplicateHeaders ?? false;
    this.requestClass = requestClass(options.IncomingMessage);
    this.responseClass = (options.ServerResponse ?? nodeHttp.ServerResponse) as unknown as ResponseClass;
    this.responseOptions = {
      highWaterMark: this.highWaterMark,
      rejectNonStandardBodyWrites: options.rejectNonStandardBodyWrites ?? false,
    };
    this.server = this.makeServer(codec, options);
    if (requestListener !== undefined) this.on('request', requestListener);
  }

  private makeServer(codec: Codec, options: ExchangeServerOptions): net.Server & ServerInfo {
    const { noDelay = true, keepAlive, keepAliveInitialDelay } = options;
    const server = new net.Server({ allowHalfOpen: true, noDelay, keepAlive, keepAliveInitialDelay });
    installTransport(server, options);
    setAcceptDelegate(server, {
      server: this,
      peerSpeaksFirst: codec.peerSpeaksFirst,
      owned: false,
      take: ({ engine }, id, insideClose) => {
        this.take(engine, id, insideClose);
        return true;
      },
    });
    server.on('connection', (socket) => {
      this.admit(new OneRequestConnection(this, new NodeCarrier(socket), loopTime()));
    });
    for (const event of FORWARDED) {
      server.on(event, (...args: unknown[]) => {
        if (event === 'listening') this.startChecking();
        this.emit(event, ...args);
      });
    }
    return server as net.Server & ServerInfo;
  }

  private take(engine: Engine, id: number, insideClose: boolean): void {
    this.admit(new OneRequestConnection(this, new NativeCarrier(engine, id, false), loopTime()), insideClose);
  }

  private admit(connection: OneRequestConnection, later = false): void {
    this.open.add(connection);
    if (this.timeout > 0) connection.socket.setTimeout(this.timeout);
    const announce = (): void => {
      const { socket } = connection;
      if (connections.hasSubscribers) connections.publish({ server: this, socket } satisfies ConnectionEvent);
      this.emit('connection', socket);
    };
    if (later) announceLater(connection, announce);
    else announce();
  }

  /** @internal A connection has closed. */
  release(connection: OneRequestConnection): void {
    this.open.remove(connection);
    if (connection.carrier.transport === 'native') noteDelegatedClosed(this.server);
  }

  private startChecking(): void {
    clearInterval(this.checker);
    this.checker = setInterval(() => {
      const now = loopTime();
      for (const connection of this.open.all()) connection.checkTime(now, this.headersTimeout, this.requestTimeout);
    }, this.checkingInterval).unref();
  }

  /** As `net.Server.listen`, in all its forms. */
  listen(...args: unknown[]): this {
    const last = args.at(-1);
    if (typeof last === 'function') {
      this.once('listening', last as () => void);
      args = args.slice(0, -1);
    }
    Reflect.apply(this.server.listen as Listener, this.server, args);
    return this;
  }

  /** Stops listening. Pending requests are still answered, and 'close' comes after the last of them. */
  close(callback?: (error?: Error) => void): this {
    this.closeIdleConnections();
    clearInterval(this.checker);
    this.server.close(callback);
    return this;
  }

  /** Closes all connections at once, including those with pending requests. */
  closeAllConnections(): void {
    for (const connection of this.open.all()) connection.close();
  }

  /** Closes connections whose request has been answered. One that waits for its request is not idle. */
  closeIdleConnections(): void {
    for (const connection of this.open.all()) if (connection.isIdle) connection.close();
  }

  /** Sets `timeout`, and adds a listener of 'timeout'. Applies to later connections. */
  setTimeout(milliseconds: number, callback?: (socket: ExchangeSocket) => void): this {
    this.timeout = milliseconds;
    if (callback !== undefined) this.on('timeout', callback);
    return this;
  }

  /** The path, or the address and port; null before it listens and after it has closed. */
  address(): net.AddressInfo | string | null {
    return this.server.address();
  }

  /** Calls back with the number of open connections. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    this.server.getConnections(callback);
    return this;
  }

  /** Whether it is listening. */
  get listening(): boolean {
    return this.server.listening;
  }

  /**
   * The maximum number of open connections; further ones are closed as soon as they are accepted. Default: no limit.
   */
  get maxConnections(): number {
    return this.server.maxConnections;
  }

  /** Applies to later connections. */
  set maxConnections(count: number) {
    this.server.maxConnections = count;
  }

  /** The number of open connections. */
  get connections(): number {
    return connectionsOf(this.server);
  }

  /** Keeps the process alive while it listens, as it does by default. */
  ref(): this {
    this.server.ref();
    return this;
  }

  /** Does not keep the process alive. */
  unref(): this {
    this.server.unref();
    return this;
  }

  get transport(): TransportName {
    return this.server.transport;
  }

  get bufferSizes(): BufferSizes | undefined {
    return this.server.bufferSizes;
  }

  stats(): ServerStats {
    return this.server.stats();
  }

  /**
   * As in node:http: with `captureRejections`, the response of a handler that rejects becomes a 500, or is abandoned.
   */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: string, ...args: unknown[]): void {
    const capture = nodeHttp.Server.prototype[EventEmitter.captureRejectionSymbol as never] as Listener;
    Reflect.apply(capture, this, [error, event, ...args]);
  }

  /** Closes the server, and waits for the last connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await promisify(this.close.bind(this))();
  }
}
