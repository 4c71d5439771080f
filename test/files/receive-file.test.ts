/** receiveFile(): what a socket receives, in a file. */
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { nodeStream, receiveFile, type FileReceiver, type ReceiveFileError, type ReceiveFileOptions } from 'nearwire';
import { childResult } from '../support/children.js';
import { descriptors, pipes, pipesAtRest } from '../support/files.js';
import { until } from '../support/relays.js';
import {
  cleanup,
  closed,
  fill,
  nextTurn,
  pair,
  pattern,
  readAll,
  readBytes,
  temporaryDirectory,
} from '../support/sockets.js';
import { everyWay, sendsByReference, type Family, type Subject } from '../support/subjects.js';

const MiB = 1024 * 1024;

interface Upload {
  client: Socket;
  peer: Socket & FileReceiver;
  file: FileHandle;
  /** What is in the file. */
  content(): Buffer;
}

async function upload(subject: Subject, family: Family, flags = 'w+'): Promise<Upload> {
  const { client, peer } = await pair(subject, family, { server: { allowHalfOpen: true } });
  const name = join(temporaryDirectory(), 'upload');
  if (flags === 'r') fs.writeFileSync(name, '');
  const file = await open(name, flags);
  cleanup(() => file.close());
  client.on('error', () => undefined);
  return { client, peer: peer as Upload['peer'], file, content: () => fs.readFileSync(name) };
}

function receive(peer: Upload['peer'], file: FileHandle | number, options?: ReceiveFileOptions): Promise<unknown> {
  return peer.receiveFile(file, options).catch((error: unknown) => error);
}

const ways = everyWay.filter(({ name }) => name !== 'node:net');

