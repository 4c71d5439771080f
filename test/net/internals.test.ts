/** What of node:net's inner parts programs and node's own modules look at. Each was seen by one of node's own tests. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { Server, Socket } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { target } from '../support/http.js';
import { cleanup, closeAtEnd, closed, listen, pair } from '../support/sockets.js';
import { everyWay, hasIPv6, subjects } from '../support/subjects.js';

interface Inner {
  _handle: unknown;
  _parent: unknown;
  bufferSize: number | undefined;
}

describe.each(everyWay)('inner parts: $name over $family', ({ subject, family }) => {
  it("a request that the server drops fails once: http marks the socket, and 'close' leaves the mark", async () => {
    const server = subject.createServer({}, (socket) => socket.once('data', () => socket.destroy()));
    const address = await listen(server, family);
    const agent = subject.http.agent();
    cleanup(() => {
      agent.destroy();
    });
    const request = http.request({ ...target(address), agent });
    const told: unknown[] = [];
    request.on('error', ({ code }: NodeJS.ErrnoException) => told.push(code));
    const over = new Promise((resolve) => request.on('close', resolve));
    request.end();
    await over;
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(['ECONNRESET']);
  });

  it("a socket has one listener on 'end' from the start", async () => {
    const { client, peer } = await pair(subject, family);
    expect(subject.socket().listenerCount('end')).toBe(1);
    expect([client.listenerCount('end'), peer.listenerCount('end')]).toEqual([1, 1]);
  });

  it('a socket that CONNECT hands over has no listeners of http left', async () => {
    const server = subject.http.createServer({});
    const address = await listen(server, family);
    const request = http.request({ ...target(address), agent: subject.http.agent(), method: 'CONNECT' });
    const handedOver = once(server, 'connect') as Promise<[unknown, Socket]>;
    const over = new Promise((resolve) => request.on('error', () => undefined).on('close', resolve));
    request.end();
    const [, socket] = await handedOver;
    const counts = ['end', 'data', 'drain', 'error', 'timeout'].map((name) => socket.listenerCount(name));
    expect(counts).toEqual([1, 0, 0, 0, 0]);
    socket.destroy();
    await over;
  });

  it('a closed socket has a null _handle, and no parent', async () => {
    const { client } = await pair(subject, family);
    const over = closed(client);
    client.destroy();
    await over;
    const { _handle, _parent } = client as unknown as Inner;
    expect([_handle, _parent]).toEqual([null, null]);
  });

  it("a socket that is logged shows nothing of other connections' bytes", async () => {
    const { client, peer, address } = await pair(subject, family);
    const other = subject.connect(address);
    cleanup(() => {
      other.destroy();
    });
    await once(other, 'connect');
    peer.on('data', () => undefined);
    for (const size of [16, 100_000]) {
      client.write(Buffer.alloc(size, 0xa5));
      await new Promise((resolve) => client.write('end', resolve));
      for (let bytes = peer.bytesRead; bytes < size; bytes = peer.bytesRead) await once(peer, 'data');
      expect(inspect(other, { depth: 6 })).not.toContain('a5 a5');
    }
  });

  it('counts what is written while connecting', async () => {
    const server = subject.createServer({}, (socket) => socket.resume());
    const address = await listen(server, family);
    const client = subject.connect(family === 'tcp' ? { ...address, host: 'localhost', family: 4 } : address);
    cleanup(() => {
      client.destroy();
    });
    client.on('error', () => undefined);
    client.write('abc');
    client.write('de');
    expect((client as unknown as Inner).bufferSize).toBe(5);
  });

  it("refuses a string of encoding 'buffer' as its handle would", async () => {
    const { client } = await pair(subject, family);
    expect(() => client.write('text', 'buffer' as BufferEncoding)).toThrow(
      expect.objectContaining(
        Number.parseInt(process.versions.node, 10) >= 24
          ? { code: 'ERR_UNKNOWN_ENCODING', message: 'Unknown encoding: buffer' }
          : { code: 'ERR_INVALID_ARG_TYPE', message: 'Second argument must be a buffer' },
      ) as Error,
    );
  });
});

describe.each(subjects)('inner parts: $name', (subject) => {
  it('takes an array of options for an object without options', () => {
    const socket = subject.socket();
    const options = [{ port: 1 }] as unknown as { port: number };
    expect(() => socket.connect(options)).toThrow(expect.objectContaining({ code: 'ERR_MISSING_ARGS' }) as Error);
  });

  it.skipIf(!hasIPv6)('a server that listens on every address says so in its key', async () => {
    const server = subject.createServer() as Server & { _connectionKey: string };
    closeAtEnd(server);
    server.listen(0);
    await once(server, 'listening');
    expect(server._connectionKey).toBe('6::::0');
  });

  it('connects from a local port whose last connection waits in TIME_WAIT', async () => {
    const first = await listen(
      subject.createServer({}, (socket) => socket.resume()),
      'tcp',
    );
    const second = await listen(subject.createServer(), 'tcp');
    // One that nobody has: that of a server which is gone.
    const gone = subject.createServer();
    const { port: localPort } = await listen(gone, 'tcp');
    gone.close();
    await once(gone, 'close');
    const client = subject.connect({ ...first, localPort });
    await once(client, 'connect');
    const over = closed(client);
    client.end();
    await over;
    const again = subject.connect({ ...second, localPort });
    await once(again, 'connect');
    expect(again.localPort).toBe(localPort);
    again.destroy();
  });
});
