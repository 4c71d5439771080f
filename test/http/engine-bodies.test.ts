/** Bodies of requests that the engine serves: pieces, a request behind the last, a handler that leaves. */
import { once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanup, closed, listen, nextTurn } from '../support/sockets.js';
import { everyWay, reference, type Subject } from '../support/subjects.js';
import { GET, post } from './engine-requests.js';

/** What a program may do with the last piece of a body, when the next request has come with it. */
const LEAVING: Record<string, (request: http.IncomingMessage, response: http.ServerResponse) => unknown> = {
  'destroys the socket': (request) => request.socket.destroy(),
  'destroys the socket soon': (request) => {
    request.socket.destroySoon();
  },
  'destroys the response': (_, response) => response.destroy(),
  'destroys the request': (request) => request.destroy(),
  'ends the socket': (request) => request.socket.end(),
  'answers, and closes': (_, response) => response.writeHead(200, { Connection: 'close' }).end('last'),
};

describe.each(everyWay)('a body with a request behind it: $name over $family', ({ subject, family }) => {
  async function events(
    of: Subject,
    leave: (typeof LEAVING)[string],
    first: string,
    second: string,
  ): Promise<string[]> {
    const seen: string[] = [];
    let left: Promise<unknown> | undefined;
    const server = of.http.createServer({}, (request, response) => {
      const url = String(request.url);
      seen.push(url);
      if (url === '/get') return;
      for (const event of ['end', 'error']) request.on(event, () => seen.push(`${event} of ${url}`));
      left = once(response, 'close').then(() => seen.push(`response of ${url} closed`));
      let missing = Number(request.headers['content-length']);
      request.on('data', ({ length }: Buffer) => {
        if ((missing -= length) === 0) leave(request, response);
      });
    });
    server.on('clientError', ({ code }: NodeJS.ErrnoException) => seen.push(String(code)));
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    client.on('error', () => undefined);
    client.write(first);
    await once(server, 'request');
    client.write(second);
    await Promise.all([left, closed(client.resume())]);
    await nextTurn();
    return seen;
  }

  it.each(Object.entries(LEAVING))('a handler that %s', async (_, leave) => {
    const all = [post(3), `one${GET}`] as const;
    const rest = [`${post(6)}one`, `two${GET}`] as const;
    for (const [first, second] of [all, rest]) {
      const expected = await events(reference, leave, first, second);
      expect(await events(subject, leave, first, second)).toEqual(expected);
    }
  });
});

describe.each(everyWay)('a body in pieces: $name over $family', ({ subject, family }) => {
  it('gives a body to a handler that has touched the socket before it came', async () => {
    const server = subject.http.createServer({}, (request, response) => {
      request.socket.on('data', () => undefined);
      let body = '';
      request.setEncoding('latin1').on('data', (text: string) => (body += text));
      request.on('end', () => response.end(body));
    });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    client.write(`${post(6)}one`);
    await nextTurn();
    setImmediate(() => client.write('two'));
    client.write('');
    const answer = new Promise<string>((resolve) =>
      client.once('data', (bytes) => {
        resolve(String(bytes));
      }),
    );
    expect(await answer).toMatch(/\r\n\r\nonetwo$/);
  });

  it.each([
    ['with its body', `${post(3)}one`],
    ['with a request behind it', `${post(3)}one${GET}`],
    ['with half of its body', `${post(6)}one`],
  ])("tells the socket's listeners nothing of the read that they came in, of a request %s", async (_, first) => {
    const told: string[] = [];
    const bodies: string[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      request.socket.on('data', (data: Buffer) => told.push(String(data)));
      request.on('data', (data: Buffer) => bodies.push(String(data))).on('end', () => response.end('text'));
    });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    client.resume().write(first);
    while (bodies.length === 0) await nextTurn();
    expect([bodies, told]).toEqual([['one'], []]);
    client.write(first.includes('length: 6') ? 'two' : GET);
    while (told.length === 0) await nextTurn();
    expect(told[0]).toBe(first.includes('length: 6') ? 'two' : GET);
  });

  it.each([1, 700, 5000])('gives a body of %i bytes memory of its own, which the program may keep', async (length) => {
    const text = 'b'.repeat(length);
    const bodies: Buffer[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      request.on('data', (data: Buffer) => bodies.push(data)).on('end', () => response.end('text'));
    });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    for (const behind of ['', GET]) {
      bodies.length = 0;
      client.resume().write(post(length) + text + behind);
      while (lengthOf(bodies) < length) await nextTurn();
      for (const { buffer, byteOffset, byteLength } of bodies)
        expect([byteOffset, buffer.byteLength]).toEqual([0, byteLength]);
      expect(Buffer.concat(bodies).toString()).toBe(text);
    }
  });
});

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
