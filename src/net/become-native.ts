/**
 * Turns a socket that node:net's constructor has made, and that has no connection yet, into a native one: the same
 * object, with other methods. So `new net.Socket()` of an unchanged program can still go either way when it connects.
 */
import * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import { nativeFields } from './native-fields.js';
import { keepTypeOfService } from './node-options.js';
import { handleOf } from '../node/handles.js';
import { noted } from '../node/noted-options.js';
import { socketSettings } from './socket-options.js';
import { NativeSocket, noteEnd } from './socket.js';

/** node's own and ours: what a program has put in the place of one is not to see what is done here. */
const { setTimeout: originalSetTimeout } = net.Socket.prototype;
const { setTimeout: nativeSetTimeout } = NativeSocket.prototype;

/** The listener that node's constructor puts on 'end', in whose place ours comes. */
const [originalEndListener] = new net.Socket().listeners('end') as (() => void)[];

/** Whether `becomeNative` can take it: a plain net.Socket without a handle and without a buffer to read into. */
export function canBecomeNative(socket: net.Socket): boolean {
  if (Object.getPrototypeOf(socket) !== net.Socket.prototype) return false;
  const handle = handleOf(socket);
  // One that has been asked to send a file writes in a way of its own.
  const writesItself = Object.prototype.hasOwnProperty.call(socket, '_write');
  return !handle && !socket.connecting && !noted(socket, 'kBuffer') && !writesItself;
}

export function becomeNative(socket: net.Socket, engine: Engine): NativeSocket {
  const { timeout, server, connecting } = socket as net.Socket & { server: unknown };
  // The timer underneath is node's.
  if (timeout) originalSetTimeout.call(socket, 0);
  if (originalEndListener !== undefined) socket.removeListener('end', originalEndListener);
  socket.prependListener('end', noteEnd);
  const settings = {
    ...socketSettings(engine, {
      noDelay: Boolean(noted(socket, 'kSetNoDelay')),
      keepAlive: Boolean(noted(socket, 'kSetKeepAlive')),
    }),
    keepAliveDelay: Number(noted(socket, 'kSetKeepAliveInitialDelay') ?? 0),
  };
  const native = Object.setPrototypeOf(socket, NativeSocket.prototype) as NativeSocket;
  Object.assign(native, Object.fromEntries(nativeFields(engine)), {
    _settings: settings,
    server,
    connecting,
  });
  if (timeout) nativeSetTimeout.call(native, timeout);
  keepTypeOfService(native);
  return native;
}
