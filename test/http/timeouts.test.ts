/** `headersTimeout` and `requestTimeout`: whom node's server refuses by them, when, and what its listeners do then. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { CLOSE, exchange, get, HOST, inbox, post } from '../support/fetch-servers.js';
import { listen, nextTurn, type Address } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

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

  async function toldTwice(codes: unknown[]): Promise<void> {
    while (codes.length < 2) await nextTurn();
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
      while (codes.length === 0) await nextTurn();
      // Told once, however often it is looked at.
      const second = inbox(address);
      await toldTwice(codes);
      Object.assign(server, { headersTimeout: 0, requestTimeout: 0 });
      late.socket.write(rest);
      await late.until('</late>');
      late.socket.write(`${get('/next')}${post('/again', 'hello').slice(0, -2)}`);
      await late.until('</next>');
      hurry(server);
      while (codes.length < 3) await nextTurn();
      expect(codes).toEqual([CODE, CODE, CODE]);
      second.socket.destroy();
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
});
