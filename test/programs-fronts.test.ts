/** What stands in front of a program: nginx and HAProxy with connections kept open, and http-proxy over our Agent. */
import { describe, expect, it } from 'vitest';
import * as http from 'node:http';
import {
  cells,
  expectDone,
  labelOf,
  PROGRAM_TIMEOUT_MILLIS,
  runClient,
  startServer,
  type Cell,
} from './support/programs/cells.js';
import { startHaproxy, startNginx } from './support/programs/daemons.js';
import type { Stats } from './support/programs/observer.js';
import { targetOf } from './support/programs/seam.js';
import { request } from './support/http.js';
import { requireOrSkip } from './support/requirements.js';
import { cleanup } from './support/sockets.js';

const FRONTS = [
  { front: 'nginx', start: startNginx },
  { front: 'haproxy', start: startHaproxy },
] as const;

for (const { front, start } of FRONTS) {
  const command = requireOrSkip(front);
  describe.skipIf(command === undefined)(`${front} in front`, () => {
    it.each(cells)('$name', { timeout: PROGRAM_TIMEOUT_MILLIS }, async (cell) => {
      const daemon = await start(command ?? '', await startServer(cell, 'plain'));
      cleanup(() => daemon.stop());
      const result = await runClient(cell, 'node', daemon.address(cell.family));
      expectDone(result, cell, labelOf(cell), labelOf(cell));
      // Kept open from request to request.
      const accepted = result.stats.connections[labelOf(cell)] ?? Number.POSITIVE_INFINITY;
      expect(accepted).toBeLessThan(cell.amount.requests / 4);
    });
  });
}

describe('http-proxy in front', () => {
  async function statsOfFront(address: Parameters<typeof targetOf>[0]): Promise<Stats> {
    const { body } = await request({ ...targetOf(address), agent: new http.Agent(), path: '/front' });
    return JSON.parse(body.toString()) as Stats;
  }

  it.each(cells)('$name', { timeout: PROGRAM_TIMEOUT_MILLIS }, async (cell: Cell) => {
    const front = await startServer(cell, 'http-proxy', await startServer(cell, 'plain'));
    expectDone(await runClient(cell, 'node', front), cell, labelOf(cell), labelOf(cell));
    expect(Object.keys((await statsOfFront(front)).connections)).toEqual([labelOf(cell)]);
  });
});
