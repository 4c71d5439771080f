/** Files among the writes of a socket: what the peer gets, in what order, and what the socket says of it. */
import { once } from 'node:events';
import { appendFileSync, closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import * as http from 'node:http';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sendFile, type Socket } from 'nearwire';
import { setSocketOptions } from 'nearwire/tune';
import { chill, descriptors, descriptorsBack, testFile } from '../support/files.js';
import { cleanup, closed, listen, nextTurn, pair, pattern, readAll, readBytes } from '../support/sockets.js';
import { everyWay, families, native, sendsByReference, subjects } from '../support/subjects.js';

const ourWays = everyWay.filter(({ name }) => name !== 'node:net');
const MIB = 1024 * 1024;

/** As it reads back. */
function largestSendBuffer(): number {
  return process.platform === 'linux' ? 2 * Number(readFileSync('/proc/sys/net/core/wmem_max', 'utf8')) : MIB;
}

describe.each(ourWays)('sendFile: $name over $family', ({ subject, family }) => {
  const connected = async (): Promise<{ client: Socket; peer: Socket }> => {
    const { client, peer } = await pair(subject, family);
    return { client: client as Socket, peer: peer as Socket };
  };

  it('keeps its place among writes of every kind', async () => {
    const { path, bytes } = testFile(3 * MIB + 17);
    const { client, peer } = await connected();
    const received = readAll(peer);
    const large = pattern(700_000, 3);
    const sent: Buffer[] = [];
    const write = (chunk: string | Buffer): void => {
      client.write(chunk);
      sent.push(Buffer.from(chunk));
    };
    const send = (offset: number, length: number): Promise<number> => {
      sent.push(bytes.subarray(offset, offset + length));
      return client.sendFile(path, { start: offset, end: offset + length - 1 });
    };
    write('first ');
    const all = [send(0, bytes.length)];
    write(' small ');
    all.push(send(4095, 2));
    write(large);
    all.push(client.sendFile(path, { start: bytes.length }), send(MIB, MIB));
    client.cork();
    write('corked ');
    all.push(send(1, 70_000));
    write(' and more');
    await nextTurn();
    client.uncork();
    all.push(send(5, 5));
    write('ü');
    client.end('last');
    sent.push(Buffer.from('last'));
    await Promise.all(all);
    const expected = Buffer.concat(sent);
    expect((await received).equals(expected)).toBe(true);
    expect(client.bytesWritten).toBe(expected.length);
  });

  it('settles when its turn among the writes is over', async () => {
    const { path } = testFile(2 * MIB);
    const { client, peer } = await connected();
    peer.resume();
    const order: string[] = [];
    const files: string[] = [];
    const note = (name: string) => (error?: Error | null) => order.push(error ? `${name} ${error.message}` : name);
    client.write('a', note('a'));
    const sent = client.sendFile(path).then(() => files.push(`file, ${String(order.includes('a'))}`));
    client.write('b', note('b'));
    void client.sendFile(path, { end: 9 }).then(() => files.push(`short file, ${String(order.includes('b'))}`));
    client.write(Buffer.alloc(200_000), note('c'));
    client.end(note('end'));
    await once(peer, 'end');
    peer.end();
    await closed(client);
    await sent;
    expect(order).toEqual(['a', 'b', 'c', 'end']);
    // Behind the writes before them.
    expect(files).toEqual(['file, true', 'short file, true']);
  });

  it('waits for the connection', async () => {
    const { path, bytes } = testFile(300_000);
    const server = subject.createServer();
    const address = await listen(server, family);
    const client = subject.connect(address) as Socket;
    cleanup(() => client.destroy());
    client.write('before');
    const sent = client.sendFile(path, { start: 10 });
    client.end('after');
    const [peer] = (await once(server, 'connection')) as [Socket];
    const received = await readAll(peer);
    await sent;
    expect(received.equals(Buffer.concat([Buffer.from('before'), bytes.subarray(10), Buffer.from('after')]))).toBe(
      true,
    );
  });

  it('takes open files, which stay where they are, and closes what it has opened', async () => {
    const { path, bytes } = testFile(100_000);
    const { client, peer } = await connected();
    const before = descriptors();
    const fd = openSync(path, 'r');
    readSync(fd, Buffer.alloc(10));
    const handle = await open(path);
    const received = readBytes(peer, bytes.length * 2 + 5);
    const sent = [client.sendFile(fd), client.sendFile(handle, { start: 0 }), client.sendFile(path, { end: 4 })];
    // The caller's may be closed as soon as the call is through.
    const next = Buffer.alloc(1);
    readSync(fd, next);
    closeSync(fd);
    await handle.close();
    await Promise.all(sent);
    expect(next[0]).toBe(bytes[10]);
    expect((await received).equals(Buffer.concat([bytes, bytes, bytes.subarray(0, 5)]))).toBe(true);
    expect(await descriptorsBack(before)).toBe(before);
  });

  it('is held back by a peer that does not read', async () => {
    const { path, bytes } = testFile(16 * MIB);
    const { client, peer } = await connected();
    const fd = openSync(path, 'r');
    cleanup(() => {
      closeSync(fd);
    });
    let sent = false;
    const whole = client.sendFile(fd).then(() => (sent = true));
    expect(client.writableLength).toBe(bytes.length);
    expect(client.writableNeedDrain).toBe(true);
    expect(client.write('behind')).toBe(false);
    for (let i = 0; i < 20; i++) await nextTurn();
    expect(sent).toBe(false);
    expect(client.writableLength).toBe(bytes.length + 6);
    expect(client.bytesWritten).toBeLessThanOrEqual(bytes.length + 6);
    const drained = once(client, 'drain');
    const received = readAll(peer);
    await Promise.all([whole, drained]);
    expect(client.writableLength).toBe(0);
    expect(client.bytesWritten).toBe(bytes.length + 6);
    client.end();
    expect((await received).equals(Buffer.concat([bytes, Buffer.from('behind')]))).toBe(true);
  });

  it('sends what the file had when it was called, though it grows', async () => {
    const { path, bytes } = testFile(2 * MIB);
    const { client, peer } = await connected();
    const fd = openSync(path, 'r');
    const sent = client.sendFile(fd);
    appendFileSync(path, 'more');
    closeSync(fd);
    client.end();
    const [received] = await Promise.all([readAll(peer), sent]);
    expect(received.equals(bytes)).toBe(true);
  });

  it('finds its place behind 4 GiB', async () => {
    const { path } = testFile(0);
    const behind = pattern(200_000, 11);
    const fd = openSync(path, 'r+');
    cleanup(() => {
      closeSync(fd);
    });
    const at = 2 ** 32 + 4097;
    writeSync(fd, behind, 0, behind.length, at);
    const { client, peer } = await connected();
    const received = readAll(peer);
    await client.sendFile(fd, { start: at - 10 });
    client.write('|');
    client.end();
    expect((await received).equals(Buffer.concat([Buffer.alloc(10), behind, Buffer.from('|')]))).toBe(true);
  });

  it('serves many sockets from one file that is on the disk', async () => {
    const { path, bytes } = testFile(2 * MIB + 1);
    const server = subject.createServer();
    const address = await listen(server, family);
    const before = descriptors();
    chill(path);
    const results: boolean[] = [];
    server.on('connection', (socket) => {
      const sent = (socket as Socket).sendFile(path);
      socket.end('!');
      void sent;
    });
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        const client = subject.connect(address);
        cleanup(() => client.destroy());
        const received = await readAll(client);
        results.push(received.length === bytes.length + 1 && received.subarray(0, -1).equals(bytes));
        await closed(client);
      }),
    );
    expect(results).toEqual(new Array(200).fill(true));
    expect(await descriptorsBack(before + 1)).toBeLessThanOrEqual(before + 1);
  });
});

