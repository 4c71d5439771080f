/** Which part of a file is sent: `start` and `end`, behind its end too, and what the promise says of it. */
import { closeSync, openSync, truncateSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sendFile, type SendFileOptions, type Socket } from 'nearwire';
import { descriptors, descriptorsBack, failure, testFile } from '../support/files.js';
import { cleanup, nextTurn, pair, readAll } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const ourWays = everyWay.filter(({ name }) => name !== 'node:net');
const SIZE = 100_000;
const RANGES: [SendFileOptions | undefined, number, number][] = [
  [undefined, 0, SIZE],
  [{}, 0, SIZE],
  [{ start: undefined, end: undefined, signal: undefined }, 0, SIZE],
  [{ start: 100 }, 100, SIZE],
  [{ end: 0 }, 0, 1],
  [{ end: 99 }, 0, 100],
  [{ start: 99, end: 99 }, 99, 100],
  [{ start: 1000, end: 70_000 }, 1000, 70_001],
  [{ end: Infinity }, 0, SIZE],
  [{ start: SIZE - 1, end: SIZE + 10 }, SIZE - 1, SIZE],
  [{ start: SIZE }, SIZE, SIZE],
  [{ start: SIZE + 5 }, SIZE, SIZE],
  [{ start: SIZE + 5, end: SIZE + 9 }, SIZE, SIZE],
  [{ start: Number.MAX_SAFE_INTEGER, end: Number.MAX_SAFE_INTEGER }, SIZE, SIZE],
  // Names that it does not know, as it once had them.
  [{ offset: 5, length: 1 } as SendFileOptions, 0, SIZE],
];

/** No kernel has names of this kind at hand: they are looked up in the thread pool. */
function slowName(path: string): string {
  return process.platform === 'linux' ? `/proc/self/root${path}` : path;
}

describe.each(ourWays)('ranges of sendFile: $name over $family', ({ subject, family }) => {
  it.each(['path', 'slow name', 'descriptor'])('are those of fs.createReadStream: by %s', async (how) => {
    const { path, bytes } = testFile(SIZE);
    const fd = openSync(path, 'r');
    cleanup(() => {
      closeSync(fd);
    });
    const file = { path, 'slow name': slowName(path), descriptor: fd }[how] ?? path;
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    const sent = RANGES.map(([options]) => (client as Socket).sendFile(file, options));
    client.end('|');
    expect(await Promise.all(sent)).toEqual(RANGES.map(([, from, to]) => to - from));
    const expected = RANGES.map(([, from, to]) => bytes.subarray(from, to));
    expect((await received).equals(Buffer.concat([...expected, Buffer.from('|')]))).toBe(true);
    expect(client.bytesWritten).toBe(expected.reduce((sum, { length }) => sum + length, 1));
  });

  it('say how much there was of a file that has shrunk before it was opened', async () => {
    const { path, bytes } = testFile(SIZE);
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    truncateSync(path, 10);
    expect(await (client as Socket).sendFile(path, { start: 4, end: SIZE - 1 })).toBe(6);
    client.end();
    expect((await received).equals(bytes.subarray(4, 10))).toBe(true);
  });

  it('leave nothing of a file that is aborted while it is opened', async () => {
    const { path } = testFile(SIZE);
    const before = descriptors();
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    const controller = new AbortController();
    client.write('a');
    const sent = failure((client as Socket).sendFile(slowName(path), { signal: controller.signal }));
    client.write('b');
    controller.abort();
    controller.abort();
    expect(await sent).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    client.end('c');
    expect((await received).toString()).toBe('abc');
    // The sockets of the pair and its server.
    expect(await descriptorsBack(before + 3)).toBeLessThanOrEqual(before + 3);
  });
});

describe('sendFile to any Writable', () => {
  it('is aborted at its reader: what was read is not lost, the stream is destroyed, the file closed', async () => {
    const { path } = testFile(4_000_000);
    const before = descriptors();
    const through = new PassThrough();
    through.on('error', () => undefined);
    const controller = new AbortController();
    const sent = failure(sendFile(through, path, { signal: controller.signal }));
    while (through.readableLength === 0) await nextTurn();
    controller.abort(new Error('enough'));
    expect(await sent).toMatchObject({ code: 'ABORT_ERR', cause: { message: 'enough' } });
    expect(through.destroyed).toBe(true);
    expect(await descriptorsBack(before)).toBeLessThanOrEqual(before);
  });

  it('leaves a stream alone whose signal has aborted before, or aborts afterwards', async () => {
    const { path, bytes } = testFile(10);
    const through = new PassThrough();
    const controller = new AbortController();
    expect(await sendFile(through, path, { signal: controller.signal })).toBe(10);
    controller.abort();
    expect(await failure(sendFile(through, path, { signal: controller.signal }))).toMatchObject({ code: 'ABORT_ERR' });
    through.end();
    expect(Buffer.concat((await through.toArray()) as Buffer[]).equals(bytes)).toBe(true);
  });

  it('settles where the stream is destroyed and never calls back', async () => {
    const { path } = testFile(1_000_000);
    const before = descriptors();
    for (const file of [path, slowName(path)]) {
      let came: () => void = () => undefined;
      const written = new Promise<void>((resolve) => (came = resolve));
      const stuck = new Writable({
        write() {
          came();
        },
      });
      const sent = failure(sendFile(stuck, file));
      await written;
      stuck.destroy();
      expect(await sent).toMatchObject({ code: 'ECANCELED' });
    }
    expect(await descriptorsBack(before)).toBeLessThanOrEqual(before);
  });

  it('refuses what is no stream', async () => {
    for (const stream of [undefined, null, {}, 'socket']) {
      expect(await failure(sendFile(stream as never, 'x'))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});
