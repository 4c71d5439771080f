/** A program that emits 'error' on the socket of a request: node's server listens, once. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { CLOSE, exchange, get, inbox } from '../support/fetch-servers.js';
import { listen, nextTurn, type Address } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const ANSWER = 'answered';

describe.each(everyWay)('an error that a program emits: $name over $family', ({ subject, family }) => {
  async function start(listener: http.RequestListener): Promise<{ server: http.Server; address: Address }> {
    const server = subject.http.createServer({}, listener);
    return { server, address: await listen(server, family) };
  }

  /**
   * Two requests on a connection, which are answered one after the other; before the first is, `fails` has its socket. Returns
   * what a listener of 'clientError' is told.
   */
  async function failAndGoOn(fails: (socket: net.Socket) => void): Promise<string[]> {
    const told: string[] = [];
    const { server, address } = await start(({ socket, url }, response) => {
      if (url === '/1') fails(socket);
      response.end(ANSWER);
    });
    server.on('clientError', (error: Error) => told.push(error.message));
    const client = inbox(address);
    client.socket.write(get('/1'));
    await client.until(ANSWER);
    client.socket.write(get('/2', CLOSE));
    await client.until(ANSWER);
    await client.untilClosed();
    return told;
  }

  it.each([
    ['ERR_OWN', '400 Bad Request'],
    ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Payload Too Large'],
    ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
    [undefined, '400 Bad Request'],
  ])('with the code %s is answered', async (code, status) => {
    const { address } = await start(({ socket }) => {
      socket.emit('error', Object.assign(new Error('own'), { code }));
    });
    expect(await exchange(address, get('/'))).toBe(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  });

  const MEANWHILE: Record<string, (socket: net.Socket) => void> = {
    nothing: () => undefined,
    'the program takes the stream': (socket) => socket.on('data', () => undefined),
    'the program removes the listeners': (socket) => socket.removeAllListeners('error').on('error', () => undefined),
  };

  it.each(Object.entries(MEANWHILE))('is told once, and the connection goes on: %s', async (_, meanwhile) => {
    const told = await failAndGoOn((socket) => {
      socket.emit('error', new Error('first'));
      meanwhile(socket);
      socket.emit('error', new Error('second'));
    });
    expect(told).toEqual(['first']);
  });

  it("reaches the program's listeners as well, and ends nothing that a listener keeps", async () => {
    const heard: unknown[] = [];
    const told = await failAndGoOn((socket) => {
      socket.on('error', (error) => heard.push(error.message));
      for (const message of ['first', 'second']) socket.emit('error', new Error(message));
    });
    await nextTurn();
    expect([told, heard]).toEqual([['first'], ['first', 'second']]);
  });
});
