/** Timeouts of connections that the engine serves: idle ones, requests that come too slowly, peers that read slowly. */
import { once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanup, closed, listen, nextTurn, passTime, readUntilClosed } from '../support/sockets.js';
import { everyWay, subjects } from '../support/subjects.js';
import { GET, LAST, post } from './engine-requests.js';

describe.each(everyWay)('timeouts: $name over $family', ({ subject, family }) => {
  it('ends when nothing comes for keepAliveTimeout', async () => {
    const server = subject.http.createServer({ keepAliveTimeout: 50 }, (_, response) => response.end());
    Object.assign(server, { keepAliveTimeoutBuffer: 0 });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    const began = performance.now();
    client.write(GET + GET);
    expect(String(await readUntilClosed(client))).toMatch(/Keep-Alive: timeout=0/);
    expect(performance.now() - began).toBeGreaterThan(45);
  });

  it('keeps its keepAliveTimeout once it has become a socket', async () => {
    const server = subject.http.createServer({ keepAliveTimeout: 50 }, (_, response) => response.end());
    Object.assign(server, { keepAliveTimeoutBuffer: 0 });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    client.write(GET);
    await once(client, 'data');
    client.write('\r\n');
    await closed(client.resume());
  });

  it("tells of its server's timeout, and ends if nobody minds", async () => {
    for (const isHeard of [false, true]) {
      const heard: string[] = [];
      const server = subject.http.createServer({}, (request, response) => {
        request.on('timeout', () => heard.push('request'));
        response.on('timeout', () => {
          heard.push('response');
          response.end('late');
        });
        if (!isHeard) response.removeAllListeners('timeout');
      });
      server.setTimeout(30);
      const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
      client.write(LAST);
      expect(String(await readUntilClosed(client)).endsWith('late')).toBe(isHeard);
      expect(heard).toEqual(isHeard ? ['response'] : []);
    }
  });

  it('refuses what does not come in time', async () => {
    const server = subject.http.createServer(
      { requestTimeout: 60, headersTimeout: 30, connectionsCheckingInterval: 20 },
      (request, response) => {
        request.resume().on('end', () => response.end());
        request.on('error', () => undefined);
      },
    );
    const address = await listen(server, family);
    for (const text of ['', `${GET}${post(5)}one`]) {
      const client = net.connect(address as net.NetConnectOpts);
      client.write(text);
      const answer = String(await readUntilClosed(client));
      expect(answer).toMatch(/HTTP\/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n$/);
    }
  });

  it('refuses what does not come in time from the request on, whatever the program takes meanwhile', async () => {
    const bodies: http.IncomingMessage[] = [];
    const refused: unknown[] = [];
    const options = { requestTimeout: 300, connectionsCheckingInterval: 20 };
    const server = subject.http.createServer(options, (request) => {
      bodies.push(request);
      request.on('error', () => undefined).resume();
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      refused.push(error.code, socket);
      socket.destroy();
    });
    const address = await listen(server, family);
    // From the beginning: a busy host may be late for all of the timeout.
    const ends: Promise<unknown>[] = [];
    for (const count of [1, 2]) {
      const client = net.connect(address as net.NetConnectOpts).on('error', () => undefined);
      ends.push(closed(client));
      client.write(`${post(5)}one`);
      await expect.poll(() => bodies.length, { interval: 1 }).toBe(count);
    }
    // Counted from here on, the first would be refused later than the second.
    await passTime(100);
    const [first, second] = bodies.map(({ socket }) => socket);
    first?.on('data', () => undefined);
    await ends[1];
    await nextTurn();
    expect(refused).toHaveLength(4);
    expect(refused).toEqual(expect.arrayContaining(['ERR_HTTP_REQUEST_TIMEOUT', first, second]));
    await ends[0];
  });
});

describe.each(subjects)('a slow peer: $name', (subject) => {
  // Over TCP the kernels' buffers hide how far it is, from node as well.
  it('is not idle while its peer reads slowly', async () => {
    const size = 8_000_000;
    const server = subject.http.createServer({}, (_, response) => response.end(Buffer.alloc(size)));
    server.setTimeout(400);
    const client = net.connect((await listen(server, 'unix')) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    client.write(LAST);
    let [received, pieces] = [0, 0];
    for await (const { length } of client.iterator() as AsyncIterable<Buffer>) {
      received += length;
      // Three times as long as the timeout, but never that long without a byte.
      if (pieces++ < 24) await passTime(50);
    }
    expect(received).toBeGreaterThan(size);
  });
});
