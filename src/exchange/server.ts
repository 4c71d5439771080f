/** The server of a protocol: listens as a net.Server does, and has requests answered as an http.Server does. */
import { EventEmitter } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { promisify } from 'node:util';
import { installPrimary } from '../cluster/primary.js';
import type { Engine } from '../engine.js';
import { argTypeError, outOfRangeError } from '../errors.js';
import { installTransport, serverOptions, type ServerLabels, type ServerTransportOptions } from '../net/factory.js';
import { installIpc } from '../net/ipc.js';
import { noteTakenClosed } from '../net/listen.js';
import { setTaker } from '../net/takers.js';
import { nodeHttp } from '../node-modules.js';
import { checkWhole, type BufferSizes, type TransportName } from '../options.js';
import type { ServerStats } from '../stats/server-stats.js';
import { NodeCarrier, NativeCarrier } from './carrier.js';
import type { Codec } from './codec.js';
import { Connection } from './connection.js';
import { Connections } from './connections.js';
import { requestClass, type RequestClass } from './request.js';
import { hasNodesEnd, type ResponseClass, type ResponseOptions } from './response.js';
import type { ExchangeSocket } from './socket.js';

installPrimary();
installIpc();

/** Options that every protocol's server takes; those of the same name are node:http's. */
export interface ExchangeServerOptions extends ServerTransportOptions {
  /** Requests are of this class. Default: `http.IncomingMessage`. */
  IncomingMessage?: typeof http.IncomingMessage | undefined;
  /** Responses are of this class. Default: `http.ServerResponse`. */
  ServerResponse?: typeof http.ServerResponse | undefined;
  /** Milliseconds in which a request's head has to come; 0: for ever. Default: 60,000, or `requestTimeout` if that is less. */
  headersTimeout?: number | undefined;
  /** Milliseconds in which a request has to come with its body; 0: for ever. Default: 300,000. */
  requestTimeout?: number | undefined;
  /** How often, in milliseconds, both are looked at. Default: 30,000. */
  connectionsCheckingInterval?: number | undefined;
  /** Whether a write to an answer that has no body (HEAD, 204, 304) throws. Default: false, it is ignored. */
  rejectNonStandardBodyWrites?: boolean | undefined;
  /** TCP: send small writes at once. Default: true. */
  noDelay?: boolean | undefined;
  /** TCP: ask for keep-alive probes. Default: false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds before the first of them. */
  keepAliveInitialDelay?: number | undefined;
}

const MAX_MILLIS = 2 ** 31 - 1;
const DEFAULT_REQUEST_TIMEOUT = 300_000;
const DEFAULT_HEADERS_TIMEOUT = 60_000;
const DEFAULT_CHECKING_INTERVAL = 30_000;

/** Events of the listening server that are this one's too. */
const FORWARDED = ['listening', 'error', 'close', 'drop'] as const;

type Listener = (...args: never[]) => void;

interface NetInternals {
  _connections: number;
}

export class ExchangeServer extends EventEmitter implements ServerLabels {
  /** Milliseconds of silence after which a connection gets a 'timeout'; 0: never. */
  timeout = 0;
  headersTimeout: number;
  requestTimeout: number;
  /** As node:http's: a peer that has ended its side may still be answered. */
  httpAllowHalfOpen = false;
  /** @internal */
  readonly codec: Codec;
  /** @internal */
  readonly requestClass: RequestClass;
  /** @internal */
  readonly responseClass: ResponseClass;
  /** @internal */
  readonly responseOptions: ResponseOptions;
  /** @internal Answers may go the short way. */
  readonly endsShort: boolean;
  private readonly checkingInterval: number;
  private readonly server: net.Server & ServerLabels;
  private readonly open = new Connections();
  private checker: NodeJS.Timeout | undefined;

  constructor(codec: Codec, options: ExchangeServerOptions, requestListener: http.RequestListener | undefined) {
    super();
    this.codec = codec;
    ({ headersTimeout: this.headersTimeout, requestTimeout: this.requestTimeout } = timeoutsOf(options));
    checkWhole(options.connectionsCheckingInterval, 'options.connectionsCheckingInterval', 0, MAX_MILLIS);
    this.checkingInterval = options.connectionsCheckingInterval ?? DEFAULT_CHECKING_INTERVAL;
    this.requestClass = requestClass(options.IncomingMessage);
    this.responseClass = (options.ServerResponse ?? nodeHttp.ServerResponse) as unknown as ResponseClass;
    this.endsShort = hasNodesEnd(this.responseClass);
    this.responseOptions = {
      highWaterMark: net.Socket.prototype.writableHighWaterMark,
      rejectNonStandardBodyWrites: options.rejectNonStandardBodyWrites ?? false,
    };
    this.server = this.makeServer(options);
    if (requestListener !== undefined) this.on('request', requestListener);
  }

