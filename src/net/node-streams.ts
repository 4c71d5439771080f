/**
 * TLS and HTTP/2 over native sockets. Both work on a handle of node's from C++, so a native socket that is given to them
 * becomes one of node's (see become-node.ts). Where it can't, as while it connects, they get a plain stream over it,
 * which serves as well and costs more: node turns each write on such a stream over in two phases of its loop.
 *
 * Where node's modules have been changed to, they are met where they come in: `tls.connect`, `new TLSSocket`, and the
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

/** A native socket as a stream of no particular kind: node takes a net.Socket without a handle for one yet to connect. */
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
 * A stream over a socket's connection that TLS and HTTP/2 can use, which work on a handle of node's: the socket itself, which
 * has become one of node's, or a plain stream over it while it connects, or has bytes that the kernel does not take. Any other
 * stream is answered as it is. `install()` has node's modules do this by themselves.
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

/** Has servers of this class take native connections. */
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
 * Patches both modules, and loads them for it: Node does not report when a program loads one, and a program may import
 * `connect` or `TLSSocket` by name as soon as this has returned.
 */
export function installNodeStreams(): void {
  patchTls();
  patchServer(nodeTls().Server.prototype);
  patchServer(http2ServerPrototype());
  syncBuiltinESMExports();
}
