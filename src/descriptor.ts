/** How the descriptor under a socket, server or channel is found, whatever carries its bytes. */

/** On what has a descriptor of its own: its number, negative where there is none (any more). */
export const DESCRIPTOR: unique symbol = Symbol('descriptor');

/** What has a descriptor. */
export interface DescriptorHolder {
  readonly [DESCRIPTOR]: number;
}

/** node's own sockets and servers keep theirs in a handle; a TLS socket has none, and knows the socket below it. */
interface NodesOwn {
  readonly _handle?: { readonly fd?: unknown } | null;
  readonly _parent?: object | null;
}

/** The descriptor under a socket or server of node's, or of ours; negative where there is none. */
export function descriptorUnder(holder: object): number {
  const own = (holder as Partial<DescriptorHolder>)[DESCRIPTOR];
  if (own !== undefined && own >= 0) return own;
  const { _handle: handle, _parent: parent } = holder as NodesOwn;
  const fd = handle?.fd;
  if (typeof fd === 'number' && fd >= 0) return fd;
  return parent === null || parent === undefined ? -1 : descriptorUnder(parent);
}
