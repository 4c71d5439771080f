/** Options of a server that are getters, which run the program, and that even turns the event loop. */
import { once } from 'node:events';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { loopTurner } from '../support/nested-loop.js';
import { cleanup, listen, nextTurn, readAll } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const TURNS = 4;

const requestOf = (name: string): string =>
  `GET /${name} HTTP/1.1\r\nHost: ${name}\r\nX-${name}: ${name.repeat(20)}\r\nConnection: close\r\n\r\n`;

describe.each(everyWay)('options that are getters: $name over $family', ({ subject, family }) => {
  it('mix no two requests', async () => {
    const turn = loopTurner();
    if (turn === undefined) return;
    const server = subject.http.createServer({}, (request, response) => {
      response.end(`${String(request.method)} ${String(request.url)} ${JSON.stringify(request.rawHeaders)}`);
    });
    let isWanted = false;
    Object.defineProperty(server, 'maxHeaderSize', {
      get() {
        if (isWanted) {
          isWanted = false;
          for (let i = 0; i < TURNS; i++) turn();
        }
        return undefined;
      },
    });
    const address = (await listen(server, family)) as net.NetConnectOpts;
    const connect = async (): Promise<net.Socket> => {
      const client = net.connect(address);
      cleanup(() => client.destroy());
      await once(client, 'connect');
      return client;
    };
    const clients = [await connect(), await connect()] as const;
    await nextTurn();
    isWanted = true;
    const answers = clients.map((client) => readAll(client));
    clients[0].write(requestOf('a'));
    clients[1].write(requestOf('bcdef'));
    const bodies = (await Promise.all(answers)).map((answer) => answer.toString().split('\r\n\r\n')[1]);
    expect(bodies).toEqual(
      ['a', 'bcdef'].map(
        (name) => `GET /${name} ${JSON.stringify(['Host', name, `X-${name}`, name.repeat(20), 'Connection', 'close'])}`,
      ),
    );
  });
});
