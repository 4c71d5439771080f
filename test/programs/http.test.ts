/** Web frameworks as servers, HTTP libraries as clients: each does the work of support/programs/work.ts. */
import { describe } from 'vitest';
import { testExchange } from '../support/programs/exchange.js';

describe.each(['express', 'fastify', 'koa', 'hono', 'nest'])('%s serves', (server) => {
  testExchange({ server, client: 'node' });
});

describe.each(['node', 'undici', 'got', 'axios'])('%s asks', (client) => {
  testExchange({ server: 'plain', client });
});
