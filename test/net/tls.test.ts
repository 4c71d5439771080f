/** TLS and HTTP/2 over sockets that are given to them. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import type * as net from 'node:net';
import { PassThrough, type Readable } from 'node:stream';
import * as tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { install, nodeStream } from 'nearwire';
import { serverCertificate, serverKey } from '../support/certificates.js';
import { cleanup, listen, pattern, readAll } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

install();

const certificate = { key: serverKey, cert: serverCertificate };
const client = { rejectUnauthorized: false };
const BIG = 3 * 1_048_576;

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each(everyWay)('TLS: $name over $family', ({ subject, family }) => {
  /** A listening server that gives its connections to `secured`; answers a way to connect to it. */
  async function front(secured: net.Server): Promise<() => net.Socket> {
    const server = subject.createServer({}, (socket) => secured.emit('connection', socket));
    cleanup(() => server.close());
    const target = await listen(server, family);
    return () => subject.connect(target);
  }

  const echo = (): tls.Server => tls.createServer(certificate, (socket) => socket.pipe(socket));

  it('secures a connected socket, at both ends', async () => {
    const connect = await front(echo());
    const socket = connect();
    await once(socket, 'connect');
    const secured = tls.connect({ ...client, socket });
    const bytes = pattern(BIG);
    secured.end(bytes);
    expect((await readAll(secured)).equals(bytes)).toBe(true);
    expect(socket.bytesWritten).toBeGreaterThan(BIG);
    await once(secured, 'close');
    expect(socket.destroyed).toBe(true);
  });

  it('secures a stream over a connected socket, and what is no socket of ours as it is', async () => {
    const connect = await front(echo());
    const socket = connect();
    await once(socket, 'connect');
    const secured = tls.connect({ ...client, socket: nodeStream(socket) });
    const bytes = pattern(BIG);
    secured.end(bytes);
    expect((await readAll(secured)).equals(bytes)).toBe(true);
    const other = new PassThrough();
    expect(nodeStream(other)).toBe(other);
  });

  it('secures a socket that is still connecting', async () => {
    const connect = await front(echo());
    const secured = tls.connect({ ...client, socket: connect() });
    const events: string[] = [];
    for (const name of ['connect', 'secureConnect', 'close']) secured.on(name, () => events.push(name));
    const closed = once(secured, 'close');
    const bytes = pattern(BIG);
    secured.end(bytes);
    expect((await readAll(secured)).equals(bytes)).toBe(true);
    await closed;
    expect(events).toEqual(['connect', 'secureConnect', 'close']);
  });

  it('secures a socket that has carried plain text before', async () => {
    const server = subject.createServer({}, (socket) => {
      socket.once('data', (data) => {
        socket.write(`ready for ${String(data)}`);
        const secured = new tls.TLSSocket(socket, { isServer: true, ...certificate });
        secured.pipe(secured);
      });
    });
    cleanup(() => server.close());
    const target = await listen(server, family);
    const socket = subject.connect(target);
    socket.write('STARTTLS');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toBe('ready for STARTTLS');
    Object.assign(socket, { mine: 'kept' });
    const secured = tls.connect({ ...client, socket });
    secured.end('secret');
    expect(String(await readAll(secured))).toBe('secret');
    expect(socket).toMatchObject({ mine: 'kept' });
  });

  it('takes what was read before it came', async () => {
    const secure = echo();
    const server = subject.createServer({ pauseOnConnect: true }, (socket) => {
      // The peer's hello is read, and stands in the stream.
      socket.once('readable', () => secure.emit('connection', socket));
    });
    cleanup(() => server.close());
    const target = await listen(server, family);
    const secured = tls.connect({ ...client, socket: subject.connect(target) });
    secured.end('early');
    expect(String(await readAll(secured))).toBe('early');
  });

  it('serves HTTPS', async () => {
    const secure = https.createServer(certificate, (request, response) => request.pipe(response));
    const connect = await front(secure);
    for (const connected of [true, false]) {
      const socket = connect();
      if (connected) await once(socket, 'connect');
      const secured = tls.connect({ ...client, socket });
      const request = http.request({ createConnection: () => secured, method: 'POST' });
      const bytes = pattern(BIG);
      request.end(bytes);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      expect((await collect(response)).equals(bytes)).toBe(true);
      secured.destroy();
    }
  });

  it('serves HTTP/2, to a connected socket and to a connecting one', async () => {
    const plain = http2.createServer((request, response) => request.pipe(response));
    const connect = await front(plain);
    for (const connected of [true, false]) {
      const socket = connect();
      if (connected) await once(socket, 'connect');
      const session = http2.connect('http://localhost', { createConnection: () => socket });
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      const bytes = pattern(BIG);
      stream.end(bytes);
      expect((await collect(stream)).equals(bytes)).toBe(true);
      session.close();
      await once(session, 'close');
    }
  });

  it('ends when the socket is destroyed beneath it', async () => {
    const connect = await front(echo());
    const socket = connect();
    await once(socket, 'connect');
    const secured = tls.connect({ ...client, socket });
    secured.on('error', () => undefined);
    await once(secured, 'secureConnect');
    socket.destroy();
    await once(secured, 'close');
    expect(secured.destroyed).toBe(true);
  });
});
