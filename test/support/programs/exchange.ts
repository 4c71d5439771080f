/** A program at each end, and the work done between them in every cell. */
import { expect, it } from 'vitest';
import {
  cells,
  labelOf,
  PROGRAM_TIMEOUT_MILLIS,
  runClient,
  startServer,
  type Cell,
  type ClientResult,
} from './cells.js';
import type { Address } from './seam.js';

/** What carries the sockets of each end. */
interface Transports {
  readonly server: string;
  readonly client: string;
}

export interface Exchange {
  readonly server: string;
  readonly client: string;
  /** Default: all cells. */
  readonly cells?: readonly Cell[];
  /** Starts what stands before the server; answers where the client finds it. */
  readonly front?: (cell: Cell, server: Address) => Promise<Address>;
  /** Default: what the cell names, at both ends. */
  readonly transports?: (cell: Cell) => Transports;
  /** What else must hold when the work is done; `address` is where the client went. */
  readonly check?: (result: ClientResult, cell: Cell, address: Address) => void | Promise<void>;
}

/** Defines a test for each cell: the work is all done, and no socket of either end is of another transport. */
export function testExchange(exchange: Exchange): void {
  const { front, transports = asTheCellNames, check } = exchange;
  it.each(exchange.cells ?? cells)('$name', { timeout: PROGRAM_TIMEOUT_MILLIS }, async (cell) => {
    const server = await startServer(cell, exchange.server);
    const address = front === undefined ? server : await front(cell, server);
    const result = await runClient(cell, exchange.client, address);
    const { requests, long } = cell.amount;
    expect(result).toMatchObject({ requests, downloaded: long, uploaded: long });
    const expected = transports(cell);
    expect(Object.keys(result.stats.connections)).toEqual([expected.server]);
    expect(Object.keys(result.sockets)).toEqual([expected.client]);
    await check?.(result, cell, address);
  });
}

function asTheCellNames(cell: Cell): Transports {
  return { server: labelOf(cell), client: labelOf(cell) };
}
