/** Programs of messages and calls in place of requests: ws, Socket.IO, gRPC. */
import { describe, it } from 'vitest';
import {
  cells,
  expectDone,
  labelOf,
  PROGRAM_TIMEOUT_MILLIS,
  runClient,
  startServer,
} from './support/programs/cells.js';

describe.each(['ws', 'socket.io'])('%s', (program) => {
  it.each(cells)('$name', { timeout: PROGRAM_TIMEOUT_MILLIS }, async (cell) => {
    const address = await startServer(cell, program);
    expectDone(await runClient(cell, program, address), cell, labelOf(cell), labelOf(cell));
  });
});

// It makes its sockets itself, and HTTP/2 works on the handles of node's: native sockets become those.
describe('grpc', () => {
  it.each(cells.filter(({ road }) => road === 'register'))(
    '$name',
    { timeout: PROGRAM_TIMEOUT_MILLIS },
    async (cell) => {
      const address = await startServer(cell, 'grpc');
      const onClient = cell.transport === 'native' ? 'js' : 'node:net';
      expectDone(await runClient(cell, 'grpc', address), cell, 'node:net', onClient);
    },
  );
});
