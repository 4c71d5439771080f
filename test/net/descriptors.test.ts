import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { closed, connectionsOf, listen, nextTurn } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const CONNECTIONS = 10_000;
/** At a time: below the smallest usual backlog. */
const BATCH = 50;

function descriptors(): number {
  return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length;
}

describe.each(everyWay)('descriptors: $name over $family', ({ subject, family }) => {
  it(`are as many as before after ${String(CONNECTIONS)} connects and closes`, { timeout: 60_000 }, async () => {
    const server = subject.createServer({}, (socket) => {
      socket.on('error', () => undefined);
      socket.resume();
    });
    const address = await listen(server, family);
    const round = async (i: number): Promise<void> => {
      const client = subject.connect(address);
      client.on('error', () => undefined);
      const over = closed(client);
      // Each in another state: at once, while connecting, when connected, by both ends' FIN.
      if (i % 4 === 0) client.destroy();
      else if (i % 4 === 1) client.on('connect', () => client.destroy());
      else if (i % 4 === 2) client.on('connect', () => client.end('x').resume());
      else client.end('y').resume();
      await over;
    };
    const settle = async (): Promise<void> => {
      while ((await connectionsOf(server)) > 0) await nextTurn();
      await nextTurn();
      await nextTurn();
    };
    await Promise.all(Array.from({ length: BATCH }, (_, i) => round(i)));
    await settle();
    const before = descriptors();
    for (let done = 0; done < CONNECTIONS; done += BATCH) {
      await Promise.all(Array.from({ length: BATCH }, (_, i) => round(i)));
    }
    await settle();
    expect(descriptors()).toBe(before);
  });
});
