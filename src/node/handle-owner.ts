/** How node's handles know the socket or server that they serve: by a symbol that node keeps to itself. */
import * as net from 'node:net';

function findSymbol(): symbol | undefined {
  const handle = {};
  // The constructor writes to any handle that it is given.
  new net.Socket({ handle, manualStart: true } as net.SocketConstructorOpts);
  return Object.getOwnPropertySymbols(handle)[0];
}

/** null: looked for, and not there. */
let ownerSymbol: symbol | null | undefined;

export function setHandleOwner(handle: object, owner: net.Socket | net.Server): void {
  ownerSymbol ??= findSymbol() ?? null;
  if (ownerSymbol !== null) Object.defineProperty(handle, ownerSymbol, { value: owner, writable: true });
}
