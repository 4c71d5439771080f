/** Listeners that turn the loop themselves: what comes in is told of once, and in order. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { loopTurner } from '../support/nested-loop.js';
import { closed, listen, nextTurn, pattern, readAll, type Address } from '../support/sockets.js';
import { everyWay, reference, type Subject } from '../support/subjects.js';

const CLIENTS = 5;

interface Served {
  clients: Socket[];
  /** What the server's sockets told of: `number:text` of each chunk, and `number:end`. */
  told: string[];
  closed: Promise<unknown>;
}

/** Sockets that each turn the loop in every event, up to `depth` turns inside each other. */
async function serve(
  address: Promise<Address>,
  server: ReturnType<Subject['createServer']>,
  depth: number,
): Promise<Served> {
  const turn = loopTurner();
  const told: string[] = [];
  const ends: Promise<void>[] = [];
  let inside = 0;
  const nest = (): void => {
    if (inside === depth) return;
    inside++;
    turn?.();
    inside--;
  };
  server.on('connection', (socket: Socket) => {
    const name = String(ends.length);
    ends.push(closed(socket));
    socket.on('data', (chunk: Buffer) => {
      told.push(`${name}:${chunk.toString()}`);
      nest();
    });
    socket.on('end', () => {
      told.push(`${name}:end`);
      nest();
    });
  });
  const at = await address;
  const clients: Socket[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = reference.connect(at);
    await Promise.all([once(client, 'connect'), once(server, 'connection')]);
    clients.push(client.resume());
  }
  return { clients, told, closed: Promise.all(ends) };
}

describe.each(everyWay)('a nested turn of the loop: $name over $family', ({ subject, family }) => {
  it.each([1, 3])('hands out each completion once, %i deep', async (depth) => {
    if (loopTurner() === undefined) return;
    const server = subject.createServer();
    const { clients, told, closed: over } = await serve(listen(server, family), server, depth);
    for (const [i, client] of clients.entries()) client.end(`chunk of ${String(i)}`);
    await over;
    const expected = clients.flatMap((_, i) => [`${String(i)}:chunk of ${String(i)}`, `${String(i)}:end`]);
    expect([...told].sort()).toEqual([...expected].sort());
    for (let i = 0; i < CLIENTS; i++) {
      const own = told.filter((entry) => entry.startsWith(`${String(i)}:`));
      expect(own).toEqual([`${String(i)}:chunk of ${String(i)}`, `${String(i)}:end`]);
    }
  });

  it('keeps the bytes of a long run in order, and sends what is written in it', async () => {
    const turn = loopTurner();
    if (turn === undefined) return;
    const server = subject.createServer();
    const address = await listen(server, family);
    let inside = false;
    server.on('connection', (socket: Socket) => {
      socket.on('data', (chunk: Buffer) => {
        socket.write(chunk);
        if (inside) return;
        inside = true;
        for (let i = 0; i < 3; i++) turn();
        inside = false;
      });
      socket.on('end', () => socket.end());
    });
    const sent = pattern(6_000_000);
    const clients = Array.from({ length: 3 }, () => reference.connect(address));
    const answers = clients.map((client) => readAll(client));
    for (const client of clients) client.end(sent);
    for (const answer of await Promise.all(answers)) expect(answer.equals(sent)).toBe(true);
    await nextTurn();
  });
});
