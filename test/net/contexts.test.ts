/** The async contexts, domains included, in which a socket's events run, and their ends. */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import domain from 'node:domain';
import { once } from 'node:events';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  cleanup,
  closeAtEnd,
  closed,
  freshAddress,
  listen,
  nextTurn,
  pair,
  type Address,
} from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

function requestOptions(address: Address): http.RequestOptions {
  return address.path === undefined ? address : { socketPath: address.path };
}

describe.each(everyWay)('contexts: $name over $family', ({ subject, family }) => {
  const storage = new AsyncLocalStorage<string>();

  it("'timeout' comes in that of who asked for it last", async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    const stores: unknown[] = [];
    client.on('timeout', () => stores.push(storage.getStore()));
    storage.run('one', () => client.setTimeout(10));
    await once(client, 'timeout');
    storage.run('two', () => client.setTimeout(30));
    storage.run('three', () => client.setTimeout(0));
    storage.run('four', () => client.setTimeout(20));
    await once(client, 'timeout');
    storage.run('five', () => client.setTimeout(10));
    storage.run('a write', () => client.write('x'));
    await once(client, 'timeout');
    expect(stores).toEqual(['one', 'four', 'five']);
  });

  it('a connection of an agent has the context of the request that it is given to, pooled or waited for', async () => {
    const server = http.createServer((request, response) => {
      if (request.url === '/destroyed') request.socket.destroy();
      else response.end('ok');
    });
    closeAtEnd(server);
    server.listen(freshAddress(family));
    await once(server, 'listening');
    const options = requestOptions(addressOf(server));
    const agent = subject.http.agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    const sockets = new Set<unknown>();
    const answered = (path: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const request = http.get({ ...options, agent, path }, (response) => {
          sockets.add(response.socket);
          response.resume().on('end', resolve);
        });
        request.on('error', reject);
      });
    const failed = (store: string): Promise<unknown[]> =>
      new Promise((resolve) => {
        storage.run(store, () => {
          const stores: unknown[] = [];
          const request = http.get({ ...options, agent, path: '/destroyed' });
          request.on('error', () => stores.push(storage.getStore()));
          request.on('close', () => {
            stores.push(storage.getStore());
            resolve(stores);
          });
        });
      });
    await storage.run('first', () => answered('/'));
    await nextTurn();
    await nextTurn();
    expect(await failed('pooled')).toEqual(['pooled', 'pooled']);
    const first = storage.run('first of two', () => answered('/'));
    const second = failed('waited for');
    await first;
    expect(await second).toEqual(['waited for', 'waited for']);
    expect(sockets.size).toBe(2);
  });

  it("what a listener throws is told of in the listener's own", async () => {
    const server = subject.createServer({}, (socket) => socket.resume().write('x'));
    const address = await listen(server, family);
    const told: string[] = [];
    const until = async (count: number): Promise<void> => {
      while (told.length < count) await nextTurn();
    };
    onUncaught((error) => told.push(`${error.message} in ${String(storage.getStore())}`));
    const client = storage.run('mine', () => subject.connect(address));
    for (const event of ['data', 'close']) {
      client.on(event, () => {
        throw new Error(event);
      });
    }
    await until(1);
    storage.run('a write', () =>
      client.write('x', () => {
        throw new Error('callback');
      }),
    );
    await until(2);
    client.destroy();
    await until(3);
    expect(told).toEqual(['data in mine', 'callback in a write', 'close in mine']);
  });

  it('a domain has the sockets that its server accepts, and what their listeners throw', async () => {
    const told: string[] = [];
    onUncaught((error) => told.push(`uncaught ${error.message}`));
    const own = domain.create();
    own.on('error', (error: Error) => told.push(`domain ${error.message}`));
    const server = own.run(() => {
      const made = subject.createServer({}, (socket) => {
        told.push(String((socket as Socket & { domain?: unknown }).domain === own));
        socket.on('data', () => {
          throw new Error('data');
        });
        throw new Error('connection');
      });
      made.listen(freshAddress(family));
      return made;
    });
    closeAtEnd(server);
    await once(server, 'listening');
    const client = subject.connect(addressOf(server));
    await once(client, 'connect');
    client.end('x');
    while (told.length < 3) await nextTurn();
    client.destroy();
    expect(told).toEqual(['true', 'domain connection', 'domain data']);
  });

  it('are told to be over when their sockets and servers are', async () => {
    const living = new Set<number>();
    const hook = createHook({
      init(id, type) {
        if (/^(NEARWIRE.*|PIPE.*|TCP.*|WRITEWRAP|SHUTDOWNWRAP)$/.test(type)) living.add(id);
      },
      destroy(id) {
        living.delete(id);
      },
    }).enable();
    cleanup(() => {
      hook.disable();
    });
    const server = subject.createServer({}, (socket) => {
      socket.resume();
      socket.write('x', () => socket.end());
    });
    server.listen(freshAddress(family));
    await once(server, 'listening');
    for (let i = 0; i < 5; i++) {
      const client = subject.connect(addressOf(server)).resume();
      client.write('x', () => undefined);
      await closed(client);
    }
    // Closed before its end is through.
    const cut = subject.connect(addressOf(server));
    await once(cut, 'connect');
    cut.end();
    cut.destroy();
    await closed(cut);
    server.close();
    await once(server, 'close');
    while (living.size > 0) await nextTurn();
  });
});