  private makeServer(options: ExchangeServerOptions): net.Server & ServerLabels {
    const { noDelay = true, keepAlive, keepAliveInitialDelay } = options;
    const server = new net.Server({ allowHalfOpen: true, noDelay, keepAlive, keepAliveInitialDelay });
    installTransport(server, options);
    setTaker(server, (engine, id) => {
      this.take(engine, id);
    });
    server.on('connection', (socket) => {
      this.admit(new Connection(this, new NodeCarrier(socket), performance.now()));
    });
    for (const event of FORWARDED) {
      server.on(event, (...args: unknown[]) => {
        if (event === 'listening') this.startChecking();
        this.emit(event, ...args);
      });
    }
    return server as net.Server & ServerLabels;
  }

  private take(engine: Engine, id: number): void {
    this.admit(new Connection(this, new NativeCarrier(engine, id), performance.now()));
  }

  private admit(connection: Connection): void {
    this.open.add(connection);
    if (this.timeout > 0) connection.socket.setTimeout(this.timeout);
    this.emit('connection', connection.socket);
  }

  /** @internal A connection is closed. */
  release(connection: Connection): void {
    this.open.remove(connection);
    if (connection.carrier.transport === 'native') noteTakenClosed(this.server);
  }

  private startChecking(): void {
    clearInterval(this.checker);
    this.checker = setInterval(() => {
      const now = performance.now();
      for (const connection of this.open.all()) connection.checkTime(now, this.headersTimeout, this.requestTimeout);
    }, this.checkingInterval).unref();
  }

  /** As `net.Server`'s, in all its forms. */
  listen(...args: unknown[]): this {
    const last = args.at(-1);
    if (typeof last === 'function') {
      this.once('listening', last as () => void);
      args = args.slice(0, -1);
    }
    Reflect.apply(this.server.listen as Listener, this.server, args);
    return this;
  }

  /** Stops listening; requests under way are answered, and 'close' comes after the last of them. */
  close(callback?: (error?: Error) => void): this {
    this.closeIdleConnections();
    clearInterval(this.checker);
    this.server.close(callback);
    return this;
  }

  /** Closes connections at once, whatever becomes of their requests. */
  closeAllConnections(): void {
    for (const connection of this.open.all()) connection.close();
  }

  /** Closes connections whose request has been answered. One that waits for its request is not idle. */
  closeIdleConnections(): void {
    for (const connection of this.open.all()) if (connection.isIdle) connection.close();
  }

  setTimeout(milliseconds: number, callback?: (socket: ExchangeSocket) => void): this {
    this.timeout = milliseconds;
    if (callback !== undefined) this.on('timeout', callback);
    return this;
  }

  address(): net.AddressInfo | string | null {
    return this.server.address();
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    this.server.getConnections(callback);
    return this;
  }

  get listening(): boolean {
    return this.server.listening;
  }

  get maxConnections(): number {
    return this.server.maxConnections;
  }

  set maxConnections(count: number) {
    this.server.maxConnections = count;
  }

  get connections(): number {
    return (this.server as unknown as NetInternals)._connections;
  }

  ref(): this {
    this.server.ref();
    return this;
  }

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

  async [Symbol.asyncDispose](): Promise<void> {
    await promisify(this.close.bind(this))();
  }
}

function timeoutsOf(options: ExchangeServerOptions): { headersTimeout: number; requestTimeout: number } {
  checkWhole(options.requestTimeout, 'options.requestTimeout', 0, MAX_MILLIS);
  checkWhole(options.headersTimeout, 'options.headersTimeout', 0, MAX_MILLIS);
  const { requestTimeout = DEFAULT_REQUEST_TIMEOUT } = options;
  const { headersTimeout = Math.min(DEFAULT_HEADERS_TIMEOUT, requestTimeout) } = options;
  if (requestTimeout > 0 && headersTimeout > requestTimeout) {
    throw outOfRangeError('headersTimeout', '<= requestTimeout', headersTimeout);
  }
  return { headersTimeout, requestTimeout };
}

/** `(options?, listener?)`, as http.createServer takes them. */
export function serverArguments<Options extends ExchangeServerOptions>(
  options: Options | http.RequestListener | null | undefined,
  listener: http.RequestListener | undefined,
): [Options, http.RequestListener | undefined] {
  if (typeof options === 'function') return [{} as Options, options];
  if (listener !== undefined && typeof listener !== 'function') {
    throw argTypeError('listener', 'of type function', listener);
  }
  return [(serverOptions(options) ?? {}) as Options, listener];
}
