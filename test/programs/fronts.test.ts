/** What stands in front of a program: nginx and HAProxy with connections kept open, and http-proxy over our Agent. */
import { describe, expect } from 'vitest';
import * as http from 'node:http';
import { labelOf, startServer } from '../support/programs/cells.js';
import { startHaproxy, startNginx } from '../support/programs/daemons.js';
import { testExchange } from '../support/programs/exchange.js';
import type { Stats } from '../support/programs/observer.js';
import { targetOf } from '../support/programs/seam.js';
import { request } from '../support/http.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup } from '../support/sockets.js';

const FRONTS = [
  { front: 'nginx', start: startNginx },
  { front: 'haproxy', start: startHaproxy },
] as const;

for (const { front, start } of FRONTS) {
  const command = requireOrSkip(front);
  describe.skipIf(command === undefined)(`${front} in front`, () => {
    testExchange({
      server: 'plain',
      client: 'node',
      front: async (cell, server) => {
        const daemon = await start(command ?? '', server);
        cleanup(() => daemon.stop());
        return daemon.address(cell.family);
      },
      check: (result, cell) => {
        // Kept open from request to request.
        const accepted = result.stats.connections[labelOf(cell)] ?? Number.POSITIVE_INFINITY;
        expect(accepted).toBeLessThan(cell.amount.requests / 4);
      },
    });
  });
}

describe('http-proxy in front', () => {
  async function statsOfFront(address: Parameters<typeof targetOf>[0]): Promise<Stats> {
    const { body } = await request({ ...targetOf(address), agent: new http.Agent(), path: '/front' });
    return JSON.parse(body.toString()) as Stats;
  }

  testExchange({
    server: 'plain',
    client: 'node',
    front: (cell, server) => startServer(cell, 'http-proxy', server),
    check: async (_, cell, address) => {
      expect(Object.keys((await statsOfFront(address)).connections)).toEqual([labelOf(cell)]);
    },
  });
});
