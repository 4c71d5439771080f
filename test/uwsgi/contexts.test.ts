/** The async contexts in which a server of uwsgi calls its listeners: those of node's http.Server, where it has the same. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { duplexPair } from '../support/duplexes.js';
import { cleanup, nextTurn, readUntilClosed } from '../support/sockets.js';
import { open, type Target } from '../support/uwsgi/packets.js';
import { listenUwsgi } from '../support/uwsgi/serve.js';
import { ways } from '../support/uwsgi/ways.js';

async function send(target: Target, ...parts: Uint8Array[]): Promise<void> {
  const socket = await open(target, Buffer.concat(parts));
  await readUntilClosed(socket);
  socket.destroy();
}

describe.each(ways)('async contexts: $name', (way) => {
  const storage = new AsyncLocalStorage<string>();

  function noteIn(seen: string[]): (what: string) => void {
    return (what) => seen.push(`${what} in ${String(storage.getStore())}`);
  }

  it('calls all listeners in that of listen()', async () => {
    const seen: string[] = [];
    const note = noteIn(seen);
    const server = way.createServer((request, response) => {
      note('request');
      request.on('data', () => {
        note('data');
      });
      request.on('end', () => {
        note('end');
        response.end('x');
      });
    });
    server.on('connection', () => {
      note('connection');
    });
    server.on('checkContinue', (_: unknown, response: http.ServerResponse) => {
      note('checkContinue');
      response.end();
    });
    server.on('clientError', (_, socket: net.Socket) => {
      note('clientError');
      socket.destroy();
    });
    server.on('timeout', (socket: net.Socket) => {
      note('timeout');
      socket.destroy();
    });
    for (const store of ['first', 'second']) {
      const target = await storage.run(store, () => listenUwsgi(server));
      const told = async (...parts: Uint8Array[]): Promise<string[]> => {
        await send(target, ...parts);
        return seen.splice(0);
      };
      const all = (...events: string[]): string[] => events.map((event) => `${event} in ${store}`);
      expect(await told(way.head(5), Buffer.from('hello'))).toEqual(all('connection', 'request', 'data', 'end'));
      expect(await told(way.head(0, '100-continue'))).toEqual(all('connection', 'checkContinue'));
      expect(await told(Buffer.from('neither of them\r\n\r\n'))).toEqual(all('connection', 'clientError'));
      server.setTimeout(1);
      expect(await told()).toEqual(all('connection', 'timeout'));
      server.setTimeout(0);
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("calls those of a stream that 'connection' is emitted with in that of the emit", async () => {
    const seen: string[] = [];
    const note = noteIn(seen);
    const server = way.createServer((_request, response) => {
      note('request');
      response.end('x');
    });
    server.on('connection', () => {
      note('connection');
    });
    await storage.run('listen', () => listenUwsgi(server));
    const [client, stream] = duplexPair();
    stream.on('close', () => {
      note('close');
    });
    client.write(way.head(0));
    storage.run('emit', () => server.emit('connection', stream));
    await once(client.resume(), 'end');
    expect(seen.splice(0, 2)).toEqual(['connection in emit', 'request in emit']);
    // That of HTTP is kept.
    if (way.name === 'node:http') return;
    while (!stream.closed) await nextTurn();
    await nextTurn();
    expect(seen).toEqual(['close in emit']);
  });

  it('keeps what a request enters from those of other connections', async () => {
    const seen: string[] = [];
    const note = noteIn(seen);
    const held: http.ServerResponse[] = [];
    const server = way.createServer((_, response) => {
      note('request');
      storage.enterWith('entered');
      held.push(response);
      if (held.length === 3) for (const each of held.splice(0)) each.end('x');
    });
    const target = await storage.run('listen', () => listenUwsgi(server));
    await Promise.all([1, 2, 3].map(() => send(target, way.head(0))));
    expect(seen).toEqual(Array(3).fill('request in listen'));
  });

  // Before Node 24 node:http has all later connections in it.
  it.skipIf(way.name === 'node:http')("keeps what a listener of 'connection' enters to itself", async () => {
    const seen: string[] = [];
    const note = noteIn(seen);
    const server = way.createServer((_, response) => {
      note('request');
      response.end('x');
    });
    server.on('connection', () => {
      note('connection');
      storage.enterWith('entered');
    });
    const target = await storage.run('listen', () => listenUwsgi(server));
    for (let count = 0; count < 2; count++) await send(target, way.head(0));
    expect(seen).toEqual([1, 2].flatMap(() => ['connection in listen', 'request in listen']));
  });

  it('runs nothing inside a call of close(), and what was accepted with its caller in that of listen()', async () => {
    const seen: string[] = [];
    const note = noteIn(seen);
    const server = way.createServer((_, response) => {
      note('request');
      response.end('x');
    });
    server.once('connection', () => {
      server.on('connection', () => {
        note('connection');
      });
      storage.run('close', () => {
        process.nextTick(() => {
          note('tick');
        });
        server.close();
        note('closed');
      });
    });
    const target = await storage.run('listen', () => listenUwsgi(server));
    const clients = [1, 2, 3].map(() => net.connect(target as net.NetConnectOpts).on('error', () => undefined));
    for (const client of clients) {
      cleanup(() => client.destroy());
      client.write(way.head(0));
    }
    await once(server, 'close');
    await nextTurn();
    expect(seen.slice(0, 2)).toEqual(['closed in close', 'tick in close']);
    const served = seen.slice(2).sort();
    const each = (what: string, count: number): string[] => Array<string>(count).fill(`${what} in listen`);
    // Node accepts one at a time, and from Node 26 on node:http closes one that has no request yet.
    const later = way.name === 'native' ? 2 : 0;
    const first = way.name === 'node:http' ? served.length : 1;
    expect(served).toEqual([...each('connection', later), ...each('request', later + first)]);
  });
});
