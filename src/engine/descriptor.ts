/** How the descriptor under a socket, server or connection is found, whatever carries its bytes. */

import { descriptorOfHandle, handleOf } from '../node/handles.js';

/** On what has a descriptor of its own: its number, negative where there is none (any more). */
export const DESCRIPTOR: unique symbol = Symbol('descriptor');

/** What has a descriptor. */
export interface DescriptorHolder {
  readonly [DESCRIPTOR]: number;
}

/** A TLS socket has no handle with one, and knows the socket below it. */
interface NodesOwn {
  readonly _parent?: object | null;
}

/** The descriptor under a socket or server of node's, or of ours; negative where there is none. */
export function descriptorUnder(holder: object): number {
  const own = (holder as Partial<DescriptorHolder>)[DESCRIPTOR];
  if (own !== undefined && own >= 0) return own;
  const fd = descriptorOfHandle(handleOf(holder)) ?? -1;
  if (fd >= 0) return fd;
  const { _parent: parent } = holder as NodesOwn;
  return parent === null || parent === undefined ? -1 : descriptorUnder(parent);
}
