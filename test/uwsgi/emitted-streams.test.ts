/**
 * Streams that a program hands to a server by `server.emit('connection', stream)`. Node's http.Server serves them, and is
 * the reference: the same requests as uwsgi packets and as HTTP.
 */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import * as nearwire from 'nearwire';
import { describe, expect, it } from 'vitest';
import { authority, serverCertificate, serverKey } from '../support/certificates.js';
import { duplexPair } from '../support/duplexes.js';
import { cleanup, connectionsOf, nextTurn, pattern, record, socketPath } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';
import { parseAnswer } from '../support/uwsgi/packets.js';
import { bodyOf, listenUwsgi } from '../support/uwsgi/serve.js';
import { ways } from '../support/uwsgi/ways.js';

const names = subjects.map(({ name }) => name);

const echo: http.RequestListener = (request, response) => void bodyOf(request).then((body) => response.end(body));

/** A client, and what it is connected to. */
type Pair = [client: Duplex, stream: Duplex];

async function accepted(server: net.Server, connect: (path: string) => net.Socket): Promise<Pair> {
  const event = server instanceof tls.Server ? 'secureConnection' : 'connection';
  const path = socketPath();
  server.listen(path);
  cleanup(() => server.close());
  await once(server, 'listening');
  const taken = once(server, event) as Promise<[net.Socket]>;
  const client = connect(path);
  const [stream] = await taken;
  cleanup(() => {
    client.destroy();
    stream.destroy();
  });
  return [client, stream];
}

const streams: Record<string, () => Pair | Promise<Pair>> = {
  'a Duplex': duplexPair,
  'a socket of node:net': () => accepted(net.createServer(), (path) => net.connect(path)),
  'a socket of TLS': () =>
    accepted(tls.createServer({ cert: serverCertificate, key: serverKey }), (path) =>
      tls.connect({ path, ca: authority, servername: 'localhost' }),
    ),
  'a socket of TLS over a Duplex': () => {
    const [far, near] = duplexPair();
    const client = tls.connect({ socket: far, ca: authority, servername: 'localhost' });
    return [client, new tls.TLSSocket(near, { isServer: true, cert: serverCertificate, key: serverKey })];
  },
  ...(names.includes('native') && {
    'a native socket': () => accepted(nearwire.createServer({ transport: 'native' }), (path) => net.connect(path)),
  }),
};

const kinds = Object.entries(streams);

async function readAll(client: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(client, 'end');
  return Buffer.concat(chunks);
}

describe.each(ways)('streams handed to a server: $name', (way) => {
  it.each(kinds)('%s is served, whether the server listens or not', async (_, make) => {
    const body = pattern(1_000_000);
    const server = way.createServer(echo);
    const sockets: unknown[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    server.on('request', ({ socket }: http.IncomingMessage) => sockets.push(socket));
    for (const listens of [false, true]) {
      if (listens) await listenUwsgi(server);
      sockets.length = 0;
      const [client, stream] = await make();
      expect(server.emit('connection', stream)).toBe(true);
      client.write(way.head(body.length));
      client.write(body);
      expect(parseAnswer(await readAll(client)).body.equals(body)).toBe(true);
      expect(sockets).toHaveLength(2);
      expect(sockets[0]).toBe(sockets[1]);
    }
  });

  it.each(kinds)('%s is served with what has been read of it and put back', async (_, make) => {
    for (const pause of [false, true]) {
      const server = way.createServer(echo);
      const [client, stream] = await make();
      const head = way.head(5);
      const [half, rest] = [head.subarray(0, 20), Buffer.concat([head.subarray(20), Buffer.from('hello')])];
      const hand = (read: Buffer): void => {
        stream.unshift(read);
        server.emit('connection', stream);
        client.write(rest);
      };
      if (pause) {
        stream.once('data', (read: Buffer) => {
          stream.pause();
          hand(read);
          process.nextTick(() => stream.resume());
        });
      } else {
        stream.once('readable', () => {
          hand(stream.read() as Buffer);
        });
      }
      client.write(half);
      expect(parseAnswer(await readAll(client)).body.toString()).toBe('hello');
    }
  });

  it.each(kinds)('%s that has been destroyed before, with an error or long ago, has no request', async (_, make) => {
    for (const error of [new Error('own'), undefined]) {
      const seen: string[] = [];
      const sockets: net.Socket[] = [];
      const server = way.createServer(() => seen.push('request'));
      server.on('connection', (socket) => sockets.push(socket));
      const [client, stream] = await make();
      client.on('error', () => undefined).write(way.head(0));
      if (error === undefined) await once(stream.destroy(), 'close');
      else stream.destroy(error);
      server.on('clientError', (told: Error) => seen.push(told.message));
      server.emit('connection', stream);
      for (let turns = 0; turns < 5; turns++) await nextTurn();
      expect(seen).toEqual(error === undefined ? [] : ['own']);
      expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
    }
  });

  it.each(kinds)('%s that fails while its request is served ends request and response', async (_, make) => {
    const told: string[] = [];
    const server = way.createServer((request, response) => {
      record(request, ['aborted', 'error', 'end', 'close'], told, 'request ');
      record(response, ['finish', 'close'], told, 'response ');
    });
    server.on('clientError', (error: Error) => told.push(`clientError ${error.message}`));
    const [client, stream] = await make();
    client.on('error', () => undefined).write(way.head(5));
    const asked = once(server, 'request') as Promise<[http.IncomingMessage]>;
    server.emit('connection', stream);
    const [request] = await asked;
    const over = new Promise((resolve) => request.once('close', resolve));
    stream.destroy(new Error('own'));
    await over;
    for (let turns = 0; turns < 5; turns++) await nextTurn();
    expect(told.sort()).toEqual([
      'clientError own',
      'request aborted',
      'request close',
      'request error:ECONNRESET',
      'response close',
    ]);
  });

  it.each(kinds)('%s is served on when the server closes, and one that comes later', async (_, make) => {
    const held: http.ServerResponse[] = [];
    const server = way.createServer((_request, response) => held.push(response));
    await listenUwsgi(server);
    const clients: Duplex[] = [];
    const hand = async (): Promise<void> => {
      const [client, stream] = await make();
      clients.push(client);
      client.write(way.head(0));
      const asked = once(server, 'request');
      server.emit('connection', stream);
      await asked;
    };
    await hand();
    // It does not wait for what it has not accepted.
    await new Promise((resolve) => server.close(resolve));
    await hand();
    for (const response of held) response.end('x');
    for (const client of clients) expect(parseAnswer(await readAll(client)).body.toString()).toBe('x');
  });

  it.each(kinds)('%s is destroyed by closeAllConnections, and counts for no accepted connection', async (_, make) => {
    const server = way.createServer((request, response) => {
      if (request.headers['content-length'] === '0') response.end('x');
    });
    await listenUwsgi(server);
    for (const length of [0, 5]) {
      const [client, stream] = await make();
      client.on('error', () => undefined).write(way.head(length));
      const asked = once(server, 'request');
      const over = once(stream, 'close');
      server.emit('connection', stream);
      await asked;
      if (length > 0) {
        server.closeAllConnections();
        expect(stream.destroyed).toBe(true);
      } else await readAll(client);
      client.end();
      await over;
      expect(await connectionsOf(server)).toBe(0);
    }
  });
});
