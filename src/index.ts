/**
 * `nearwire`: `node:net`'s servers and sockets over a native transport, for UNIX sockets and TCP.
 *
 * Every function and class takes the arguments of its namesake in `node:net`, and in addition `transport`,
 * `sendBufferSize`, `recvBufferSize` and `allowSmallBuffers`. With `transport: 'js'`, or if the addon is not available,
 * they are `node:net` itself.
 *
 * @module nearwire
 */
import * as net from 'node:net';
import { argValueError } from './errors/index.js';
import type { TransportOptions } from './config/options.js';
import { transportStatus } from './engine/transport.js';
import type { ConnectOptions } from './net/connect.js';
import {
  connectSocket,
  descriptorError,
  engineForSocket,
  installTransport,
  makeNative,
  makeSocket,
  serverOptions,
  type TransportInfo,
  type ServerInfo,
  type Socket as SocketInstance,
} from './net/factory.js';
import { adoptDescriptor } from './net/adopt.js';
import { tagJsSocket } from './net/js.js';
import type { SocketOptions } from './net/socket-options.js';
import { NativeSocket } from './net/socket.js';
import type { Channel, ChannelServer } from './channel/types.js';
import type { ExchangeSocket } from './exchange/socket.js';
import type * as events from './stats/events.js';

export type {
  BacklogOptions,
  BufferOptions,
  BufferSizes,
  TransportChoice,
  TransportName,
  TransportOptions,
} from './config/options.js';
export { configure, type Settings } from './engine/configure.js';
export { install } from './register/install-natively.js';
export { Page, type PageSource, type PageStats, type Transfers } from './files/page.js';
export type { ConnectionStats, ServerStats } from './stats/server-stats.js';
export type { DropReason } from './stats/events.js';
export { transportStatus, type TransportStatus } from './engine/transport.js';
export type { ConnectOptions } from './net/connect.js';
export type { ServerInfo, TransportInfo } from './net/factory.js';
export type { OnreadOptions, SocketOptions } from './net/socket-options.js';
export type { FileSender, FileSource, FileTarget, SendFileOptions } from './files/options.js';
export { sendFile } from './net/send-file.js';

/** The server of an event, as its program created it. */
export type AnyServer = net.Server | ChannelServer;

/**
 * The connection of an event: a Socket, a Channel, or the object that a server of `nearwire/uwsgi` uses as
 * `req.socket`.
 */
export type AnyConnection = net.Socket | Channel | ExchangeSocket;

/**
 * `nearwire:connection`: a server has accepted a connection. Published before 'connection', or `onConnection`.
 * @interface
 */
export type ConnectionEvent = events.ConnectionEvent<AnyServer, AnyConnection>;

/**
 * `nearwire:drop`: a connection was closed as soon as it had been accepted.
 * @interface
 */
export type DropEvent = events.DropEvent<AnyServer>;

/**
 * `nearwire:close`: a connection that a server had accepted has closed. Published before 'close', or `onClose`.
 * @interface
 */
export type CloseEvent = events.CloseEvent<AnyServer, AnyConnection>;

/** Options of a `node:net` server, and nearwire's. */
export interface ServerOptions extends net.ServerOpts, TransportOptions {}

/** Called with each connection that a server accepts. */
export type ConnectionListener = (socket: Socket) => void;

/** A socket of either transport; `instanceof net.Socket`. */
export type Socket = SocketInstance;

/** The type of `Socket`: a class that can also be called without `new`, like `net.Socket`. */
export interface SocketConstructor {
  new (options?: SocketOptions): Socket;
  /** Creates a socket, as `new Socket(options)` does. */
  (options?: SocketOptions): Socket;
  /** The prototype of all sockets of this process's transport. */
  readonly prototype: Socket;
}

let nativeByDefault: boolean | undefined;

/**
 * Whether subclasses of `Socket` extend the native class. Their prototype chain is fixed when they are defined, so the
 * first answer stays valid. Answering loads the addon, and a program that only imports this module must not wait for
 * that.
 */
