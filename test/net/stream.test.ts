import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { listen, nextTurn, pair, pattern, readAll, readBytes } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(everyWay)('a stream: $name over $family', ({ subject, family }) => {
  it('is a net.Socket on both sides, and the server a net.Server', async () => {
    const { client, peer, server } = await pair(subject, family);
    expect(client).toBeInstanceOf(net.Socket);
    expect(peer).toBeInstanceOf(net.Socket);
    expect(server).toBeInstanceOf(net.Server);
  });

  it('echoes', async () => {
    const { client, peer } = await pair(subject, family);
    peer.pipe(peer);
    client.write('hello ');
    client.end(Buffer.from('world'));
    expect((await readAll(client)).toString()).toBe('hello world');
  });

  it.each([1, 100, 8191, 8192, 8193, 65_535, 65_536, 65_537, 262_144, 3_000_001])(
    'carries %d bytes unchanged, both ways at once',
    async (size) => {
      const { client, peer } = await pair(subject, family, { server: { allowHalfOpen: true } });
      const up = pattern(size, 3);
      const down = pattern(size, 5);
      const received = Promise.all([readAll(client), readAll(peer)]);
      client.end(up);
      peer.end(down);
      const [atClient, atPeer] = await received;
      expect(sha(atPeer)).toBe(sha(up));
      expect(sha(atClient)).toBe(sha(down));
    },
  );

  it('carries a long run of small writes of all kinds in order', async () => {
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    const parts: Buffer[] = [];
    for (let i = 0; i < 20_000; i++) {
      const text = `${String(i)} äöü €;`;
      if (i % 3 === 0) {
        client.write(text);
        parts.push(Buffer.from(text));
      } else if (i % 3 === 1) {
        client.write(text, 'latin1');
        parts.push(Buffer.from(text, 'latin1'));
      } else {
        const bytes = pattern(i % 300, i);
        client.write(bytes);
        parts.push(bytes);
      }
    }
    client.end();
    expect(sha(await received)).toBe(sha(Buffer.concat(parts)));
  });

  it('keeps small and large writes in order', async () => {
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    const parts: Buffer[] = [];
    for (let i = 0; i < 300; i++) {
      const bytes = pattern(i % 5 === 0 ? 100_000 : 37, i + 1);
      parts.push(bytes);
      if (!client.write(bytes)) await once(client, 'drain');
    }
    client.end();
    expect(sha(await received)).toBe(sha(Buffer.concat(parts)));
  });

  it('sends what is written before the connection stands', async () => {
    const server = subject.createServer({}, (socket) => socket.pipe(socket));
    const address = await listen(server, family);
    const client = subject.connect(address);
    const order: string[] = [];
    client.write('one ', () => order.push('one'));
    client.write('two ', () => order.push('two'));
    client.end('three', () => order.push('three'));
    expect(client.bytesWritten).toBe(13);
    expect((await readAll(client)).toString()).toBe('one two three');
    expect(order).toEqual(['one', 'two', 'three']);
  });

  it('knows every encoding', async () => {
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    client.write('68656c6c6f20', 'hex');
    client.write('d29ybGQ=', 'base64');
    client.write('ä', 'utf16le');
    client.write('ä', 'latin1');
    client.setDefaultEncoding('hex');
    client.end('ff');
    const expected = Buffer.concat([
      Buffer.from('hello world'),
      Buffer.from('ä', 'utf16le'),
      Buffer.from([0xe4, 0xff]),
    ]);
    expect(await received).toEqual(expected);
  });

  it('takes any view of bytes, and copies what it queues', async () => {
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    const words = new Uint16Array([0x4241, 0x4443]);
    client.write(words as unknown as Uint8Array);
    client.write(new DataView(words.buffer, 1, 2) as unknown as Uint8Array);
    client.write(new Uint8Array([0x45]));
    client.write(Buffer.alloc(0));
    client.write('');
    client.end();
    expect((await received).toString()).toBe('ABCDBCE');
  });

  it('decodes with setEncoding, across chunks', async () => {
    const { client, peer } = await pair(subject, family);
    peer.setEncoding('utf8');
    const bytes = Buffer.from('€€');
    let text = '';
    peer.on('data', (chunk: string) => (text += chunk));
    client.write(bytes.subarray(0, 4));
    client.end(bytes.subarray(4));
    await once(peer, 'end');
    expect(text).toBe('€€');
  });

  it('gives what one read finds as one chunk, whatever came before', async () => {
    // Short reads go elsewhere than long ones: sizes around the border between them, after a short one each.
    for (const size of [4095, 4096, 4097, 8192, 30_000]) {
      const { client, peer } = await pair(subject, family);
      const chunks: number[] = [];
      const received: Buffer[] = [];
      peer.on('data', (chunk: Buffer) => {
        chunks.push(chunk.length);
        received.push(chunk);
      });
      client.write('short');
      await once(peer, 'data');
      const bytes = pattern(size, size);
      const ended = once(peer, 'end');
      client.end(bytes);
      await ended;
      expect(chunks).toEqual([5, size]);
      expect(Buffer.concat(received.slice(1)).equals(bytes)).toBe(true);
    }
  });

  it('is an async iterable and an end of a pipeline', async () => {
    const { client, peer } = await pair(subject, family);
    const sent = pattern(500_000);
    const collected: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of peer) collected.push(chunk as Buffer);
    })();
    await pipeline(Readable.from([sent.subarray(0, 250_000), sent.subarray(250_000)]), client);
    await reading;
    expect(sha(Buffer.concat(collected))).toBe(sha(sent));
    expect(peer.destroyed).toBe(true);
  });

  it("works with 'readable' and read(n)", async () => {
    const { client, peer } = await pair(subject, family);
    client.write('0123456789');
    await once(peer, 'readable');
    expect(String(peer.read(4))).toBe('0123');
    expect(String(peer.read())).toBe('456789');
    client.write('abc');
    await once(peer, 'readable');
    expect(String(peer.read())).toBe('abc');
  });

  it.each(['readable', 'read()', 'for await', 'pause() and resume()'])(
    'reads when asked to before the connection, by %s',
    async (how) => {
      const server = subject.createServer({}, (socket) => socket.end('hello'));
      const address = await listen(server, family);
      const client = subject.connect(address);
      let text = '';
      if (how === 'for await') {
        for await (const chunk of client) text += String(chunk);
      } else if (how === 'pause() and resume()') {
        client.pause();
        client.on('data', (chunk: Buffer) => (text += chunk.toString()));
        client.on('connect', () => setImmediate(() => client.resume()));
        await once(client, 'end');
      } else {
        const read = (): Buffer | null => client.read() as Buffer | null;
        if (how === 'read()') read();
        client.on('readable', () => {
          for (let chunk = read(); chunk !== null; chunk = read()) text += chunk.toString();
        });
        await once(client, 'end');
      }
      expect(text).toBe('hello');
    },
  );

  it('counts bytes', async () => {
    const { client, peer } = await pair(subject, family);
    client.write('ä');
    client.write('x'.repeat(100_000));
    await readBytes(peer, 100_002);
    expect(client.bytesWritten).toBe(100_002);
    expect(peer.bytesRead).toBe(100_002);
    client.destroy();
    peer.destroy();
    expect(client.bytesWritten).toBe(100_002);
    expect(peer.bytesRead).toBe(100_002);
  });

  it('is given no more than it asked for, though it puts back what it has no use for yet', async () => {
    const bytes = pattern(16 * 1_048_576);
    const { client, peer } = await pair(subject, family);
    peer.end(bytes);
    const chunk = 65_536;
    const received: Buffer[] = [];
    let most = 0;
    while (!client.readableEnded) {
      const got = client.read() as Buffer | null;
      if (got !== null) {
        most = Math.max(most, got.length);
        received.push(got.subarray(0, chunk));
        if (got.length > chunk) client.unshift(got.subarray(chunk));
      }
      await nextTurn();
    }
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
    // What is left over from one read, and one more read.
    expect(most).toBeLessThanOrEqual(3 * chunk);
  });

  it('stops reading when paused and the buffer is full, and goes on when resumed', async () => {
    const { client, peer } = await pair(subject, family);
    peer.pause();
    // More than the kernel buffers on a loopback connection.
    const sent = pattern(24_000_000);
    client.end(sent);
    await once(peer, 'readable');
    expect(peer.readableLength).toBeLessThan(1_000_000);
    expect(client.writableLength).toBeGreaterThan(0);
    expect(sha(await readAll(peer))).toBe(sha(sent));
  });
});
