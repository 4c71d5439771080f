/** Makes sockets and servers of the requested transport. */
import * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import { argTypeError, notNativeError } from '../errors/index.js';
import type { FileSender } from '../files/options.js';
import type { FileReceiver } from './receive-file.js';
import { HAS_BLOCK_LIST_OPTION, SOCKET_CONNECT_IS_PUBLISHED } from '../runtime/version.js';
import {
  checkTransportOptions,
  type BufferSizes,
  type TransportChoice,
  type TransportName,
  type TransportOptions,
} from '../config/options.js';
import { connectionsOf } from '../node/server-connections.js';
import { counterFor } from '../stats/server-counter.js';
import type { ServerStats } from '../stats/server-stats.js';
import { engineFor, requestedTransport } from '../engine/transport.js';
import { adoptDescriptor } from './adopt.js';
import { normalizeArguments } from './arguments.js';
import { publishClient } from './client-channel.js';
import type { ConnectOptions } from './connect.js';
import { connectByNode, tagAccepted, tagJsServer, tagJsSocket } from './js.js';
import { NativeListening } from './listen.js';
import { installOnread } from './onread.js';
import { installNodeOptions } from './node-options.js';
import { socketSettings, streamOptions, type SocketOptions } from './socket-options.js';
import { NativeSocket } from './socket.js';
import { installTlsGuard } from './tls-guard.js';

/** The properties that our servers and sockets have in addition to node:net's. */
export interface TransportInfo {
  /** The transport in use. */
  readonly transport: TransportName;
  /**
   * SO_SNDBUF and SO_RCVBUF as the kernel reports them, in bytes. For a server those of its first connection. undefined
   * before there is a connection, without the addon, and for a `js` server for which no sizes were requested.
   */
  readonly bufferSizes: BufferSizes | undefined;
}

/** The additional properties of a server. */
export interface ServerInfo extends TransportInfo {
  /** What the server and its connections have counted. */
  stats(): ServerStats;
}

export type Socket = net.Socket & TransportInfo & FileSender & FileReceiver;

/** Options of connecting sockets that need one of node's own handles. */
const NODE_ONLY: readonly string[] = ['fd', 'handle'];

/** The name of the given option that only node:net supports. */
export function nodeOnlyOption(options: object | undefined): string | undefined {
  return NODE_ONLY.find((name) => (options as Record<string, unknown> | undefined)?.[name] !== undefined);
}

/**
 * As `engineFor`; also gives native sockets the options of this version of node's sockets, and rejects those that they
 * cannot support.
 */
function socketEngineFor(choice: TransportChoice): Engine | undefined {
  const engine = engineFor(choice);
  if (engine !== undefined) {
    installNodeOptions();
    installTlsGuard();
  }
  return engine;
}

/** The engine for a socket with these options; undefined: `js`. */
export function engineForSocket(options: SocketOptions | undefined, taken?: 'fd'): Engine | undefined {
  checkTransportOptions(options);
  const choice = requestedTransport(options?.transport);
  const engine = socketEngineFor(choice);
  const own = nodeOnlyOption(options);
  if (own === undefined || own === taken) return engine;
  if (choice === 'native') throw notNativeError(`the option "${own}"`);
  return undefined;
}

/** A socket that is not connected yet, or one over `options.fd`. */
export function makeSocket(options: SocketOptions | undefined): Socket {
  const engine = engineForSocket(options, 'fd');
  if (engine === undefined) return tagJsSocket(new net.Socket(options), options);
  const socket = makeNative(engine, options);
  if (options?.fd === undefined || adoptDescriptor(socket, options) === 0) return socket;
  if (requestedTransport(options.transport) === 'native') throw descriptorError(options.fd);
  return tagJsSocket(new net.Socket(options), options);
}

/** The error for a descriptor that the engine does not accept. */
export function descriptorError(fd: number): Error {
  return notNativeError(`descriptor ${String(fd)}: it is not a connected stream socket, or is already in use`);
}

/** A native socket, of a subclass if `target` is one. */
export function makeNative(
  engine: Engine,
  options: SocketOptions | undefined,
  target: NewableFunction = NativeSocket,
): NativeSocket {
  const args = [socketSettings(engine, options), streamOptions(options)];
  const socket = Reflect.construct(NativeSocket, args, target) as NativeSocket;
  installOnread(socket, options?.onread);
  if (HAS_BLOCK_LIST_OPTION && options?.blockList) socket.blockList = options.blockList;
  return socket;
}

/** As `net.connect`, in all its forms. */
export function connectSocket(args: readonly unknown[]): Socket {
  const [options, listener] = normalizeArguments<ConnectOptions>(args);
  const engine = engineForSocket(options);
  if (engine === undefined) {
    return connectByNode(options as net.NetConnectOpts, listener);
  }
  return connectNatively(engine, options, listener);
}

/** `net.connect` with a native socket. */
export function connectNatively(engine: Engine, options: ConnectOptions, listener: (() => void) | undefined): Socket {
  const socket = makeNative(engine, options);
  if (!SOCKET_CONNECT_IS_PUBLISHED) publishClient(socket);
  if (options.timeout) socket.setTimeout(options.timeout);
  return listener === undefined ? socket.connect(options) : socket.connect(options, listener);
}

/** Makes a net.Server or http.Server listen on the transport that the options request, and labels it with that. */
export function installTransport(server: net.Server, options: TransportOptions | undefined): void {
  checkTransportOptions(options);
  const choice = requestedTransport(options?.transport);
  const engine = socketEngineFor(choice);
  if (engine === undefined) {
    tagAccepted(server, options);
    tagJsServer(server);
    defineStats(server, () => counterFor(server).stats('js', connectionsOf(server)));
    return;
  }
  defineStats(server, () => listening.stats());
  const listening = new NativeListening(server, engine, { choice, buffers: options });
  listening.install();
  Object.defineProperties(server, {
    transport: { get: () => listening.transport, enumerable: true, configurable: true },
    bufferSizes: { get: () => listening.bufferSizes, enumerable: true, configurable: true },
  });
}

function defineStats(server: net.Server, stats: () => ServerStats): void {
  Object.defineProperty(server, 'stats', { value: stats, writable: true, configurable: true });
}

/** The options argument of a server, unless the listener is in its place. */
export function serverOptions(options: unknown): TransportOptions | undefined {
  if (typeof options === 'function' || options === undefined || options === null) return undefined;
  if (typeof options !== 'object') throw argTypeError('options', 'of type object', options);
  return options;
}
