/**
 * Methods of `net.Socket.prototype` under `nearwire/register`. Tracers and tests put functions of their own there, to see
 * or to replace what any socket does: native sockets then have none of their own before them in the chain.
 */
import * as net from 'node:net';
import { SocketBase } from '../net/socket-base.js';
import { NativeSocket } from '../net/socket.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Without `connect`, which has a patch of its own, and those that native sockets make out of what is inherited: `write`,
 * `end`, `pipe`, `read` and `destroy` call the prototype's.
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