describe('sendFile to other streams', () => {
  it.each(subjects)('takes a socket of $name', async (subject) => {
    const { path, bytes } = testFile(600_000);
    const { client, peer } = await pair(subject, 'unix');
    client.write('<');
    const sent = sendFile(client, path, { start: 1 });
    client.end('>');
    const [received] = await Promise.all([readAll(peer), sent]);
    expect(received.equals(Buffer.concat([Buffer.from('<'), bytes.subarray(1), Buffer.from('>')]))).toBe(true);
  });

  it('keeps its place in any Writable, and its pace', async () => {
    const { path, bytes } = testFile(900_000);
    const through = new PassThrough();
    through.write('a');
    const sent = sendFile(through, path);
    through.cork();
    through.write('b');
    const again = sendFile(through, path, { end: 2 });
    through.uncork();
    through.end('c');
    await nextTurn();
    expect(through.readableLength).toBeLessThan(bytes.length);
    const chunks = (await through.toArray()) as Buffer[];
    await Promise.all([sent, again]);
    const expected = [Buffer.from('a'), bytes, Buffer.from('b'), bytes.subarray(0, 3), Buffer.from('c')];
    expect(Buffer.concat(chunks).equals(Buffer.concat(expected))).toBe(true);
  });

  it('writes to streams of objects and to http messages piece by piece', async () => {
    const { path, bytes } = testFile(700_000);
    const pieces: Buffer[] = [];
    const objects = new Writable({
      objectMode: true,
      write(chunk: Buffer, _encoding, callback) {
        pieces.push(chunk);
        callback();
      },
    });
    await sendFile(objects, path);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);

    const server = http.createServer((_request, response) => {
      void sendFile(response, path, { start: 2, end: 600_001 }).then(() => response.end());
    });
    const address = await listen(server, 'unix');
    const answer = http.get({ socketPath: address.path ?? '' });
    const [response] = (await once(answer, 'response')) as [http.IncomingMessage];
    const body = (await response.toArray()) as Buffer[];
    expect(Buffer.concat(body).equals(bytes.subarray(2, 600_002))).toBe(true);
  });
});

