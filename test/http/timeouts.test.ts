/** `headersTimeout` and `requestTimeout`: whom node's server refuses by them, when, and what its listeners do then. */
import { once } from 'node:events';
import type * as http from 'node:http';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { CLOSE, exchange, get, HOST, inbox, post, type Inbox } from '../support/fetch-servers.js';
import { listen, nextTurn, type Address } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';
const CODE = 'ERR_HTTP_REQUEST_TIMEOUT';

/** A request of which the last bytes are missing, and these. */
const INCOMPLETE = [
  ['half a request line', 'GET /late HT', `TP/1.1\r\n${HOST}\r\n`],
  ['half a header block', `GET /late HTTP/1.1\r\n${HOST}X-A: `, 'a\r\n\r\n'],
  ['part of a body', post('/late', 'hello').slice(0, -2), 'lo'],
] as const;

interface Told {
  server: http.Server;
  address: Address;
  requests: http.IncomingMessage[];
  /** Resolves when so many requests have been handed out. */
  asked(count: number): Promise<void>;
}

/** Has everything in time until `hurry` is called. */
const PATIENT = { connectionsCheckingInterval: 10 };

/** What has not arrived yet is late. */
function hurry(server: http.Server): void {
  Object.assign(server, { headersTimeout: 1, requestTimeout: 1 });
}

