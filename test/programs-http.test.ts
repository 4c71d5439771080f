/** Web frameworks as servers, HTTP libraries as clients: each does the work of support/programs/work.ts. */
import { describe, it } from 'vitest';
import {
  cells,
  expectDone,
  labelOf,
  PROGRAM_TIMEOUT_MILLIS,
  runClient,
  startServer,
} from './support/programs/cells.js';

describe.each(['express', 'fastify', 'koa', 'hono', 'nest'])('%s serves', (server) => {
  it.each(cells)('$name', { timeout: PROGRAM_TIMEOUT_MILLIS }, async (cell) => {
    const address = await startServer(cell, server);
    expectDone(await runClient(cell, 'node', address), cell, labelOf(cell), labelOf(cell));
  });
});

describe.each(['node', 'undici', 'got', 'axios'])('%s asks', (client) => {
  it.each(cells)('$name', { timeout: PROGRAM_TIMEOUT_MILLIS }, async (cell) => {
    const address = await startServer(cell, 'plain');
    expectDone(await runClient(cell, client, address), cell, labelOf(cell), labelOf(cell));
  });
});
