/** Finds the descriptor under a socket, server or connection, whichever transport carries its bytes. */

import { descriptorOfHandle, handleOf } from '../node/handles.js';

/** The key under which an object exposes its descriptor; negative where it has none (any more). */
export const DESCRIPTOR: unique symbol = Symbol('descriptor');

/** An object with a descriptor. */
export interface DescriptorHolder {
  readonly [DESCRIPTOR]: number;
}

/** A TLS socket has no handle with a descriptor, but refers to the socket below it. */
interface NodesOwn {
  readonly _parent?: object | null;
}

/** The descriptor under a socket or server, node's or nearwire's; negative where there is none. */
export function descriptorUnder(holder: object): number {
  const own = (holder as Partial<DescriptorHolder>)[DESCRIPTOR];
  if (own !== undefined && own >= 0) return own;
  const fd = descriptorOfHandle(handleOf(holder)) ?? -1;
  if (fd >= 0) return fd;
  const { _parent: parent } = holder as NodesOwn;
  return parent === null || parent === undefined ? -1 : descriptorUnder(parent);
}