describe.each(everyWay)('a server that loses patience: $name over $family', ({ subject, family }) => {
  /** Answers each request when all of it has come, but `/wait` when the program does. */
  async function start(): Promise<Told> {
    const requests: http.IncomingMessage[] = [];
    const server = subject.http.createServer(PATIENT, (request, response) => {
      requests.push(request);
      request.on('error', () => undefined);
      request.resume().on('end', () => {
        if (request.url !== '/wait') response.end(`<${String(request.url)}>`);
      });
    });
    const asked = async (count: number): Promise<void> => {
      while (requests.length < count) await nextTurn();
    };
    return { server, address: await listen(server, family), requests, asked };
  }

  /** Resolves when a connection that has sent nothing has been refused: all that came before it has been looked at. */
  async function check(address: Address): Promise<void> {
    expect(await inbox(address).untilClosed()).toBe(TIMED_OUT);
  }

  function watch(server: http.Server, listener: (socket: net.Socket) => void = () => undefined): unknown[] {
    const codes: unknown[] = [];
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      codes.push(error.code);
      listener(socket as net.Socket);
    });
    return codes;
  }

  /** Resolves when the server has read what others had sent before. */
  async function takenBy(address: Address): Promise<void> {
    for (let i = 0; i < 3; i++) await exchange(address, get('/other', CLOSE));
  }

  /** Resolves when one that has sent nothing has been told as well: what was late before has been looked at once more. */
  async function toldTwice(codes: unknown[], address: Address): Promise<void> {
    while (codes.length === 0) await nextTurn();
    const { socket } = inbox(address);
    while (codes.length === 1) await nextTurn();
    socket.destroy();
  }

  it.each(INCOMPLETE)('refuses %s behind a request that is not answered', async (_, part) => {
    const { server, address, asked } = await start();
    const client = inbox(address);
    client.socket.write(get('/wait') + part);
    await asked(1);
    hurry(server);
    expect(await client.untilClosed()).toBe(TIMED_OUT);
  });

  it('does not refuse who waits for a response', async () => {
    const { server, address, asked } = await start();
    const clients = ['', '\r\n', get('/late')].map((behind) => {
      const client = inbox(address);
      client.socket.write(get('/wait') + behind);
      return client;
    });
    await asked(4);
    hurry(server);
    await check(address);
    await check(address);
    expect(clients.map(({ text, socket }) => [text, socket.destroyed])).toEqual(Array(3).fill(['', false]));
  });

  it.each([['nothing', '', get('/late')] as const, ...INCOMPLETE])(
    'reads on after %s, if a listener keeps the connection, and tells again of the next message',
    async (_, part, rest) => {
      const { server, address } = await start();
      const codes = watch(server);
      const client = inbox(address);
      client.socket.write(get('/before'));
      await client.until('</before>');
      const late = part === '' ? inbox(address) : client;
      late.socket.write(part);
      await takenBy(address);
      hurry(server);
      await toldTwice(codes, address);
      Object.assign(server, { headersTimeout: 0, requestTimeout: 0 });
      late.socket.write(rest);
      await late.until('</late>');
      late.socket.write(`${get('/next')}${post('/again', 'hello').slice(0, -2)}`);
      await late.until('</next>');
      hurry(server);
      while (codes.length < 3) await nextTurn();
      expect(codes).toEqual([CODE, CODE, CODE]);
    },
  );

  it('takes the shorter of both times for the head, and the longer one for the body', async () => {
    const { server, address, asked } = await start();
    const client = inbox(address);
    client.socket.write(post('/late', 'hello').slice(0, -2));
    await asked(1);
    Object.assign(server, { headersTimeout: 60_000, requestTimeout: 1 });
    await check(address);
    client.socket.write('lo');
    await client.until('</late>');
  });

  /** Half of a body has come, and the program has the socket as a stream. */
  async function startTaken(take: (socket: net.Socket) => void): Promise<Told & { client: Inbox; socket: net.Socket }> {
    const told = await start();
    const client = inbox(told.address);
    client.socket.write(post('/late', 'hello').slice(0, -2));
    await told.asked(1);
    const { socket } = told.requests[0] as http.IncomingMessage;
    socket.on('data', () => undefined);
    take(socket);
    return { ...told, client, socket };
  }

  const TAKES: Record<string, (socket: net.Socket, heard: unknown[]) => void> = {
    'takes the stream': () => undefined,
    "removes all listeners of 'error'": (socket) => socket.removeAllListeners('error'),
    "listens to 'error' before node does": (socket, heard) =>
      socket.prependListener('error', ({ code }: NodeJS.ErrnoException) => heard.push(code)),
    "puts a listener in the place of all others of 'error'": (socket, heard) =>
      socket.removeAllListeners('error').on('error', ({ code }: NodeJS.ErrnoException) => heard.push(code)),
  };

  describe.each(Object.entries(TAKES))('part of a body, of which the program %s', (name, take) => {
    it('is refused', async () => {
      const heard: unknown[] = [];
      const { server, client, socket } = await startTaken((taken) => {
        take(taken, heard);
      });
      const ended = once(socket, 'close').catch(() => undefined);
      hurry(server);
      expect(await client.untilClosed()).toBe(TIMED_OUT);
      await ended;
      expect(heard).toEqual(name.includes('listen') && !name.includes('removes') ? [CODE] : []);
    });

    it('is told once to a listener, which keeps the connection, and is read further', async () => {
      const heard: unknown[] = [];
      const { server, address, client, socket } = await startTaken((taken) => {
        take(taken, heard);
      });
      const told: unknown[] = [];
      server.on('clientError', ({ code }: NodeJS.ErrnoException, refused) => {
        told.push(refused === socket ? code : 'another');
      });
      const toldOf = async (which: string, count: number): Promise<void> => {
        while (told.filter((one) => one === which).length < count) await nextTurn();
      };
      hurry(server);
      await toldOf(CODE, 1);
      // All that is late is looked at before each of these is told.
      for (let others = 1; others <= 3; others++) {
        inbox(address);
        await toldOf('another', others);
      }
      expect([told.filter((one) => one === CODE), heard]).toEqual([[CODE], []]);
      Object.assign(server, { headersTimeout: 0, requestTimeout: 0 });
      client.socket.write(`lo${get('/next')}`);
      await client.until('</late>');
      await client.until('</next>');
      client.socket.write(post('/again', 'hello').slice(0, -2));
      await takenBy(address);
      hurry(server);
      await toldOf(CODE, 2);
    });
  });

  it('part of a body, whose socket the program destroys, is told nothing', async () => {
    const { server, address, client, socket } = await startTaken((taken) => {
      taken.destroy();
    });
    const codes: unknown[] = [];
    server.on('clientError', (_, refused) => {
      codes.push(refused === socket);
      refused.destroy();
    });
    hurry(server);
    expect(await client.untilClosed()).toBe('');
    expect(await inbox(address).untilClosed()).toBe('');
    expect(codes).toEqual([false]);
  });

  it.each(['in time', 'late'])('part of a body, which the server closes: %s', async (when) => {
    const { server, client, socket } = await startTaken(() => undefined);
    const closed = once(server, 'close');
    if (when === 'late') {
      const codes = watch(server);
      hurry(server);
      while (codes.length === 0) await nextTurn();
    }
    server.close();
    expect(socket.destroyed).toBe(false);
    server.closeAllConnections();
    expect(socket.destroyed).toBe(true);
    await closed;
    expect(await client.untilClosed()).toBe('');
  });

  it('part of a body, and a listener that throws: the connection stays, and the server goes on refusing', async () => {
    const thrown: unknown[] = [];
    const { server, address, client, socket: late } = await startTaken(() => undefined);
    onUncaught((error) => thrown.push(error.message));
    let told = 0;
    server.on('clientError', (_, socket) => {
      if (told++ === 0) throw new Error('thrown');
      if (socket !== late) socket.destroy();
    });
    hurry(server);
    while (thrown.length === 0) await nextTurn();
    await inbox(address).untilClosed();
    expect([thrown, client.socket.destroyed]).toEqual([['thrown'], false]);
    Object.assign(server, { headersTimeout: 0, requestTimeout: 0 });
    client.socket.write('lo');
    await client.until('</late>');
  });
});