describe.skipIf(!sendsByReference()).each(families)('sendFile by reference over %s', (family) => {
  it('raises the send buffer of a UNIX socket for a long file, within what everybody may', async () => {
    const { path } = testFile(64 * 1024);
    const { client, peer } = await pair(native, family);
    peer.resume();
    const before = (client as Socket).bufferSizes?.send ?? 0;
    await (client as Socket).sendFile(path, { end: 999 });
    expect((client as Socket).bufferSizes?.send).toBe(before);
    await (client as Socket).sendFile(path);
    const after = (client as Socket).bufferSizes?.send ?? 0;
    expect(after).toBe(family === 'unix' ? Math.max(before, 425_984) : after);
  });

  it.skipIf(family !== 'unix')('doubles it for a reader that keeps up, to 1 MiB, until a program sets it', async () => {
    const { path } = testFile(MIB);
    const { client, peer } = await pair(native, family);
    peer.resume();
    const size = (): number => (client as Socket).bufferSizes?.send ?? 0;
    const most = Math.max(size(), Math.min(MIB, largestSendBuffer()));
    // Neither fits into the buffer that it is to double: 416 KiB, what a long file gets at once, and 832 KiB.
    const sendBoth = async (): Promise<void> => {
      for (const length of [600 * 1024, MIB]) await (client as Socket).sendFile(path, { end: length - 1 });
    };
    while (size() < most) await sendBoth();
    await sendBoth();
    expect(size()).toBe(most);
    setSocketOptions(client, { sendBufferSize: 100_000 });
    const set = size();
    await sendBoth();
    expect(size()).toBe(set);
  });

  it('leaves a send buffer that was asked for alone', async () => {
    const { path } = testFile(64 * 1024);
    const { client, peer } = await pair(native, family, {
      client: { sendBufferSize: 32_768, allowSmallBuffers: true },
    });
    peer.resume();
    const before = (client as Socket).bufferSizes?.send;
    await (client as Socket).sendFile(path);
    expect((client as Socket).bufferSizes?.send).toBe(before);
  });
});
