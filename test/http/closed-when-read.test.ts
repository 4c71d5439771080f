/** A client that has all of a response closes the server's connections at once: the response has been sent. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { listen } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

/** More than the kernel holds, so that the end is sent when the client has read most of it. */
const SIZE = 3_000_000;
/** In which order the two ends of a connection are ready is by chance. */
const TIMES = 20;

test.each(everyWay)('what the kernel has is told of as sent: $name over $family', async ({ subject, family }) => {
  const told: unknown[] = [];
  const server = subject.http.createServer({}, (_, response) => {
    response.on('finish', () => told.push('finish'));
    response.writeHead(200, { 'Content-Length': SIZE });
    response.end(Buffer.alloc(SIZE), ((error?: Error | null) => told.push(error ?? 'sent')) as () => void);
  });
  const address = await listen(server, family);
  for (let i = 0; i < TIMES; i++) {
    const client = subject.connect(address);
    let left = SIZE;
    client.on('data', (chunk: Buffer) => {
      const isFirst = left === SIZE;
      left -= chunk.length - (isFirst ? chunk.indexOf('\r\n\r\n') + 4 : 0);
      if (left === 0) server.closeAllConnections();
    });
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await closed;
    expect(told.splice(0).sort(), `number ${String(i)}`).toEqual(['finish', 'sent']);
  }
});
