/** Files that are not sent, or not all: what is wrong with them, aborts, and connections that end under way. */
import { once } from 'node:events';
import { closeSync, openSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { Socket } from 'nearwire';
import { runChild } from '../support/children.js';
import { chill, descriptors, descriptorsBack, failure, testFile } from '../support/files.js';
import { cleanup, closed, fill, listen, nextTurn, pair, readAll } from '../support/sockets.js';
import { everyWay, reference } from '../support/subjects.js';

const ourWays = everyWay.filter(({ name }) => name !== 'node:net');
const library = new URL('../../dist/bundle/index.js', import.meta.url).href;
/** More than the buffers of any connection here hold. */
const LARGE = 16 * 1024 * 1024;

/** A descriptor that the test closes. */
function opened(path: string, flags = 'r'): number {
  const fd = openSync(path, flags);
  cleanup(() => {
    closeSync(fd);
  });
  return fd;
}

describe.each(ourWays)('sendFile, ended early: $name over $family', ({ subject, family }) => {
  const connected = async (): Promise<{ client: Socket; peer: Socket }> => {
    const { client, peer } = await pair(subject, family);
    return { client: client as Socket, peer: peer as Socket };
  };

  it('refuses wrong arguments', async () => {
    const { path } = testFile(10);
    const { client } = await connected();
    const call = (...words: unknown[]): unknown => Reflect.apply(client.sendFile.bind(client), undefined, words);
    const wrong: [string, unknown[]][] = [
      ['ERR_INVALID_ARG_TYPE', [undefined]],
      ['ERR_INVALID_ARG_TYPE', [{}]],
      ['ERR_INVALID_ARG_VALUE', ['a\0b']],
      ['ERR_OUT_OF_RANGE', [-1]],
      ['ERR_OUT_OF_RANGE', [1.5]],
      ['ERR_INVALID_ARG_TYPE', [path, 5]],
      ['ERR_INVALID_ARG_TYPE', [path, () => undefined]],
      ['ERR_INVALID_ARG_TYPE', [path, { start: '1' }]],
      ['ERR_OUT_OF_RANGE', [path, { start: -1 }]],
      ['ERR_OUT_OF_RANGE', [path, { start: Infinity }]],
      ['ERR_OUT_OF_RANGE', [path, { end: 0.5 }]],
      ['ERR_OUT_OF_RANGE', [path, { end: -1 }]],
      ['ERR_OUT_OF_RANGE', [path, { start: 5, end: 4 }]],
      ['ERR_INVALID_ARG_TYPE', [path, { signal: {} }]],
    ];
    for (const [code, words] of wrong) {
      expect(await failure(call(...words) as Promise<void>)).toMatchObject({ code });
    }
    expect(client.destroyed).toBe(false);
  });

  it('tells what is wrong with the file, and the connection lives on', async () => {
    const { path, bytes } = testFile(1000);
    const { client, peer } = await connected();
    const before = descriptors();
    const handle = await open(path);
    await handle.close();
    const received = readAll(peer);
    client.write('a');
    const failures = [
      failure(client.sendFile(`${path}.not`)),
      failure(client.sendFile('/')),
      failure(client.sendFile('/dev/null')),
      failure(client.sendFile(handle)),
    ];
    client.write('b');
    const good = client.sendFile(path);
    client.end('c');
    const codes = (await Promise.all(failures)).map((error) => error?.code);
    expect(codes).toEqual(['ENOENT', 'EISDIR', 'ESPIPE', 'EBADF']);
    await good;
    expect((await received).equals(Buffer.concat([Buffer.from('ab'), bytes, Buffer.from('c')]))).toBe(true);
    await closed(client);
    expect(await descriptorsBack(before - 1)).toBeLessThanOrEqual(before);
  });

  it('does not read what is open for writing alone', async () => {
    const { path } = testFile(10);
    const { client } = await connected();
    expect(await failure(client.sendFile(opened(path, 'a')))).toMatchObject({ code: 'EBADF' });
    expect(client.destroyed).toBe(false);
  });

  it('destroys the connection when the file turns out short', async () => {
    const { path, bytes } = testFile(LARGE);
    const { client, peer } = await connected();
    const errors: unknown[] = [];
    client.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    peer.on('error', () => undefined);
    const sent = failure(client.sendFile(opened(path)));
    client.write('never to be seen');
    truncateSync(path, LARGE - 1000);
    const gone = closed(client);
    const received = readAll(peer);
    expect(await sent).toMatchObject({ code: 'ERR_NEARWIRE_FILE_TRUNCATED' });
    await gone;
    expect(errors).toEqual(['ERR_NEARWIRE_FILE_TRUNCATED']);
    expect((await received).equals(bytes.subarray(0, LARGE - 1000))).toBe(true);
  });

  it('fails when the peer goes midway', async () => {
    const { path } = testFile(LARGE);
    const { client, peer } = await connected();
    const before = descriptors();
    client.on('error', () => undefined);
    const sent = failure(client.sendFile(path));
    peer.once('data', () => peer.destroy());
    expect((await sent)?.code).toMatch(/^(EPIPE|ECONNRESET|ECANCELED)$/);
    if (!client.closed) await closed(client);
    // Fewer, where one of an earlier test was still to be closed.
    expect(await descriptorsBack(before - 2)).toBeLessThanOrEqual(before - 2);
  });

  it('is told of when the socket is destroyed, at whatever step', async () => {
    const { path } = testFile(LARGE);
    const server = subject.createServer();
    const address = await listen(server, family);
    const peers: Socket[] = [];
    let over = false;
    server.on('connection', (peer: Socket) => {
      peers.push(peer);
      // One that has been in the queue until now.
      if (over) peer.destroy();
    });
    const before = descriptors();
    const steps: ((client: Socket) => unknown)[] = [
      () => undefined,
      () =>
        new Promise<void>((resolve) => {
          process.nextTick(resolve);
        }),
      (client) => once(client, 'connect'),
      (client) => once(client, 'connect').then(nextTurn),
      (client) => once(client, 'connect').then(nextTurn).then(nextTurn).then(nextTurn),
    ];
    for (const step of steps) {
      const client = subject.connect(address) as Socket;
      const sent = [failure(client.sendFile(path)), failure(client.sendFile(path))];
      await step(client);
      client.destroy();
      client.destroy();
      for (const error of await Promise.all(sent)) expect(error).toBeInstanceOf(Error);
      if (!client.closed) await closed(client);
      expect(await failure(client.sendFile(path))).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
    }
    over = true;
    for (const peer of peers) peer.destroy();
    expect(await descriptorsBack(before)).toBeLessThanOrEqual(before);
  });

  it('is no write after end', async () => {
    const { path } = testFile(10);
    const { client } = await connected();
    const failed = once(client, 'error');
    client.end();
    expect(await failure(client.sendFile(path))).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    expect((await failed)[0]).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });

  it('is taken back by an abort of which nothing has gone', async () => {
    const { path } = testFile(100_000);
    const { client, peer } = await connected();
    const received = readAll(peer);
    peer.pause();
    expect(await failure(client.sendFile(path, { signal: AbortSignal.abort(new Error('why')) }))).toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: { message: 'why' },
    });
    const written = fill(client);
    const controllers = [new AbortController(), new AbortController()];
    const sent = controllers.map(({ signal }) => failure(client.sendFile(opened(path), { signal })));
    client.write('tail');
    for (const controller of controllers) controller.abort();
    for (const error of await Promise.all(sent)) expect(error).toMatchObject({ code: 'ABORT_ERR' });
    peer.resume();
    client.end();
    expect((await received).length).toBe(written + 4);
    expect(client.errored).toBe(null);
  });

  it('destroys the connection by an abort midway', async () => {
    const { path } = testFile(LARGE);
    const { client, peer } = await connected();
    peer.on('error', () => undefined);
    const controller = new AbortController();
    const failed = once(client, 'error');
    const sent = failure(client.sendFile(opened(path), { signal: controller.signal }));
    await once(peer, 'data');
    peer.pause();
    controller.abort();
    expect(await sent).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect((await failed)[0]).toMatchObject({ code: 'ABORT_ERR' });
    expect(client.destroyed).toBe(true);
  });

  it('ignores an abort that comes when all has gone', async () => {
    const { path } = testFile(1000);
    const { client, peer } = await connected();
    peer.resume();
    const controller = new AbortController();
    await client.sendFile(path, { signal: controller.signal });
    controller.abort();
    await nextTurn();
    expect(client.destroyed).toBe(false);
  });

  it('leaves a process that exits midway in peace', async () => {
    const { path } = testFile(LARGE);
    chill(path);
    const { code, signal, stderr } = await runChild(
      subject.name,
      `const server = createServer((socket) => {
        socket.sendFile(${JSON.stringify(path)}).catch(() => {});
        socket.sendFile(${JSON.stringify(path)}).catch(() => {});
        setImmediate(() => process.exit(3));
      }).listen(0, '127.0.0.1', () => connect(server.address().port).pause());`,
    );
    expect({ code, signal, stderr }).toEqual({ code: 3, signal: null, stderr: '' });
  });
});

it('a worker that is terminated while it waits for the disk ends', async () => {
  const { path } = testFile(LARGE);
  const server = reference.createServer({}, (socket) => socket.on('error', () => undefined).resume());
  const address = await listen(server, 'unix');
  const before = descriptors();
  for (let round = 0; round < 5; round++) {
    chill(path);
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.library).then(({ connect }) => {
        let connected = 0;
        for (let i = 0; i < 20; i++) {
          const socket = connect({ ...workerData.address, transport: 'native' }, () => {
            socket.sendFile(workerData.path).catch(() => {});
            if (++connected === 20) parentPort.postMessage('now');
          });
        }
      });`,
      { eval: true, workerData: { library, address, path } },
    );
    await once(worker, 'message');
    await worker.terminate();
  }
  // The other ends, of which node's server hears in its own time.
  expect(await descriptorsBack(before)).toBe(before);
});
