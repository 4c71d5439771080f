/** Pages on channels: whole, in parts, among others. */
import { once } from 'node:events';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { Page } from 'nearwire';
import { ChannelServer, type Channel } from 'nearwire/channel';
import { testFile } from '../support/files.js';
import { collectUntil, sealed } from '../support/pages.js';
import { cleanup, pattern, readAll, socketPath } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';

const MIB = 1024 * 1024;

const transports = subjects.map(({ name }) => name).filter((name) => name !== 'node:net');

describe.each(transports)('pages on %s channels', (transport) => {
  /** What a peer gets of this, on a path or by TCP. */
  async function received(family: string, send: (channel: Channel) => void): Promise<Buffer> {
    const target = family === 'unix' ? { path: socketPath() } : { host: '127.0.0.1', port: 0 };
    const server = await new Promise<ChannelServer>((resolve) => {
      ChannelServer.listen(
        { ...target, transport },
        {
          onListening: resolve,
          onConnection(channel) {
            send(channel);
            channel.end();
          },
        },
      );
    });
    cleanup(() => {
      server.close();
    });
    const address = server.address();
    const peer = net.connect(typeof address === 'string' ? { path: address } : { port: address?.port ?? 0 });
    await once(peer, 'connect');
    return readAll(peer);
  }

  it.each(['unix', 'tcp'])('arrive, whole and in parts, over %s', async (family) => {
    const bytes = pattern(3 * MIB + 7);
    const small = pattern(3000, 2);
    const page = Page.from(bytes);
    const smallPage = Page.from(small);
    const before = Page.stats().byReference;
    if (transport === 'native' && sealed) page.fill(0);
    const ranges = [
      [0, 1],
      [5, 5],
      [4095, 4097],
      [100_001, 2_000_000],
      [bytes.length - 10_000, bytes.length],
    ] as const;
    const answer = await received(family, (channel) => {
      channel.write('head');
      channel.write(page);
      channel.write(smallPage);
      for (const [start, end] of ranges) channel.write(page, start, end);
      channel.write(smallPage, 10, 20);
      channel.writev(['a', page, small, smallPage, page, 'z']);
      for (const [start, end] of [
        [-1, 5],
        [5, 4],
        [0, bytes.length + 1],
        [0.5, 1],
      ] as const) {
        expect(() => channel.write(page, start, end)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
      }
    });
    const expected = [Buffer.from('head'), bytes, small];
    for (const [start, end] of ranges) expected.push(bytes.subarray(start, end));
    expected.push(small.subarray(10, 20), Buffer.from('a'), bytes, small, small, bytes, Buffer.from('z'));
    expect(answer.equals(Buffer.concat(expected))).toBe(true);
    const references = transport === 'native' && sealed ? 3 + ranges.length - 1 : 0;
    expect(Page.stats().byReference.times - before.times).toBe(references);
  });

  it('stand behind files, those that are still being opened too', async () => {
    const file = testFile(300_000);
    const bytes = pattern(MIB, 5);
    const page = Page.from(bytes);
    if (transport === 'native' && sealed) page.fill(0);
    // A name that is looked up in the thread pool: the kernel has none of this kind at hand.
    const slow = process.platform === 'linux' ? `/proc/self/root${file.path}` : file.path;
    const answer = await received('unix', (channel) => {
      channel.write(page);
      void channel.sendFile(slow);
      channel.write(page, 5, 500_000);
      channel.writev(['a', page, 'z']);
      void channel.sendFile(file.path);
      channel.write(page);
    });
    const expected = [bytes, file.bytes, bytes.subarray(5, 500_000), Buffer.from('a'), bytes, Buffer.from('z')];
    expect(answer.equals(Buffer.concat([...expected, file.bytes, bytes]))).toBe(true);
  });

  it('tell of the drain that follows', async () => {
    const page = Page.from(pattern(16 * MIB));
    let drained = 0;
    let room = true;
    const path = socketPath();
    const server = await new Promise<ChannelServer>((resolve) => {
      ChannelServer.listen(
        { path, transport },
        {
          onListening: resolve,
          onConnection(channel) {
            room = channel.write(page);
          },
          onDrain(channel) {
            drained++;
            channel.end();
          },
        },
      );
    });
    cleanup(() => {
      server.close();
    });
    const peer = net.connect(path);
    expect((await readAll(peer)).equals(page)).toBe(true);
    expect({ room, drained }).toEqual({ room: false, drained: 1 });
  });

  it('are let go when the channel is closed', async () => {
    await collectUntil(() => Page.stats().pages === 0);
    const path = socketPath();
    const closed = new Promise<void>((resolve) => {
      const server = ChannelServer.listen(
        { path, transport },
        {
          onConnection(channel) {
            channel.write(Page.from(pattern(16 * MIB)));
            channel.write('tail');
            channel.destroy();
            // What is written to a closed channel is not kept either.
            expect(channel.write(Page.from(pattern(MIB)))).toBe(false);
          },
          onClose() {
            server.close();
            resolve();
          },
        },
      );
    });
    const peer = net.connect(path);
    peer.resume();
    await Promise.all([closed, once(peer, 'close')]);
    await collectUntil(() => Page.stats().pages === 0);
  });
});
