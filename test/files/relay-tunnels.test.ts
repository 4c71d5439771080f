/** Relays where they are used: a CONNECT tunnel, and what follows an upgrade. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { relay, type RelayResult } from 'nearwire';
import { cleanup, listen, pattern, readAll, readBytes, type Address } from '../support/sockets.js';
import { everyWay, type Family, type Subject } from '../support/subjects.js';

const MiB = 1024 * 1024;

/** An http server of the subject that hands CONNECT and upgrades on to `target`. */
async function proxy(subject: Subject, family: Family, target: Address): Promise<[Address, Promise<RelayResult>]> {
  const server = subject.http.createServer({});
  const outcome = new Promise<RelayResult>((resolve, reject) => {
    server.on('connect', (_request: http.IncomingMessage, socket: Socket, head: Buffer) => {
      const upstream = subject.connect(target, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        relay(socket, upstream, { head }).then(resolve, reject);
      });
    });
    server.on('upgrade', (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
      const upstream = subject.connect(target, () => {
        const lines = request.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
        const start = `GET ${request.url ?? '/'} HTTP/1.1\r\n${lines.join('')}\r\n`;
        relay(socket, upstream, { head: Buffer.concat([Buffer.from(start), head]) }).then(resolve, reject);
      });
    });
  });
  outcome.catch(() => undefined);
  return [await listen(server, family), outcome];
}

describe.each(everyWay)('tunnels: $name over $family', ({ subject, family }) => {
  it('CONNECT, with bytes behind the request', async () => {
    const echo = subject.createServer({ allowHalfOpen: true }, (socket) => {
      socket.write('hello ');
      socket.pipe(socket);
    });
    const [address, outcome] = await proxy(subject, family, await listen(echo, family));
    const client = subject.connect({ ...address, allowHalfOpen: true });
    cleanup(() => client.destroy());
    const bytes = pattern(3 * MiB);
    client.write('CONNECT echo HTTP/1.1\r\nHost: echo\r\n\r\nearly ');
    const answer = 'HTTP/1.1 200 OK\r\n\r\n';
    const greeting = `${answer}hello early `;
    expect((await readBytes(client, greeting.length)).toString()).toBe(greeting);
    client.end(bytes);
    expect((await readAll(client)).equals(bytes)).toBe(true);
    expect(await outcome).toEqual({ bytesAtoB: 6 + bytes.length, bytesBtoA: 12 + bytes.length, reason: 'ended' });
  });

  it('a WebSocket after its upgrade', async () => {
    const server = subject.http.createServer({});
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        socket.send(data);
      });
    });
    const [address, outcome] = await proxy(subject, family, await listen(server, family));
    const { path, port } = address;
    const url = path === undefined ? `ws://127.0.0.1:${String(port)}/` : `ws+unix:${path}:/`;
    const client = new WebSocket(url, { perMessageDeflate: false });
    await once(client, 'open');
    const messages = [Buffer.from('small'), pattern(2 * MiB), pattern(70_000)];
    for (const message of messages) client.send(message);
    for (const message of messages) {
      const [echoed] = (await once(client, 'message')) as [Buffer];
      expect(echoed.equals(message)).toBe(true);
    }
    client.close();
    await once(client, 'close');
    expect(await outcome).toHaveProperty('reason', 'ended');
    sockets.close();
  });
});
