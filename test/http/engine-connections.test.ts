/** A connection that the engine serves, as its program and its peer see it: socket, async contexts, channels, closing. */
import { AsyncLocalStorage } from 'node:async_hooks';
import * as diagnostics from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { rawRequest } from '../support/http.js';
import { cleanup, closed, listen, nextTurn } from '../support/sockets.js';
import { everyWay, reference, type Subject } from '../support/subjects.js';
import { GET, LAST, post } from './engine-requests.js';

type See = (socket: net.Socket) => void;

/** How a program can see a connection's socket before a request that node's own code reads, and what the client sends first. */
const SIGHTS: Record<string, (server: http.Server, see: See) => string> = {
  "a listener of 'connection'"(server, see) {
    server.on('connection', see);
    return '';
  },
  'a subscriber of net.server.socket'(_, see) {
    const hear = (message: unknown): void => {
      see((message as { socket: net.Socket }).socket);
    };
    diagnostics.subscribe('net.server.socket', hear);
    cleanup(() => diagnostics.unsubscribe('net.server.socket', hear));
    return '';
  },
  'a request before'(server, see) {
    server.on('request', (request) => {
      see(request.socket);
    });
    return GET;
  },
  "a listener of 'timeout'"(server, see) {
    server.setTimeout(20, see);
    return '';
  },
};

