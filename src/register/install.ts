/** What `nearwire/register` changes in `node:net` and `node:http`: where servers listen and where sockets connect. */
import { once } from 'node:events';
import type * as http2 from 'node:http2';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as net from 'node:net';
import { promisify } from 'node:util';
import { installPrimary } from '../cluster/primary.js';
import { shareInCluster } from '../cluster/worker.js';
import type { Engine } from '../engine.js';
import { installRequestReader } from '../http/served-parsers.js';
import { normalizeArguments } from '../net/arguments.js';
import { becomeNative, canBecomeNative } from '../net/become-native.js';
import type { ConnectOptions } from '../net/connect.js';
import { connectNatively, nodesOwnOption } from '../net/factory.js';
import { installIpc } from '../net/ipc.js';
import { byNode, isJs } from '../net/js.js';
import { acceptsNative, installNodeStreams, readsHandles } from '../net/node-streams.js';
import { NativeListening, nodesListen2 } from '../net/listen.js';
import type { ListenStep } from '../net/server-internals.js';
import { nodeHttp, nodeHttp2 } from '../node-modules.js';
import { engineFor, requestedTransport } from '../transport.js';

/** `1`: TCP goes over nearwire as well. */
const TCP_VARIABLE = 'NEARWIRE_TCP';

/** What node's `_listen2` is given as the type of a path's address. */
const PATH_ADDRESS = -1;

/** The module objects that programs and node's own modules share; an ES namespace of them can't be written to. */
const require = createRequire(import.meta.url);
const nodeNet = require('node:net') as typeof net;

const nodesConnect = nodeNet.connect;
const nodesSocketConnect = nodeNet.Socket.prototype.connect as (this: net.Socket, ...args: unknown[]) => net.Socket;

/** What is carried natively. */
class Reach {
  constructor(
    readonly engine: Engine,
    private readonly tcp: boolean,
  ) {}

  /** A listening address, as node's own step is given it: not a descriptor or somebody's handle. */
  listens(addressType: number | null): boolean {
    return addressType === PATH_ADDRESS || (this.tcp && (addressType === 4 || addressType === 6));
  }

  /** Where a socket is to connect to. What makes no sense is node's to refuse. */
  connects(options: unknown): options is ConnectOptions {
    if (typeof options !== 'object' || options === null) return false;
    const { path, port } = options as { path?: unknown; port?: unknown };
    return path ? typeof path === 'string' : this.tcp && port !== undefined && port !== null;
  }
}

/** Servers, whatever class they are of: all that listen come by this step. */
function patchListening(reach: Reach): void {
  // TLS and HTTP/2: each connection would become one of node's at once.
  const listensNatively = (server: net.Server, addressType: number | null): boolean =>
    !readsHandles(server) && !isJs(server) && reach.listens(addressType);
  shareInCluster(listensNatively);
  const listenStep: ListenStep = function setupListenHandle(...args) {
    const [, , addressType] = args;
    if (!listensNatively(this, addressType)) {
      nodesListen2.apply(this, args);
      return;
    }
    const listening = new NativeListening(this, reach.engine, { choice: 'auto', buffers: undefined });
    Object.defineProperties(this, {
      transport: { get: () => listening.transport, configurable: true },
      bufferSizes: { get: () => listening.bufferSizes, configurable: true },
    });
    listening.listen(...args);
  };
  (nodeNet.Server.prototype as net.Server & { _listen2: ListenStep })._listen2 = listenStep;
}

function patchConnecting(reach: Reach): void {
  const connect = (...args: unknown[]): net.Socket => {
    const [options, listener] = normalizeArguments<ConnectOptions>(args);
    // Somebody has put a function of theirs in its place, to see each connection being made: that one is called.
    const isWatched = nodeNet.Socket.prototype.connect !== socketConnect;
    return !isWatched && !isJs() && reach.connects(options) && nodesOwnOption(options) === undefined
      ? connectNatively(reach.engine, options, listener)
      : (Reflect.apply(nodesConnect, nodeNet, args) as net.Socket);
  };
  nodeNet.connect = nodeNet.createConnection = connect;
  // Up to node 20 the agent holds on to the function itself.
  const agent = nodeHttp.Agent.prototype as { createConnection: unknown };
  if (agent.createConnection === nodesConnect) agent.createConnection = connect;

  const socketConnect = function (this: net.Socket, ...args: unknown[]): net.Socket {
    const [options] = normalizeArguments<ConnectOptions>(args);
    return canBecomeNative(this) && !isJs(this) && reach.connects(options)
      ? becomeNative(this, reach.engine).connect(...args)
      : nodesSocketConnect.apply(this, args);
  };
  nodeNet.Socket.prototype.connect = socketConnect;
  // A session works on its socket's handle from C++.
  const sessionConnect = acceptsNative(nodeHttp2.connect as (...args: unknown[]) => http2.ClientHttp2Session);
  const http2Connect = (...args: unknown[]): http2.ClientHttp2Session => byNode(() => sessionConnect(...args));
  // As node's has it: a promise of the connected session.
  Object.defineProperty(http2Connect, promisify.custom, {
    value: async (authority: unknown, options: unknown) => {
      const session = http2Connect(authority, options);
      await once(session, 'connect');
      return session;
    },
  });
  nodeHttp2.connect = http2Connect;
  syncBuiltinESMExports();
}

let registered = false;

/**
 * Has every server of this thread that listens on a path, and every socket that connects to one, use the native engine;
 * with `NEARWIRE_TCP=1` TCP as well. What the engine can't serve stays with node:net: descriptors and handles of others,
 * the sockets of TLS and of subclasses of net.Socket. Once is enough; again does nothing.
 *
 * With `NEARWIRE_TRANSPORT=js`, or where the addon is not there, nothing is changed. Throws ERR_NEARWIRE_NO_ADDON if
 * `NEARWIRE_TRANSPORT=native` and the addon is not there.
 */
export function registerTransport(): void {
  if (registered) return;
  registered = true;
  const engine = engineFor(requestedTransport(undefined));
  if (engine === undefined) return;
  const reach = new Reach(engine, process.env[TCP_VARIABLE] === '1');
  installPrimary();
  patchListening(reach);
  patchConnecting(reach);
  installNodeStreams();
  installIpc();
  installRequestReader();
}
