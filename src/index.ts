/**
 * `nearwire`: `node:net`'s servers and sockets over a native transport, for UNIX sockets and TCP.
 *
 * Every function and class takes what its namesake in `node:net` takes, and `transport`, `sendBufferSize`, `recvBufferSize` and
 * `allowSmallBuffers` beside it. With `transport: 'js'`, or where the addon is not there, they are `node:net` itself.
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
import type { ExchangeServer } from './exchange/server.js';
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

/** The server of an event: as its program has made it. */
export type AnyServer = net.Server | ChannelServer | ExchangeServer;

/** Its connection: a Socket, a Channel, or what stands as `req.socket` on a server of `nearwire/uwsgi`. */
export type AnyConnection = net.Socket | Channel | ExchangeSocket;

/**
 * `nearwire:connection`: a server has accepted. Comes before 'connection', or `onConnection`.
 * @interface
 */
export type ConnectionEvent = events.ConnectionEvent<AnyServer, AnyConnection>;

/**
 * `nearwire:drop`: a connection was closed as soon as it had been accepted.
 * @interface
 */
export type DropEvent = events.DropEvent<AnyServer>;

/**
 * `nearwire:close`: a connection that a server had accepted is closed. Comes before 'close', or `onClose`.
 * @interface
 */
export type CloseEvent = events.CloseEvent<AnyServer, AnyConnection>;

/** Options of a server, as `node:net` has them, and ours. */
export interface ServerOptions extends net.ServerOpts, TransportOptions {}

/** Called with each connection that a server accepts. */
export type ConnectionListener = (socket: Socket) => void;

/** A socket of either transport; `instanceof net.Socket`. */
export type Socket = SocketInstance;

/** What `Socket` is: a class that can be called without `new` too, as `net.Socket`. */
export interface SocketConstructor {
  new (options?: SocketOptions): Socket;
  /** Makes a socket, as `new Socket(options)` does. */
  (options?: SocketOptions): Socket;
  /** What all sockets of the transport of this process inherit from. */
  readonly prototype: Socket;
}

let nativeByDefault: boolean | undefined;

/**
 * Whether that is what a subclass of `Socket` builds on: its prototype chain is laid when the class is defined, so that it holds
 * from the first look on. To look loads the addon, which who only imports this does not wait for.
 */
function isNativeByDefault(): boolean {
  if (nativeByDefault !== undefined) return nativeByDefault;
  try {
    nativeByDefault = transportStatus().transport === 'native';
  } catch {
    // NEARWIRE_TRANSPORT holds something unknown: the first socket or server says so.
    nativeByDefault = false;
  }
  return nativeByDefault;
}

function construct(options: SocketOptions | undefined, target: object): Socket {
  const engine = engineForSocket(options, 'fd');
  if ((engine !== undefined) !== isNativeByDefault()) {
    const reason = 'must leave a subclass of Socket on the transport of its process';
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
  // A descriptor alone is node's oldest form.
  const options = typeof given === 'number' ? { fd: given } : given;
  // Called without `new`, as node allows, there is no target.
  const target: unknown = new.target;
  return typeof target === 'function' && target !== socketConstructor
    ? construct(options, target)
    : makeSocket(options);
}

/**
 * As `net.Socket`. `new Socket(options)` makes a socket of the transport that `options.transport` asks for; a subclass
 * takes that of its process.
 */
export const Socket = socketConstructor.bind(undefined) as SocketConstructor;

// Bound, as a function that can be called with `new` and has no `prototype` of its own, which could not be a getter.
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

/** As `net.Server`; `listen()` opens the native engine's socket, or node's own. */
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
 * As `net.createServer`. Throws a TypeError or RangeError for options that make no sense, and ERR_NEARWIRE_NO_ADDON if
 * `native` is asked for and not there.
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
 * As `net.connect`: by options, by path, or by port and host. What goes wrong after the arguments have been checked is
 * told by 'error', with node's fields.
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
