/** The entry points: `Channel.connect` and `ChannelServer.listen`, for the requested transport. */
import { engineFor, requestedTransport } from '../engine/transport.js';
import { connectJs } from './js.js';
import { listenJs } from './js-server.js';
import { listenNative } from './native-server.js';
import { connectNative } from './native-connect.js';
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
export type Channel<Data = unknown> = ChannelObject<Data>;
/** Makes channels. */
export const Channel = {
  /**
   * Connects. Invalid arguments throw here; if the system refuses the connection, `onError` gets the error on a later tick.
   * If the queue of a UNIX listener is full, the connect waits: see `backlogTimeout`.
   *
   * `Data` is the type of `channel.data`, which is undefined until the program sets it.
   */
  connect<Data = unknown>(target: ConnectTarget, handlers: ChannelHandlers<Data>): ChannelObject<Data> {
    checkConnectTarget(target);
    checkHandlers(handlers);
    const engine = engineFor(requestedTransport(target.transport));
    const channel = engine === undefined ? connectJs(target, handlers) : connectNative(engine, target, handlers);
    // Only the program knows the type of `data`.
    return channel as ChannelObject<Data>;
  },
};

/**
 * A server, and `ChannelServer.listen`, which makes one.
 * @interface
 */
export type ChannelServer = ServerObject;
/** Makes servers of channels. */
export const ChannelServer = {
  /**
   * Listens. Invalid arguments throw here; if the system refuses, `onServerError` gets the error on a later tick.
   *
   * `Data` is the type of `channel.data`, which is undefined until the program sets it, in `onConnection` for example.
   */
  listen<Data = unknown>(target: ListenTarget, handlers: ChannelServerHandlers<Data>): ServerObject {
    checkListenTarget(target);
    checkHandlers(handlers);
    const engine = engineFor(requestedTransport(target.transport));
    return engine === undefined ? listenJs(target, handlers) : listenNative(engine, target, handlers);
  },
};