describe.each(ways)('receiveFile: $name over $family', ({ subject, family }) => {
  it.each([1, 65_536, 300_001, 32 * MiB])('takes exactly %i bytes', async (length) => {
    const { client, peer, file, content } = await upload(subject, family);
    const bytes = pattern(length);
    client.write(bytes);
    client.write('behind');
    expect(await peer.receiveFile(file, { length })).toBe(length);
    expect(content().equals(bytes)).toBe(true);
    expect((await readBytes(peer, 6)).toString()).toBe('behind');
    expect(peer.bytesRead).toBe(length + 6);
  });

  it('takes all until the end', async () => {
    const { client, peer, file, content } = await upload(subject, family);
    const bytes = pattern(5 * MiB + 3);
    client.end(bytes);
    expect(await peer.receiveFile(file)).toBe(bytes.length);
    expect(content().equals(bytes)).toBe(true);
    expect(peer.readableEnded).toBe(true);
    peer.end('thanks');
    expect((await readAll(client)).toString()).toBe('thanks');
  });

  it('takes what is buffered first, and leaves what is beyond it', async () => {
    const { client, peer, file, content } = await upload(subject, family);
    client.write('0123456789');
    await once(peer, 'readable');
    peer.removeAllListeners('readable');
    await nextTurn();
    expect(await peer.receiveFile(file, { length: 4 })).toBe(4);
    expect(await peer.receiveFile(file, { length: 3 })).toBe(3);
    expect(content().toString()).toBe('0123456');
    expect((await readBytes(peer, 3)).toString()).toBe('789');
  });

  it('follows a head that a listener has read', async () => {
    const { client, peer, file, content } = await upload(subject, family);
    const body = pattern(3 * MiB);
    client.write(Buffer.concat([Buffer.from('HEAD'), body, Buffer.from('next')]));
    const first = (await once(peer, 'data')) as [Buffer];
    // Once without a listener the stream goes on flowing.
    peer.pause();
    peer.unshift(first[0].subarray(4));
    expect(await peer.receiveFile(file, { length: body.length })).toBe(body.length);
    expect(content().equals(body)).toBe(true);
    peer.resume();
    expect((await readBytes(peer, 4)).toString()).toBe('next');
  });

  it('takes one body after another', async () => {
    const { client, peer, file, content } = await upload(subject, family);
    const bytes = pattern(20 * 100_000);
    client.end(bytes);
    for (let i = 0; i < 20; i++) expect(await peer.receiveFile(file, { length: 100_000 })).toBe(100_000);
    expect(content().equals(bytes)).toBe(true);
  });

  it('writes at the offset, or at the position of the file', async () => {
    const { client, peer, file, content } = await upload(subject, family);
    await file.write('..........');
    client.write('abcdef');
    await peer.receiveFile(file, { length: 2, start: 3 });
    await peer.receiveFile(file.fd, { length: 4 });
    expect(content().toString()).toBe('...ab.....cdef');
    const bytes = pattern(MiB);
    client.end(bytes);
    await peer.receiveFile(file, { start: 100 });
    expect(content().subarray(100).equals(bytes)).toBe(true);
  });

  it('appends to a file that is open for that', async () => {
    const { client, peer, file, content } = await upload(subject, family, 'a');
    const bytes = pattern(MiB);
    client.end(bytes);
    await file.write('before ');
    expect(await peer.receiveFile(file)).toBe(MiB);
    expect(content().subarray(7).equals(bytes)).toBe(true);
  });

  it('takes nothing for a length of 0', async () => {
    const { client, peer, file } = await upload(subject, family);
    client.write('x');
    expect(await peer.receiveFile(file, { length: 0 })).toBe(0);
    expect((await readBytes(peer, 1)).toString()).toBe('x');
  });

  it.each([0, 10, 2 * MiB])('tells of an end after %i bytes of more', async (length) => {
    const { client, peer, file, content } = await upload(subject, family);
    client.end(pattern(length));
    expect(await receive(peer, file, { length: 3 * MiB })).toMatchObject({
      code: 'ERR_NEARWIRE_SHORT_BODY',
      bytesWritten: length,
      bytesTaken: length,
    });
    expect(content().length).toBe(length);
    expect(peer.destroyed).toBe(false);
  });

  it('tells of an end that has been told of already', async () => {
    const { client, peer, file } = await upload(subject, family);
    client.end();
    await readAll(peer);
    peer.removeAllListeners('data');
    expect(await receive(peer, file)).toBe(0);
    expect(await receive(peer, file, { length: 1 })).toMatchObject({ code: 'ERR_NEARWIRE_SHORT_BODY' });
  });

  it.each(['at once', 'under way'])('rejects when the socket is destroyed %s', async (when) => {
    const { client, peer, file } = await upload(subject, family);
    const outcome = receive(peer, file);
    client.write(pattern(2 * MiB));
    if (when === 'under way') await until(() => peer.bytesRead > 0);
    peer.destroy();
    expect(await outcome).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  it('rejects with the error of the socket', async () => {
    const { client, peer, file } = await upload(subject, family);
    const outcome = receive(peer, file);
    client.write(pattern(2 * MiB));
    await until(() => peer.bytesRead > 0);
    peer.destroy(new Error('mine'));
    expect(await outcome).toMatchObject({ message: 'mine' });
  });

  it('tells of a reset', async () => {
    const { client, peer, file } = await upload(subject, family);
    const outcome = receive(peer, file);
    client.write('x');
    await until(() => peer.bytesRead > 0);
    // More than is read without being asked for: closing with bytes unread resets a UNIX connection.
    fill(peer);
    await nextTurn();
    if (family === 'tcp') client.resetAndDestroy();
    else client.destroy();
    expect(await outcome).toHaveProperty('code', expect.stringMatching(/ECONNRESET|EPIPE/));
  });

  it.each([
    ['a file that is open for reading', 'r', 'EBADF'],
    ['a full device', '/dev/full', 'ENOSPC'],
    ['a closed descriptor', 'closed', 'EBADF'],
  ])('tells of %s', async (_, kind, code) => {
    const { client, peer, file } = await upload(subject, family, kind === 'r' ? 'r' : 'w+');
    let target = file.fd;
    if (kind === '/dev/full') {
      const full = await open(kind, 'w');
      cleanup(() => full.close());
      target = full.fd;
    } else if (kind === 'closed') {
      target = 2 ** 20;
    }
    client.write(pattern(MiB));
    const outcome = (await receive(peer, target)) as ReceiveFileError;
    expect(outcome).toMatchObject({ code, syscall: 'write', bytesWritten: 0 });
    expect(peer.destroyed).toBe(false);
    // The stream goes on behind what has been taken.
    const rest = await readBytes(peer, MiB - outcome.bytesTaken);
    expect(rest.equals(pattern(MiB).subarray(outcome.bytesTaken))).toBe(true);
  });

  it.each(['before', 'while idle', 'under way'])('is ended by its signal: %s', async (when) => {
    const { client, peer, file, content } = await upload(subject, family);
    const controller = new AbortController();
    if (when === 'before') controller.abort();
    const outcome = receive(peer, file, { signal: controller.signal });
    const bytes = pattern(8 * MiB);
    if (when === 'while idle') await nextTurn();
    else client.write(bytes);
    if (when === 'under way') await until(() => peer.bytesRead > 100_000);
    controller.abort();
    const error = (await outcome) as ReceiveFileError;
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(content().length).toBe(error.bytesWritten);
    expect(error.bytesTaken).toBe(error.bytesWritten);
    if (when !== 'under way') return;
    // What has been taken is in the file, the rest is the stream's: nothing is lost between them.
    const rest = await readBytes(peer, bytes.length - error.bytesTaken);
    expect(Buffer.concat([content(), rest]).equals(bytes)).toBe(true);
  });

  it.each([0, 10, 100_000, 5 * MiB])(
    'takes as much as maxBytes of %i, and leaves what is more to the stream',
    async (maxBytes) => {
      const { client, peer, file, content } = await upload(subject, family);
      const bytes = pattern(maxBytes + 1);
      const outcome = receive(peer, file, { maxBytes });
      client.write(bytes.subarray(0, maxBytes));
      await until(() => peer.bytesRead >= maxBytes);
      for (let i = 0; i < 5; i++) await nextTurn();
      client.write(bytes.subarray(maxBytes));
      expect(await outcome).toMatchObject({
        code: 'ERR_NEARWIRE_BODY_TOO_LARGE',
        bytesWritten: maxBytes,
        bytesTaken: maxBytes,
      });
      expect(content().equals(bytes.subarray(0, maxBytes))).toBe(true);
      expect((await readBytes(peer, 1)).equals(bytes.subarray(maxBytes))).toBe(true);
      const rest = receive(peer, file, { maxBytes: maxBytes + 2, start: 0 });
      client.end(bytes);
      expect(await rest).toBe(bytes.length);
      expect(content().equals(bytes)).toBe(true);
    },
  );

  it('takes exactly maxBytes until the end, also of what is buffered, and fails with its stream', async () => {
    for (const length of [0, 7, 3 * MiB]) {
      const { client, peer, file } = await upload(subject, family);
      client.end(pattern(length));
      expect(await receive(peer, file, { maxBytes: length })).toBe(length);
    }
    const { peer, file } = await upload(subject, family);
    const cut = receive(peer, file, { maxBytes: 0 });
    await nextTurn();
    peer.destroy();
    expect(await cut).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE', bytesWritten: 0 });
  });

  it('refuses a stream whose data goes elsewhere', async () => {
    const { peer, file } = await upload(subject, family);
    peer.on('data', () => undefined);
    expect(await receive(peer, file)).toMatchObject({ code: 'ERR_NEARWIRE_STREAM_IN_USE' });
    peer.removeAllListeners('data').setEncoding('utf8');
    expect(await receive(peer, file)).toMatchObject({ code: 'ERR_NEARWIRE_STREAM_IN_USE' });
  });

  it('refuses what makes no sense', async () => {
    const { peer, file } = await upload(subject, family);
    const wrong: [unknown, unknown, string][] = [
      ['path', {}, 'ERR_INVALID_ARG_TYPE'],
      [file, null, 'ERR_INVALID_ARG_TYPE'],
      [file, { length: -1 }, 'ERR_OUT_OF_RANGE'],
      [file, { start: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [file, { signal: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [file, { maxBytes: '1' }, 'ERR_INVALID_ARG_TYPE'],
      [file, { maxBytes: 1, length: 2 }, 'ERR_OUT_OF_RANGE'],
      [-1, {}, 'ERR_OUT_OF_RANGE'],
    ];
    for (const [target, options, code] of wrong) {
      expect(await receive(peer, target as FileHandle, options as ReceiveFileOptions)).toMatchObject({ code });
    }
    expect(await receiveFile({} as Readable, file).catch((error: unknown) => error)).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });

  it('leaves a stream that flowed flowing, and keeps its timeout', async () => {
    const { client, peer, file } = await upload(subject, family);
    let timeouts = 0;
    peer.setTimeout(10_000, () => timeouts++);
    peer.resume();
    client.write('abc');
    expect(await peer.receiveFile(file, { length: 3 })).toBe(3);
    client.end('rest');
    await once(peer, 'end');
    expect(timeouts).toBe(0);
    peer.end();
    await closed(peer);
  });

  it('leaves no descriptor behind', { timeout: 60_000 }, async () => {
    const pipesBefore = pipes();
    const round = async (i: number): Promise<void> => {
      const { client, peer, file } = await upload(subject, family);
      const outcome = receive(peer, file);
      client.write(pattern(700_000));
      if (i % 3 > 0) await until(() => peer.bytesRead > 0);
      if (i % 3 < 2) (i % 2 ? peer : client).destroy();
      client.end();
      await outcome;
      await file.close();
      for (const socket of [client, peer]) {
        socket.destroy();
        if (!socket.closed) await closed(socket);
      }
    };
    const batch = (): Promise<unknown> => Promise.all(Array.from({ length: 30 }, (_, i) => round(i)));
    await batch();
    await nextTurn();
    const before = descriptors();
    for (let i = 0; i < 3; i++) await batch();
    await nextTurn();
    // Each round has a server of its own, which closes at the end of the test.
    expect(descriptors() - 3 * 30).toBeLessThanOrEqual(before);
    expect(pipes()).toBeLessThanOrEqual(pipesAtRest(pipesBefore));
  });
});

describe('receiveFile(stream)', () => {
  it('takes from any Readable', async () => {
    const stream = new PassThrough();
    const name = join(temporaryDirectory(), 'file');
    const file = await open(name, 'w');
    cleanup(() => file.close());
    const bytes = pattern(MiB);
    stream.end(bytes);
    expect(await receiveFile(stream, file, { length: 1000 })).toBe(1000);
    expect(await receiveFile(stream, file)).toBe(MiB - 1000);
    expect(fs.readFileSync(name).equals(bytes)).toBe(true);
  });
});

/** A FIFO that is full: what is written to it waits, as for a slow disk, until it is read. */
async function fullFifo(): Promise<{ target: number; written(): number }> {
  const path = join(temporaryDirectory(), 'fifo');
  execFileSync('mkfifo', [path]);
  const source = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  const target = fs.openSync(path, fs.constants.O_RDWR);
  cleanup(() => {
    fs.closeSync(source);
    fs.closeSync(target);
  });
  const room = (act: () => number): boolean => {
    try {
      return act() > 0;
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' });
      return false;
    }
  };
  while (room(() => fs.writeSync(source, Buffer.alloc(4096, 'f'))));
  const buffer = Buffer.alloc(MiB);
  let written = 0;
  return Promise.resolve({
    target,
    written() {
      while (
        room(() => {
          const length = fs.readSync(source, buffer);
          for (const byte of buffer.subarray(0, length)) if (byte !== 0x66) written++;
          return length;
        })
      );
      return written;
    },
  });
}

describe.each(ways.filter(({ name }) => name === 'native'))(
  'receiveFile stopped while it writes: $name over $family',
  ({ subject, family }) => {
    it.each(['destroyed', 'closed by its server'])('settles when the write is over: the socket is %s', async (how) => {
      const { client, peer } = await pair(subject, family, { server: { allowHalfOpen: true } });
      client.on('error', () => undefined);
      const { target, written } = await fullFifo();
      let outcome: unknown;
      const settled = receive(peer as Upload['peer'], target).then((result) => (outcome = result));
      client.write(Buffer.alloc(50_000, 'u'));
      await until(() => peer.bytesRead === 50_000);
      if (how === 'destroyed') peer.destroy();
      else peer.destroy(new Error('closed'));
      await closed(peer);
      for (let i = 0; i < 5; i++) await nextTurn();
      expect(outcome).toBeUndefined();
      await until(() => {
        written();
        return outcome !== undefined;
      });
      await settled;
      expect(outcome).toMatchObject({ bytesWritten: 50_000, bytesTaken: 50_000 });
      expect(written()).toBe(50_000);
    });

    it('keeps the failure of the socket for whoever reads on', async () => {
      const { client, peer } = await pair(subject, family, { server: { allowHalfOpen: true, pauseOnConnect: true } });
      client.on('error', () => undefined);
      const { target, written } = await fullFifo();
      const failed = once(peer, 'error') as Promise<[NodeJS.ErrnoException]>;
      // Closing with bytes unread resets a UNIX connection.
      peer.write('unread');
      await new Promise((resolve) => client.write(Buffer.alloc(1000, 'u'), resolve));
      if (family === 'tcp') client.resetAndDestroy();
      else client.destroy();
      await closed(client);
      // The bytes and the reset behind them are taken together.
      const outcome = receive(peer as Upload['peer'], target);
      await until(() => peer.bytesRead === 1000);
      nodeStream(peer).on('error', () => undefined);
      await until(() => written() === 1000);
      await outcome;
      peer.resume();
      const [error] = await failed;
      expect(error.code).toMatch(/ECONNRESET|EPIPE/);
    });
  },
);

describe.runIf(sendsByReference() && ways.some(({ name }) => name === 'native'))('pipes', () => {
  it('take no more than a share of the descriptors, and what has none goes on by copy', async () => {
    const limit = 300;
    const code = `
      import { once } from 'node:events';
      import { readdirSync, readlinkSync } from 'node:fs';
      import { connect, createServer, relay } from ${JSON.stringify(new URL('../../dist/bundle/index.js', import.meta.url).href)};
      const pipes = () => readdirSync('/proc/self/fd').filter((fd) => { try { return readlinkSync('/proc/self/fd/' + fd).startsWith('pipe:'); } catch { return false; } }).length;
      const [path] = process.argv.slice(-1);
      const back = path + '.back';
      const before = pipes();
      const much = 4_000_000;
      // Each comes back by way of two relayed connections, and is not read there at first.
      const echo = createServer((socket) => socket.pipe(socket)).listen(back);
      const server = createServer({ allowHalfOpen: true }, (socket) => relay(socket, connect({ path: back, allowHalfOpen: true }), () => {})).listen(path);
      await Promise.all([once(server, 'listening'), once(echo, 'listening')]);
      const clients = Array.from({ length: 40 }, () => connect(path).pause());
      for (const client of clients) client.end(Buffer.alloc(much));
      let most = 0;
      for (let i = 0; i < 2000; i++) { await new Promise((resolve) => setImmediate(resolve)); most = Math.max(most, pipes() - before); }
      const lengths = await Promise.all(clients.map(async (client) => { let length = 0; for await (const chunk of client) length += chunk.length; return length; }));
      console.log(JSON.stringify([most > 0, most <= ${String(limit / 20)}, lengths.every((length) => length === much)]));
      server.close();
      echo.close();`;
    const words = ['-c', `ulimit -n ${String(limit)} && exec "$0" --input-type=module -e "$1" -- "$2"`];
    const child = spawn('sh', [...words, process.execPath, code, join(temporaryDirectory(), 'a.sock')]);
    cleanup(() => child.kill('SIGKILL'));
    expect(await childResult(child)).toMatchObject({ code: 0, stderr: '', said: [[true, true, true]] });
  });
});
