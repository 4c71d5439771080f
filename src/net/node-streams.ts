/**
 * TLS and HTTP/2 over native sockets. Both use one of node's handles from C++, so a native socket that is passed to
 * them becomes one of node's (see become-node.ts). If that is impossible, for example while it connects, they get a
 * plain stream over it, which also works and costs more: node handles each write on such a stream in two phases of its
 * loop.
 *
 * If node's modules have been patched, this happens at their entry points: `tls.connect`, `new TLSSocket`, and the
 * 'connection' event of servers.
 */
import type { EventEmitter } from 'node:events';
import type * as http2 from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';
import { Duplex } from 'node:stream';
import type * as tls from 'node:tls';
import { nodeHttp2, nodeTls } from '../runtime/modules.js';
import { becomeNode } from './become-node.js';
import { NativeSocket } from './socket.js';

/** A native socket as a plain stream: node assumes that a net.Socket without a handle is not connected yet. */
function plainStream(socket: NativeSocket): Duplex {
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, callback) => void socket.write(chunk, callback),
    final: (callback) => socket.end(callback),
    destroy: (error, callback) => {
      socket.destroy();
      callback(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) socket.pause();
  });
  socket.on('end', () => stream.push(null));
  socket.on('error', (error) => stream.destroy(error));
  socket.on('close', () => stream.destroy());
  return stream;
}

function usable(stream: unknown): unknown {
  if (!(stream instanceof NativeSocket) || becomeNode(stream)) return stream;
  return plainStream(stream);
}

/**
 * Returns a stream over a socket's connection that TLS and HTTP/2 can use, which need one of node's handles: the socket
 * itself, which has become one of node's; or a plain stream over it if it is still connecting, or has bytes that the
 * kernel does not take. Any other stream is returned unchanged. After `install()`, node's modules do this
 * automatically.
 */
export function nodeStream(stream: Duplex): Duplex {
  return usable(stream) as Duplex;
}

type Connect = (...args: unknown[]) => http2.ClientHttp2Session;

/**
 * `http2.connect`: a connected socket that the program's own `createConnection` returns becomes one of node's. One
 * reason: the session requests TCP_NODELAY, and through a stream over another one that request would not reach the
 * socket.
 */
export function acceptsNative(connect: Connect): Connect {
  return (...args) => {
    const [authority, options, ...rest] = args;
    const { createConnection } = (options ?? {}) as { createConnection?: unknown };
    if (typeof createConnection !== 'function') return connect(...args);
    const create = (...asked: unknown[]): unknown => {
      const socket: unknown = Reflect.apply(createConnection, options, asked);
      return socket instanceof NativeSocket && socket.connecting ? socket : usable(socket);
    };
    return connect(authority, { ...(options as object), createConnection: create }, ...rest);
  };
}

/** Makes servers of this class accept native connections. */
function patchServer(prototype: EventEmitter): void {
  const above = Object.getPrototypeOf(prototype) as EventEmitter;
  prototype.emit = function (this: EventEmitter, event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'connection') args[0] = usable(args[0]);
    return above.emit.call(this, event, ...args);
  };
}

function patchTls(): void {
  const patched = nodeTls();
  const { connect, TLSSocket } = patched;
  patched.connect = function (...args: unknown[]) {
    let connecting: NativeSocket | undefined;
    const replaced = args.map((argument) => {
      const { socket } = (argument ?? {}) as { socket?: unknown };
      if (!(socket instanceof NativeSocket)) return argument;
      if (socket.connecting) connecting = socket;
      return { ...(argument as object), socket: usable(socket) };
    });
    const secured = (connect as (...args: unknown[]) => tls.TLSSocket)(...replaced);
    connecting?.once('connect', () => secured.emit('connect'));
    return secured;
  };
  patched.TLSSocket = new Proxy(TLSSocket, {
    construct(target, [socket, ...rest]: unknown[], newTarget) {
      return Reflect.construct(target, [usable(socket), ...rest], newTarget) as tls.TLSSocket;
    },
  });
}

let http2Server: EventEmitter | undefined;

/** The prototype of HTTP/2's plain servers, whose class node does not export. */
function http2ServerPrototype(): EventEmitter {
  return (http2Server ??= Object.getPrototypeOf(nodeHttp2().createServer()) as EventEmitter);
}

/** Whether this server works on its connections' handles from C++: it speaks TLS or HTTP/2. */
export function readsHandles(server: object): boolean {
  return server instanceof nodeTls().Server || Object.prototype.isPrototypeOf.call(http2ServerPrototype(), server);
}

/**
 * Patches both modules, and loads them for that: Node does not report when a program loads one, and a program may
 * import `connect` or `TLSSocket` by name right after this call.
 */
export function installNodeStreams(): void {
  patchTls();
  patchServer(nodeTls().Server.prototype);
  patchServer(http2ServerPrototype());
  syncBuiltinESMExports();
}