function isNativeByDefault(): boolean {
  if (nativeByDefault !== undefined) return nativeByDefault;
  try {
    nativeByDefault = transportStatus().transport === 'native';
  } catch {
    // NEARWIRE_TRANSPORT is invalid: the first socket or server reports it.
    nativeByDefault = false;
  }
  return nativeByDefault;
}

function construct(options: SocketOptions | undefined, target: object): Socket {
  const engine = engineForSocket(options, 'fd');
  if ((engine !== undefined) !== isNativeByDefault()) {
    const reason = 'cannot differ from the process default for subclasses of Socket';
    throw argValueError('options.transport', options?.transport, reason);
  }
  if (engine === undefined) {
    const socket = Reflect.construct(net.Socket, [options], target as NewableFunction) as net.Socket;
    return tagJsSocket(socket, options);
  }
  const socket = makeNative(engine, options, target as NewableFunction);
  if (options?.fd !== undefined && adoptDescriptor(socket, options) < 0) throw descriptorError(options.fd);
  return socket;
}

function socketConstructor(given?: SocketOptions | number): Socket {
  // A plain descriptor is node's oldest form.
  const options = typeof given === 'number' ? { fd: given } : given;
  // Called without `new`, which node allows, there is no target.
  const target: unknown = new.target;
  return typeof target === 'function' && target !== socketConstructor
    ? construct(options, target)
    : makeSocket(options);
}

/**
 * As `net.Socket`. `new Socket(options)` makes a socket of the transport that `options.transport` requests; a subclass
 * uses the transport of its process.
 */
export const Socket = socketConstructor.bind(undefined) as SocketConstructor;

// A bound function can be called with `new` and has no own `prototype`, so that one can be defined as a getter.
Object.defineProperties(Socket, {
  name: { value: 'Socket' },
  prototype: { get: (): object => (isNativeByDefault() ? NativeSocket.prototype : net.Socket.prototype) },
  [Symbol.hasInstance]: {
    value(this: unknown, object: unknown): boolean {
      if (this === Socket) return object instanceof net.Socket;
      return Function.prototype[Symbol.hasInstance].call(this, object);
    },
  },
});

/** As `net.Server`; `listen()` opens a socket of the native engine, or of node. */
export class Server extends net.Server implements ServerInfo {
  declare readonly transport: TransportInfo['transport'];
  declare readonly bufferSizes: TransportInfo['bufferSizes'];
  declare readonly stats: ServerInfo['stats'];

  constructor(connectionListener?: ConnectionListener);
  constructor(options?: ServerOptions, connectionListener?: ConnectionListener);
  constructor(options?: ServerOptions | ConnectionListener, connectionListener?: ConnectionListener) {
    super(options as net.ServerOpts, connectionListener as (socket: net.Socket) => void);
    installTransport(this, serverOptions(options));
  }
}

/**
 * As `net.createServer`. Throws a TypeError or RangeError for invalid options, and ERR_NEARWIRE_NO_ADDON if `native` is
 * requested and the addon is not available.
 */
export function createServer(connectionListener?: ConnectionListener): Server;
export function createServer(options?: ServerOptions, connectionListener?: ConnectionListener): Server;
export function createServer(
  options?: ServerOptions | ConnectionListener,
  connectionListener?: ConnectionListener,
): Server {
  return new Server(options as ServerOptions, connectionListener);
}

/**
 * As `net.connect`: with options, a path, or port and host. Once the arguments have been checked, failures are emitted
 * as 'error', with node's fields.
 */
export function connect(target: ConnectOptions | number | string, connectionListener?: () => void): Socket;
export function connect(port: number, host?: string, connectionListener?: () => void): Socket;
export function connect(...args: unknown[]): Socket {
  return connectSocket(args);
}

export { nodeStream } from './net/node-streams.js';
export { shareListener } from './net/share.js';
export { receiveFile, type FileReceiver, type ReceiveFileError, type ReceiveFileOptions } from './net/receive-file.js';
export { relay, type RelayCallback, type RelayOptions, type RelayResult } from './net/relay.js';

/** The same as `connect`. */
export const createConnection = connect;
