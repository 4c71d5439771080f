/** The two ways in: `Channel.connect` and `ChannelServer.listen`, by the transport that was asked for. */
import { engineFor, requestedTransport } from '../engine/transport.js';
import { connectJs, listenJs } from './js.js';
import { listenNative } from './native-server.js';
import { connectNative } from './native.js';
import { checkConnectTarget, checkHandlers, checkListenTarget } from './targets.js';
import type {
  Channel as ChannelObject,
  ChannelHandlers,
  ChannelServer as ServerObject,
  ChannelServerHandlers,
  ConnectTarget,
  ListenTarget,
} from './types.js';

/**
 * A connection, and `Channel.connect`, which makes one.
 * @interface
 */
export type Channel = ChannelObject;
/** Makes channels. */
export const Channel = {
  /**
   * Connects. Bad arguments throw here; what the system refuses is told to `onError`. A full queue of a UNIX listener is
   * waited for: see `backlogTimeout`.
   */
  connect(target: ConnectTarget, handlers: ChannelHandlers): ChannelObject {
    checkConnectTarget(target);
    checkHandlers(handlers);
    const engine = engineFor(requestedTransport(target.transport));
    return engine === undefined ? connectJs(target, handlers) : connectNative(engine, target, handlers);
  },
};

/**
 * A server, and `ChannelServer.listen`, which makes one.
 * @interface
 */
export type ChannelServer = ServerObject;
/** Makes servers of channels. */
export const ChannelServer = {
  /** Listens. Bad arguments throw here; what the system refuses is told to `onServerError`. */
  listen(target: ListenTarget, handlers: ChannelServerHandlers): ServerObject {
    checkListenTarget(target);
    checkHandlers(handlers);
    const engine = engineFor(requestedTransport(target.transport));
    return engine === undefined ? listenJs(target, handlers) : listenNative(engine, target, handlers);
  },
};
