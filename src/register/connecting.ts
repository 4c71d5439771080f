/** Patches the functions by which sockets connect, for `nearwire/register`. */
import { once } from 'node:events';
import type * as http2 from 'node:http2';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as net from 'node:net';
import { promisify } from 'node:util';
import { normalizeArguments } from '../net/arguments.js';
import { becomeNative, canBecomeNative } from '../net/become-native.js';
import type { ConnectOptions } from '../net/connect.js';
import { connectNatively, nodeOnlyOption } from '../net/factory.js';
import { byNode, isJs } from '../net/js.js';
import { acceptsNative } from '../net/node-streams.js';
import { NativeSocket } from '../net/socket.js';
import { nodeHttp } from '../runtime/http.js';
import { nodeHttp2 } from '../runtime/modules.js';
import type { Reach } from './reach.js';

/** The module object that programs and node's own modules share; its ES namespace is read-only. */
const nodeNet = createRequire(import.meta.url)('node:net') as typeof net;

type SocketConnect = (this: net.Socket, ...args: unknown[]) => net.Socket;

const originalConnect = nodeNet.connect;
const nodesSocketConnect = nodeNet.Socket.prototype.connect as SocketConnect;
const nativeConnect = NativeSocket.prototype.connect as SocketConnect;

/** Patches `Socket.prototype.connect` and returns the new function. */
function patchSocketConnect(reach: Reach): SocketConnect {
  const connect: SocketConnect = function connect(...args) {
    if (this instanceof NativeSocket) return nativeConnect.apply(this, args);
    const [options] = normalizeArguments<ConnectOptions>(args);
    return canBecomeNative(this) && !isJs(this) && reach.connects(options)
      ? nativeConnect.apply(becomeNative(this, reach.engine), args)
      : nodesSocketConnect.apply(this, args);
  };
  nodeNet.Socket.prototype.connect = connect;
  Reflect.deleteProperty(NativeSocket.prototype, 'connect');
  return connect;
}

function patchNetConnect(reach: Reach, socketConnect: SocketConnect): void {
  // A function that can be called with `new`, like node's.
  const connect = function connect(...args: unknown[]): net.Socket {
    const [options, listener] = normalizeArguments<ConnectOptions>(args);
    // Another library has replaced the method to observe each connect: its function must be called.
    const isWatched = nodeNet.Socket.prototype.connect !== socketConnect;
    return !isWatched && !isJs() && reach.connects(options) && nodeOnlyOption(options) === undefined
      ? connectNatively(reach.engine, options, listener)
      : (Reflect.apply(originalConnect, nodeNet, args) as net.Socket);
  };
  nodeNet.connect = nodeNet.createConnection = connect;
  // Up to node 20 the agent keeps a reference to the function itself.
  const agent = nodeHttp.Agent.prototype as { createConnection: unknown };
  if (agent.createConnection === originalConnect) agent.createConnection = connect;
}

function patchHttp2Connect(): void {
  // An HTTP/2 session uses its socket's handle from C++.
  const sessionConnect = acceptsNative(nodeHttp2().connect as (...args: unknown[]) => http2.ClientHttp2Session);
  const connect = function connect(...args: unknown[]): http2.ClientHttp2Session {
    return byNode(() => sessionConnect(...args));
  };
  // As node's: resolves with the connected session.
  Object.defineProperty(connect, promisify.custom, {
    value: async (authority: unknown, options: unknown) => {
      const session = connect(authority, options);
      await once(session, 'connect');
      return session;
    },
  });
  nodeHttp2().connect = connect;
}

export function patchConnecting(reach: Reach): void {
  patchNetConnect(reach, patchSocketConnect(reach));
  patchHttp2Connect();
  syncBuiltinESMExports();
}
