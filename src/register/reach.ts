/** Decides what is carried natively under `nearwire/register`. */
import type { Engine } from '../engine/engine.js';
import type { ConnectOptions } from '../net/connect.js';

/** The address type that node's `_listen2` gets for a path. */
const PATH_ADDRESS = -1;

export class Reach {
  constructor(
    readonly engine: Engine,
    private readonly tcp: boolean,
  ) {}

  /** Whether this is an address to listen on natively, rather than a descriptor or an existing handle. */
  listens(addressType: number | null): boolean {
    return addressType === PATH_ADDRESS || (this.tcp && (addressType === 4 || addressType === 6));
  }

  /** Whether a socket is to connect natively. Invalid targets are left to node, which rejects them. */
  connects(options: unknown): options is ConnectOptions {
    if (typeof options !== 'object' || options === null) return false;
    const { path, port } = options as { path?: unknown; port?: unknown };
    return path ? typeof path === 'string' : this.tcp && port !== undefined && port !== null;
  }
}
