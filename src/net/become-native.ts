/**
 * Turns a socket made by node:net's constructor, and not yet connected, into a native one: the same object, with other
 * methods. So `new net.Socket()` in an unchanged program can still become either kind when it connects.
 */
import * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import { addNativeFields } from './native-fields.js';
import { keepTypeOfService } from './node-options.js';
import { handleOf } from '../node/handles.js';
import { noted } from '../node/noted-options.js';
import { socketSettings } from './socket-options.js';
import { NativeSocket, noteEnd } from './socket.js';

/** Node's own method and ours, in case a program has replaced one: its replacement must not see these calls. */
const { setTimeout: originalSetTimeout } = net.Socket.prototype;
const { setTimeout: nativeSetTimeout } = NativeSocket.prototype;

/** The 'end' listener of node's constructor, which ours replaces. */
const [originalEndListener] = new net.Socket().listeners('end') as (() => void)[];

/** Whether `becomeNative` can take it: a plain net.Socket without a handle and without an `onread` buffer. */
export function canBecomeNative(socket: net.Socket): boolean {
  if (Object.getPrototypeOf(socket) !== net.Socket.prototype) return false;
  const handle = handleOf(socket);
  // A socket that has been asked to send a file has its own way to write.
  const writesItself = Object.prototype.hasOwnProperty.call(socket, '_write');
  return !handle && !socket.connecting && !noted(socket, 'kBuffer') && !writesItself;
}

export function becomeNative(socket: net.Socket, engine: Engine): NativeSocket {
  const { timeout, server, connecting } = socket as net.Socket & { server: unknown };
  // It runs on one of node's timers.
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
  addNativeFields(native);
  Object.assign(native, { _settings: settings, server, connecting });
  if (timeout) nativeSetTimeout.call(native, timeout);
  keepTypeOfService(native);
  return native;
}
