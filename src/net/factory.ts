/** Makes sockets and servers of the transport that was asked for. */
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

/** What our servers and sockets have beyond node:net's. */
export interface TransportInfo {
  /** What carries the bytes. */
  readonly transport: TransportName;
  /**
   * SO_SNDBUF and SO_RCVBUF as the kernel has them, in bytes. A server's are those of its first connection. undefined
   * before there is a connection, without the addon, and for a `js` server that has been asked for no sizes.
   */
  readonly bufferSizes: BufferSizes | undefined;
}

/** What a server has beside. */
export interface ServerInfo extends TransportInfo {
  /** What the server and its connections have counted. */
  stats(): ServerStats;
}

export type Socket = net.Socket & TransportInfo & FileSender & FileReceiver;

/** Options of node's that rest on its own handle, where a socket is to connect. */
const NODE_ONLY: readonly string[] = ['fd', 'handle'];

/** The name of an option that only node:net can serve. */
export function nodeOnlyOption(options: object | undefined): string | undefined {
  return NODE_ONLY.find((name) => (options as Record<string, unknown> | undefined)?.[name] !== undefined);
}

/** As `engineFor`; and native sockets have what sockets of this version of node have, and refuse what they can't. */
function socketEngineFor(choice: TransportChoice): Engine | undefined {
  const engine = engineFor(choice);
  if (engine !== undefined) {
    installNodeOptions();
    installTlsGuard();
  }
  return engine;
}

/** The engine to make a socket with these options on; undefined stands for `js`. */
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

/** What the engine can't make a socket of. */
export function descriptorError(fd: number): Error {
  return notNativeError(`descriptor ${String(fd)}: it is no connected stream socket, or has an owner`);
}

/** A native socket, of a subclass where `target` is one. */
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

/** What `net.connect` does, with a native socket. */
export function connectNatively(engine: Engine, options: ConnectOptions, listener: (() => void) | undefined): Socket {
  const socket = makeNative(engine, options);
  if (!SOCKET_CONNECT_IS_PUBLISHED) publishClient(socket);
  if (options.timeout) socket.setTimeout(options.timeout);
  return listener === undefined ? socket.connect(options) : socket.connect(options, listener);
}

/** Has a net.Server or http.Server listen by the transport that the options ask for, and say which it is. */
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

/** The options argument of a server, where the listener may stand in its place. */
export function serverOptions(options: unknown): TransportOptions | undefined {
  if (typeof options === 'function' || options === undefined || options === null) return undefined;
  if (typeof options !== 'object') throw argTypeError('options', 'of type object', options);
  return options;
}
