/**
 * Patches methods of `net.Socket.prototype`, for `nearwire/register`. Tracers and tests replace methods there to
 * observe or change what any socket does: native sockets must then inherit these methods instead of having their own.
 */
import * as net from 'node:net';
import { SocketBase } from '../net/socket-base.js';
import { NativeSocket } from '../net/socket.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Without `connect`, which has a patch of its own, and without `write`, `end`, `pipe`, `read` and `destroy`, whose
 * native versions call the prototype's.
 */
const METHODS = [
  'setTimeout',
  'setNoDelay',
  'setKeepAlive',
  'ref',
  'unref',
  'address',
  'destroySoon',
  'resetAndDestroy',
] as const;

function methodOf(prototype: object, name: string): Method {
  return Reflect.get(prototype, name) as Method;
}

export function patchMethods(): void {
  for (const name of METHODS) {
    const nodes = methodOf(net.Socket.prototype, name);
    const native = methodOf(NativeSocket.prototype, name);
    for (const prototype of [NativeSocket.prototype, SocketBase.prototype]) Reflect.deleteProperty(prototype, name);
    const { [name]: method } = {
      [name](this: unknown, ...args: unknown[]) {
        return Reflect.apply(this instanceof NativeSocket ? native : nodes, this, args);
      },
    };
    Reflect.set(net.Socket.prototype, name, method);
  }
}
