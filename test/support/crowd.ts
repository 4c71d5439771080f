/** Many connections beside the one that a test is about. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll } from 'vitest';
import { addressOf, freshAddress, nextTurn, readBytes } from './sockets.js';
import type { Family, Subject } from './subjects.js';

/** With the one that the test is about there are 64. */
const MEMBERS = 63;
const QUESTION = 'question';
const ANSWER = 'answered';
const ROUNDS = 2;
/** More turns with one short handler each than after which src/engine/departure.ts takes the next handler for short, too. */
const TURNS_ALONE = 300;

const endings: (() => void)[] = [];
afterAll(() => {
  for (const end of endings.splice(0)) end();
});

export class Crowd {
  private readonly clients: Socket[];

  private constructor(clients: Socket[]) {
    this.clients = clients;
  }

  static async gather(subject: Subject, family: Family): Promise<Crowd> {
    const accepted: Socket[] = [];
    const server = subject.createServer({}, (peer) => {
      accepted.push(peer);
      peer.on('data', () => peer.write(ANSWER));
    });
    // It outlives the test, and a path by which nobody comes any more can go with that.
    server.listen(freshAddress(family));
    await once(server, 'listening');
    const clients = Array.from({ length: MEMBERS }, () => subject.connect(addressOf(server)));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    while (accepted.length < MEMBERS) await nextTurn();
    endings.push(() => {
      for (const socket of [...clients, ...accepted]) socket.destroy();
      server.close();
    });
    return new Crowd(clients);
  }

  /** Has all of them ask at once, and again when they are answered. */
  async stir(): Promise<void> {
    await Promise.all(
      this.clients.map(async (client) => {
        for (let round = 0; round < ROUNDS; round++) await ask(client);
      }),
    );
  }

  /** Lets one of them have the loop to itself for many turns. */
  async calmDown(): Promise<void> {
    const [client] = this.clients as [Socket];
    for (let turn = 0; turn < TURNS_ALONE; turn += 2) await ask(client);
  }
}

async function ask(client: Socket): Promise<void> {
  const answered = readBytes(client, ANSWER.length);
  client.write(QUESTION);
  await answered;
}
