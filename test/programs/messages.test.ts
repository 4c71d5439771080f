/** Programs of messages and calls in place of requests: ws, Socket.IO, gRPC. */
import { describe } from 'vitest';
import { cells } from '../support/programs/cells.js';
import { testExchange } from '../support/programs/exchange.js';

describe.each(['ws', 'socket.io'])('%s', (program) => {
  testExchange({ server: program, client: program });
});

// It makes its sockets itself, and HTTP/2 works on the handles of node's: native sockets become those.
describe('grpc', () => {
  testExchange({
    server: 'grpc',
    client: 'grpc',
    cells: cells.filter(({ road }) => road === 'register'),
    transports: ({ transport }) => ({ server: 'node:net', client: transport === 'native' ? 'js' : 'node:net' }),
  });
});
