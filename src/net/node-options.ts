/**
 * Options of TCP sockets that newer versions of node have and the engine lacks: a type of service, and keep-alive's
 * interval and count. Setting one turns a connected socket into one of node's; a socket that is still connecting is
 * turned once it is connected.
 */
import * as net from 'node:net';
import { HAS_TYPE_OF_SERVICE } from '../runtime/version.js';
import { becomeNode } from './become-node.js';
import { forget, noted } from '../node/noted-options.js';
import { NativeSocket } from './socket.js';

type Method = (this: net.Socket, ...args: unknown[]) => unknown;
type Name = (typeof NAMES)[number];

const NAMES = ['setKeepAlive', 'setTypeOfService', 'getTypeOfService'] as const;

/** node's own methods, even if a program replaces them later. */
const originalMethods = Object.fromEntries(
  NAMES.map((name) => [name, Reflect.get(net.Socket.prototype, name) as Method]),
) as Record<Name, Method>;

/** Calls node's own method, now or once the socket is connected. */
function byNodesMethod(socket: NativeSocket, name: Name, args: unknown[]): unknown {
  const isTcp = socket._connection?.tcp === true;
  if (isTcp) becomeNode(socket);
  // Without a handle it checks the arguments and remembers them.
  const result = originalMethods[name].apply(socket, args);
  if (socket.connecting || socket._connection === undefined) {
    socket.once('connect', () => {
      // It does nothing if the value equals the one that it remembers.
      if (name === 'setTypeOfService') forget(socket, 'kSetTOS');
      byNodesMethod(socket, name, args);
    });
  }
  return result;
}

/** For a socket whose type of service was set before it became native: applies it once the socket is connected. */
export function keepTypeOfService(socket: NativeSocket): void {
  const type = noted(socket, 'kSetTOS');
  if (type !== undefined) byNodesMethod(socket, 'setTypeOfService', [type]);
}

interface KeepAlive {
  enable?: boolean;
  /** Milliseconds. */
  initialDelay?: number;
  /** Milliseconds. */
  interval?: number;
  count?: number;
}

function setKeepAlive(this: NativeSocket, ...args: unknown[]): unknown {
  const [first] = args;
  const isObject = typeof first === 'object' && first !== null;
  const [enable, initialDelay, interval, count] = isObject
    ? [
        (first as KeepAlive).enable,
        (first as KeepAlive).initialDelay,
        (first as KeepAlive).interval,
        (first as KeepAlive).count,
      ]
    : args;
  if (interval !== undefined || count !== undefined) return byNodesMethod(this, 'setKeepAlive', args);
  return enginesSetKeepAlive.call(this, enable as boolean, initialDelay as number);
}

const enginesSetKeepAlive = NativeSocket.prototype.setKeepAlive;

let installed = false;

/** Gives native sockets the methods that sockets of this version of node have. Further calls do nothing. */
export function installNodeOptions(): void {
  if (installed || !HAS_TYPE_OF_SERVICE) return;
  installed = true;
  const methods: Record<string, Method> = { setKeepAlive: setKeepAlive as Method };
  for (const name of NAMES.slice(1)) {
    methods[name] = function (...args) {
      return this instanceof NativeSocket ? byNodesMethod(this, name, args) : originalMethods[name].apply(this, args);
    };
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(NativeSocket.prototype, name, { value, writable: true, configurable: true });
  }
}
