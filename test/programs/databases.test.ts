/** Clients of databases against the real servers: values up to 1 MiB, pipelined, messages, a connection that is cut. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cells, PROGRAM_TIMEOUT_MILLIS, runDatabase } from '../support/programs/cells.js';
import { startMariadb, startPostgres, startRedis, type Daemon } from '../support/programs/daemons.js';
import { requireOrSkip } from '../support/requirements.js';

const SERVERS = [
  { server: 'postgres', start: startPostgres, clients: ['pg', 'postgres'], messages: 500 },
  { server: 'redis', start: startRedis, clients: ['ioredis', 'redis'], messages: 500 },
  { server: 'mariadb', start: startMariadb, clients: ['mysql2'], messages: 0 },
] as const;

/** redis makes its sockets itself. */
const REGISTER_ONLY = ['redis'];

/** A data directory is made first. */
const START_TIMEOUT_MILLIS = 60_000;

for (const { server, start, clients, messages } of SERVERS) {
  const command = requireOrSkip(server);
  describe.skipIf(command === undefined)(server, () => {
    let daemon: Daemon;

    beforeAll(async () => {
      daemon = await start(command ?? '');
    }, START_TIMEOUT_MILLIS);

    afterAll(() => daemon.stop());

    describe.each(clients)('%s', (client) => {
      const roads = cells.filter(({ road }) => road === 'register' || !REGISTER_ONLY.includes(client));
      it.each(roads)('$name', { timeout: PROGRAM_TIMEOUT_MILLIS }, async (cell) => {
        const result = await runDatabase(cell, client, daemon.address(cell.family));
        expect(result).toMatchObject({ values: cell.amount.requests, messages, dropped: true });
        if (cell.transport === 'native') expect(result.nodeSockets).toBe(0);
        else expect(result.nodeSockets).toBeGreaterThan(0);
      });
    });
  });
}
