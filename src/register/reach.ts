/** What is carried natively under `nearwire/register`. */
import type { Engine } from '../engine/engine.js';
import type { ConnectOptions } from '../net/connect.js';

/** What node's `_listen2` is given as the type of a path's address. */
const PATH_ADDRESS = -1;

export class Reach {
  constructor(
    readonly engine: Engine,
    private readonly tcp: boolean,
  ) {}

  /** A listening address, as node's own step is given it: not a descriptor or somebody's handle. */
  listens(addressType: number | null): boolean {
    return addressType === PATH_ADDRESS || (this.tcp && (addressType === 4 || addressType === 6));
  }

  /** Where a socket is to connect to. What makes no sense is node's to refuse. */
  connects(options: unknown): options is ConnectOptions {
    if (typeof options !== 'object' || options === null) return false;
    const { path, port } = options as { path?: unknown; port?: unknown };
    return path ? typeof path === 'string' : this.tcp && port !== undefined && port !== null;
  }
}
