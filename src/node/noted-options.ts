/** Socket options that node's sockets record under symbols, which only their descriptions tell apart. */
import type * as net from 'node:net';

type Noted = 'kSetNoDelay' | 'kSetKeepAlive' | 'kSetKeepAliveInitialDelay' | 'kSetTOS' | 'kBuffer';

function symbolOf(socket: net.Socket, name: Noted): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
}

export function noted(socket: net.Socket, name: Noted): unknown {
  const symbol = symbolOf(socket, name);
  return symbol === undefined ? undefined : Reflect.get(socket, symbol);
}

export function forget(socket: net.Socket, name: Noted): void {
  const symbol = symbolOf(socket, name);
  if (symbol !== undefined) Reflect.set(socket, symbol, undefined);
}