describe.each(everyWay)('a connection: $name over $family', ({ subject, family }) => {
  it('is a net.Socket to the program, the same one for all requests', async () => {
    const sockets = new Set<net.Socket>();
    const server = subject.http.createServer({}, (request, response) => {
      sockets.add(request.socket);
      response.end();
    });
    const accepted: net.Socket[] = [];
    server.on('connection', (socket: net.Socket) => accepted.push(socket));
    await rawRequest(reference, await listen(server, family), GET + GET + LAST);
    expect([...sockets]).toEqual(accepted);
    expect(accepted[0]).toBeInstanceOf(net.Socket);
    expect(accepted[0]?.destroyed).toBe(true);
  });

  it.each(Object.entries(SIGHTS))('is one object, if it is seen by %s and upgraded later', async (_, show) => {
    const seen = new Set<net.Socket>();
    const server = subject.http.createServer({}, (_request, response) => response.end());
    const sights = new EventEmitter();
    const sight = once(sights, 'sight');
    const first = show(server, (socket) => {
      seen.add(socket);
      sights.emit('sight');
    });
    const upgrade = once(server, 'upgrade') as Promise<[http.IncomingMessage, net.Socket]>;
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    client.write(first);
    await sight;
    client.write(GET.replace('Host', 'Connection: Upgrade\r\nUpgrade: x\r\nHost'));
    const [request, socket] = await upgrade;
    expect([...seen]).toEqual([socket]);
    expect(request.socket).toBe(socket);
    socket.end('last words');
    let text = '';
    for await (const piece of client) text += String(piece);
    expect(text).toMatch(/last words$/);
  });

  it('gathers no listeners, however many requests it has had', async () => {
    const counts: number[] = [];
    const answers: (() => void)[] = [];
    const server = subject.http.createServer({}, ({ socket }, response) => {
      const names = socket.eventNames();
      counts.push(names.reduce((sum, name) => sum + socket.listenerCount(name), 0));
      // Those that come together wait for each other.
      answers.push(() => response.end());
      if (answers.length === 3) for (const answer of answers.splice(0).reverse()) answer();
    });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    for (let i = 0; i < 10; i++) {
      const before = counts.length;
      client.write(GET + GET + GET);
      await once(client, 'data');
      while (counts.length < before + 3) await nextTurn();
    }
    const last = counts.slice(-3);
    expect(last).toEqual(counts.slice(3, 6));
  });

  it('keeps what a request enters from those that came with it, where node does', async () => {
    const enter = async ({ http }: Subject): Promise<unknown[]> => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const server = http.createServer({}, (request, response) => {
        seen.push(storage.getStore());
        storage.enterWith(`entered ${String(request.url)}`);
        setImmediate(() => {
          seen.push(storage.getStore());
          response.end();
        });
      });
      const address = await listen(server, family);
      for (const text of [GET + GET + LAST, post(4) + 'body' + GET + post(4) + 'body' + LAST]) {
        await rawRequest(reference, address, text);
      }
      return seen.sort();
    };
    expect(await enter(subject)).toEqual(await enter(reference));
  });

  it('stays within the async context of its requests', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      seen.push(storage.getStore());
      storage.enterWith(`entered ${String(request.url)}`);
      storage.run(String(request.url), () => {
        response.on('finish', () => seen.push(storage.getStore()));
        response.end();
      });
    });
    const address = await listen(server, family);
    await Promise.all(['/one', '/two'].map((url) => rawRequest(reference, address, LAST.replace('/last', url))));
    // 'finish' may come after the client has seen the end.
    while (seen.length < 4) await nextTurn();
    expect(seen.sort()).toEqual(['/one', '/two', undefined, undefined]);
  });

  it('is idle between requests, too, once it has become a socket', async () => {
    const sockets: net.Socket[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      sockets.push(request.socket);
      response.end('text');
    });
    const address = (await listen(server, family)) as net.NetConnectOpts;
    const client = net.connect(address);
    client.write(GET);
    await once(client, 'data');
    // Neither begins a message.
    client.write('\r\n');
    while ((sockets[0]?.bytesRead ?? 0) < GET.length + 2) await nextTurn();
    sockets[0]?.on('data', () => undefined);
    await nextTurn();
    server.closeIdleConnections();
    await closed(client.resume());
  });

  it('is idle again behind a long body at whose last piece it has become a socket', async () => {
    const [begin, rest] = [1024 * 1024, 2 * 65_536];
    let answered = 0;
    let left = begin + rest;
    const server = subject.http.createServer({}, (request, response) => {
      request.on('data', (piece: Buffer) => {
        left -= piece.length;
        if (left > 0) return;
        request.socket.on('data', () => undefined);
        response.end('text', () => {
          answered++;
        });
      });
    });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    client.on('error', () => undefined);
    cleanup(() => client.destroy());
    const over = closed(client.resume());
    client.write(post(left) + 'b'.repeat(begin));
    while (left > rest) await nextTurn();
    // Behind so much, natively the second half of this is read into a block of its own.
    client.write('b'.repeat(rest));
    while (answered === 0) await nextTurn();
    await nextTurn();
    server.closeIdleConnections();
    await over;
  });

  it.each(['handler', 'last piece of a body', 'tick after it'])(
    'is not idle in the %s, where it has become a socket and its response has ended',
    async (when) => {
      const read: string[] = [];
      let closes = 0;
      const server = subject.http.createServer({}, (request, response) => {
        const close = (): void => {
          closes++;
          request.socket.on('data', (data: Buffer) => read.push(String(data)));
          server.close();
        };
        response.end('text');
        if (when === 'handler') close();
        else if (when === 'tick after it')
          request.on('data', () => {
            process.nextTick(close);
          });
        else request.on('data', close);
      });
      const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
      // A server that takes it for idle closes it before all of this is written.
      client.on('error', () => undefined);
      cleanup(() => client.destroy());
      const over = Promise.all([closed(client.resume()), once(server, 'close')]);
      client.write(when === 'handler' ? GET : post(4));
      await Promise.race([once(client, 'data'), over]);
      if (when !== 'handler') client.write('body');
      while (closes === 0) await nextTurn();
      client.end('hello');
      await over;
      expect(read.at(-1)).toBe('hello');
    },
  );

  it('has its channels told once of each request, whatever becomes of it', async () => {
    const told: string[] = [];
    const names = ['http.server.request.start', 'http.server.response.finish'] as const;
    for (const name of names) {
      const note = (message: unknown): void => {
        const { request } = message as { request: http.IncomingMessage };
        told.push(`${name} ${String(request.url)}`);
      };
      diagnostics.subscribe(name, note);
      cleanup(() => diagnostics.unsubscribe(name, note));
    }
    const server = subject.http.createServer({}, (request, response) => {
      if (request.url === '/get') request.socket.on('data', () => undefined);
      response.end('text');
    });
    await rawRequest(reference, await listen(server, family), post(0) + GET + LAST);
    await nextTurn();
    expect(told.sort()).toEqual(
      names
        .flatMap((name) => ['/get', '/last', '/post'].map((url) => `${name} ${url}`))
        .reverse()
        .sort(),
    );
  });

  it('is closed by closeAllConnections, and by closeIdleConnections once it is idle', async () => {
    const server = subject.http.createServer({}, (request, response) => {
      if (request.url === '/get') response.end('text');
      else response.flushHeaders();
    });
    const address = (await listen(server, family)) as net.NetConnectOpts;
    const [idle, busy] = [net.connect(address), net.connect(address)];
    for (const client of [idle, busy]) cleanup(() => client.destroy());
    idle.write(GET);
    busy.write(post(0));
    await Promise.all([idle, busy].map((client) => new Promise((resolve) => client.once('data', resolve))));
    server.closeIdleConnections();
    await closed(idle);
    await nextTurn();
    expect(busy.readableEnded).toBe(false);
    server.closeAllConnections();
    await closed(busy);
  });

  it('is not told of inside the call that closes its server, nor is anything else', async () => {
    const seen: string[] = [];
    const server = subject.http.createServer({}, (_, response) => response.end());
    server.once('connection', () => {
      server.on('connection', () => seen.push('connection'));
      process.nextTick(() => seen.push('tick'));
      server.close();
      seen.push('closed');
    });
    const address = (await listen(server, family)) as net.NetConnectOpts;
    // Those that were accepted with the first are still served; node accepts one at a time, and the rest is reset.
    for (let count = 0; count < 3; count++) {
      const client = net.connect(address).on('error', () => undefined);
      cleanup(() => client.destroy());
      client.write(LAST);
    }
    await once(server, 'close');
    expect(seen.slice(0, 2)).toEqual(['closed', 'tick']);
  });

  it('tells request and response when the peer goes', async () => {
    const events: string[] = [];
    const done = new Promise<void>((resolve) => {
      const server = subject.http.createServer({}, (request, response) => {
        request.on('aborted', () => events.push('aborted'));
        request.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${String(error.code)}`));
        request.on('close', () => events.push('request closed'));
        response.on('close', () => {
          events.push('response closed');
          resolve();
        });
      });
      void listen(server, family).then((address) => {
        const client = net.connect(address as net.NetConnectOpts);
        client.write(post(5));
        server.once('request', () => client.destroy());
      });
    });
    await done;
    await nextTurn();
    expect(events.sort()).toEqual(['aborted', 'error ECONNRESET', 'request closed', 'response closed']);
  });
});
