/** Node's handles refer to their socket or server through a symbol that node does not export. */
import * as net from 'node:net';

function findSymbol(): symbol | undefined {
  const handle = {};
  // The constructor sets the symbol on any handle that it is given.
  new net.Socket({ handle, manualStart: true } as net.SocketConstructorOpts);
  return Object.getOwnPropertySymbols(handle)[0];
}

/** null: looked for, and not there. */
let ownerSymbol: symbol | null | undefined;

export function setHandleOwner(handle: object, owner: net.Socket | net.Server): void {
  ownerSymbol ??= findSymbol() ?? null;
  if (ownerSymbol !== null) Object.defineProperty(handle, ownerSymbol, { value: owner, writable: true });
}
