/** What the channel API promises of memory, draining and its end, where the peer does not make it easy. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { close, open, openSync, closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Channel, type ChannelHandlers, type ChannelServerHandlers } from 'nearwire/channel';
import {
  channelWays,
  type ChannelTransport,
  fillChannel,
  readNow,
  withNetPeer,
  withNetPeers,
} from '../support/channels.js';
import { failure, testFile } from '../support/files.js';
import { cleanup, nextTurn, pattern, readAll, temporaryDirectory } from '../support/sockets.js';
import type { Family } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

const MIB = 1024 * 1024;
const USED_AGAIN = 0xee;
/** With this send buffer no kernel takes so much at once. */
const LONG = 12 * MIB;

/** A writer that uses its Buffers again as soon as it may. */
class Writer {
  readonly written: Buffer[] = [];
  private lent: Buffer[] = [];

  write(channel: Channel, length: number): boolean {
    const bytes = pattern(length, this.written.length + 1);
    this.written.push(Buffer.from(bytes));
    const room = channel.write(bytes);
    if (room || length <= 8192) bytes.fill(USED_AGAIN);
    else this.lent.push(bytes);
    return room;
  }

  onDrain(): void {
    for (const bytes of this.lent.splice(0)) bytes.fill(USED_AGAIN);
  }
}

/** Keeps every thread of the pool, in which names are looked up, until the answer is called. */
async function occupyPool(): Promise<() => void> {
  const pipe = join(temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  const opened = Array.from({ length: threads }, () => {
    return new Promise<void>((resolve) => {
      // Waits for somebody who writes.
      open(pipe, 'r', (error, fd) => {
        if (!error) close(fd, () => undefined);
        resolve();
      });
    });
  });
  let writer = -1;
  const release = (): void => {
    if (writer < 0) writer = openSync(pipe, 'r+');
  };
  cleanup(async () => {
    release();
    await Promise.all(opened);
    closeSync(writer);
  });
  return Promise.resolve(release);
}

const PIECES = ['a', 'b', 'c', 'd', 'e'];

/** A channel that has been paused while these came, and now reads. */
async function withPieces(transport: ChannelTransport, family: Family, handlers: ChannelHandlers): Promise<void> {
  const { channel, peer } = await withNetPeer(transport, family, handlers);
  channel.pause();
  for (const piece of PIECES) {
    peer.write(piece);
    for (let i = 0; i < 3; i++) await nextTurn();
  }
  channel.resume();
}

/** No kernel has names of this kind at hand: they are looked up in the thread pool. */
function slowName(path: string): string {
  return process.platform === 'linux' ? `/proc/self/root${path}` : path;
}

/** So many bytes, read by a socket that is paused and stays so. */
async function readBy(peer: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let left = length; left > 0;) {
    const chunk = readNow(peer);
    chunks.push(chunk);
    left -= chunk.length;
    await nextTurn();
  }
  return Buffer.concat(chunks);
}

describe.each(channelWays)('a $transport channel over $family', ({ transport, family }) => {
  it('drains when all is with the kernel, what a handler of the same turn has written too', async () => {
    const writer = new Writer();
    let writes = 0;
    const { peers } = await withNetPeers(2, transport, family, {
      onData(channel) {
        if (channel !== peers[0]?.channel) writer.write(peers[0]?.channel as Channel, 2 * MIB);
        writes++;
      },
      onDrain() {
        writer.onDrain();
      },
    });
    const [reader, trigger] = peers as [(typeof peers)[0], (typeof peers)[0]];
    while (writer.write(reader.channel, 20_000));
    await nextTurn();
    // The loop sees both at once: first that there is something to read, then that there is room.
    trigger.peer.write('now');
    const first = readNow(reader.peer);
    while (writes === 0) await nextTurn();
    for (let i = 0; i < 3; i++) await nextTurn();
    reader.channel.end();
    const rest = await readAll(reader.peer.resume());
    expect(Buffer.concat([first, rest]).equals(Buffer.concat(writer.written))).toBe(true);
  });

  it('lets Buffers be used again as it says, whatever the kernel has room for', async () => {
    const writer = new Writer();
    const { channel, peer } = await withNetPeer(transport, family, {
      onDrain() {
        writer.onDrain();
      },
    });
    const received: Buffer[] = [];
    const lengths = [1, 100, 8192, 8193, 15_000, 20_000, 60_000, 3, 300_000, 8191, 12_000];
    for (let round = 0; round < 6; round++) {
      for (const length of lengths) writer.write(channel, length);
      await nextTurn();
      if (round % 2 === 1) received.push(readNow(peer));
    }
    channel.end();
    received.push(await readAll(peer.resume()));
    expect(Buffer.concat(received).equals(Buffer.concat(writer.written))).toBe(true);
  });

  it('lets small parts be used again at once', async () => {
    const { channel, peer } = await withNetPeer(transport, family, {});
    const filled = fillChannel(channel);
    const parts = [pattern(4000, 1), pattern(10, 2), pattern(4000, 3)];
    const expected = Buffer.concat([...parts, Buffer.from('and text')]);
    channel.writev([...parts, 'and text']);
    for (const part of parts) part.fill(USED_AGAIN);
    channel.end();
    const received = await readAll(peer.resume());
    expect(received.length).toBe(filled + expected.length);
    expect(received.subarray(filled).equals(expected)).toBe(true);
  });

  it('sends what it reads on to a peer that does not, though more is read meanwhile', async () => {
    const { peers } = await withNetPeers(2, transport, family, {
      onData(_, data, start, end) {
        const { channel } = peers[1] as (typeof peers)[0];
        for (let at = start; at < end; at += 5000) channel.write(data, at, Math.min(at + 5000, end));
      },
      onEnd(channel) {
        peers[1]?.channel.end();
        channel.end();
      },
    });
    const [from, to] = peers as [(typeof peers)[0], (typeof peers)[0]];
    const bytes = pattern(3 * MIB);
    from.peer.end(bytes);
    await once(from.peer, 'finish');
    expect((await readAll(to.peer.resume())).equals(bytes)).toBe(true);
  });

  it.each(['with a write behind it', 'alone'])('does not drain while a file waits to be opened, %s', async (how) => {
    let drains = 0;
    const file = testFile(50_000);
    const { channel, peer } = await withNetPeer(transport, family, { onDrain: () => drains++ });
    const release = await occupyPool();
    const large = pattern(LONG, 3);
    expect(channel.write(large)).toBe(false);
    const sent = channel.sendFile(slowName(file.path));
    const behind = how === 'alone' ? '' : 'behind';
    if (behind !== '') expect(channel.write(behind)).toBe(false);
    const first = await readBy(peer, large.length);
    for (let i = 0; i < 10; i++) await nextTurn();
    expect(drains).toBe(0);
    release();
    await sent;
    while (drains === 0) await nextTurn();
    channel.end();
    const rest = await readAll(peer.resume());
    expect(Buffer.concat([first, rest]).equals(Buffer.concat([large, file.bytes, Buffer.from(behind)]))).toBe(true);
    expect(drains).toBe(1);
  });

  it('drains once it shows that a file can not be had', async () => {
    let drains = 0;
    const { channel, peer } = await withNetPeer(transport, family, { onDrain: () => drains++ });
    const release = await occupyPool();
    expect(channel.write(Buffer.alloc(LONG))).toBe(false);
    const sent = failure(channel.sendFile(slowName('/no/such/file'), { end: 9 }));
    await readBy(peer, LONG);
    for (let i = 0; i < 10; i++) await nextTurn();
    expect(drains).toBe(0);
    release();
    expect(await sent).toMatchObject({ code: 'ENOENT' });
    while (drains === 0) await nextTurn();
    expect(drains).toBe(1);
  });

  it('comes to nobody but onClose after destroy(), in whichever handler', async () => {
    for (const name of ['onConnection', 'onData', 'onDrain', 'onEnd'] as const) {
      const calls: string[] = [];
      const closed = new Promise<void>((resolve) => {
        const note =
          (called: string) =>
          (channel: Channel): void => {
            if (called === name) {
              calls.push(called);
              channel.destroy();
              channel.destroy();
              channel.resume();
              expect(channel.write('late')).toBe(false);
            } else if (calls.length > 0) {
              calls.push(called);
              if (called === 'onClose') resolve();
            } else if (called === 'onConnection' && name === 'onDrain') {
              channel.write(Buffer.alloc(LONG));
            }
          };
        const names = ['onConnection', 'onData', 'onDrain', 'onEnd', 'onError', 'onClose'] as const;
        const handlers = Object.fromEntries(names.map((one) => [one, note(one)])) as ChannelServerHandlers;
        void withNetPeer(transport, family, handlers).then(({ peer }) => {
          peer.end(Buffer.alloc(300_000));
          peer.resume();
        });
      });
      await closed;
      await nextTurn();
      expect(calls).toEqual([name, 'onClose']);
    }
  });

  it('brings nothing more of what it has read after destroy()', async () => {
    let chunks = 0;
    const closed = new Promise<void>((resolve) => {
      void withPieces(transport, family, {
        onData(channel) {
          chunks++;
          channel.destroy();
        },
        onClose() {
          resolve();
        },
      });
    });
    await closed;
    expect(chunks).toBe(1);
  });

  it('goes on with what it has read when onData throws', async () => {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    let text = '';
    let chunks = 0;
    await withPieces(transport, family, {
      onData(_, data, start, end) {
        chunks++;
        text += data.toString('latin1', start, end);
        throw new Error('in onData');
      },
    });
    while (text.length < PIECES.length) await nextTurn();
    await nextTurn();
    expect(text).toBe(PIECES.join(''));
    expect(uncaught).toHaveLength(chunks);
  });

  it('rests after pause(), but for what has been read', async () => {
    let delivered = 0;
    let readAtPause = Infinity;
    const { channel, peer } = await withNetPeer(transport, family, {
      onData(self, _, start, end) {
        delivered += end - start;
        self.pause();
        readAtPause = Math.min(readAtPause, self.counters.bytesRead);
      },
    });
    peer.write(pattern(MIB));
    while (delivered === 0) await nextTurn();
    for (let i = 0; i < 10; i++) await nextTurn();
    expect(delivered).toBeLessThanOrEqual(readAtPause);
    let before = delivered;
    while (delivered < MIB) {
      readAtPause = Infinity;
      channel.resume();
      while (delivered === before) await nextTurn();
      expect(delivered).toBeLessThanOrEqual(readAtPause);
      before = delivered;
    }
  });

  it('counts to its end, and takes no more words then', async () => {
    const told = new Promise<Channel>((resolve) => {
      void withNetPeer(transport, family, {
        onClose(channel) {
          expect(channel.write('late')).toBe(false);
          expect(channel.writev(['late'])).toBe(false);
          channel.pause();
          channel.resume();
          channel.flush();
          channel.destroy();
          resolve(channel);
        },
      }).then(({ channel }) => {
        channel.write('last ');
        channel.writev(['wo', 'rds']);
        channel.destroy();
      });
    });
    const channel = await told;
    expect(channel.counters).toMatchObject({ bytesRead: 0, bytesWritten: 10 });
    expect(channel.bufferSizes).toBeUndefined();
  });

  it('ends once, however often it is asked to', async () => {
    const calls: string[] = [];
    const { peer } = await withNetPeer(transport, family, {
      onEnd(channel) {
        calls.push('onEnd');
        channel.end();
        channel.end();
      },
      onError: (_, { message }) => calls.push(message),
      onClose: (_, hadError) => calls.push(`onClose ${String(hadError)}`),
    });
    peer.end('x');
    await readAll(peer.resume());
    while (calls.length < 2) await nextTurn();
    expect(calls).toEqual(['onEnd', 'onClose false']);
  });

  it('drains before it closes, where it has ended with a file that is still being opened', async () => {
    const file = testFile(100);
    const calls: string[] = [];
    const { peer } = await withNetPeer(transport, family, {
      onEnd(channel) {
        void failure(channel.sendFile(slowName(file.path))).then((error) => calls.push(error?.message ?? 'sent'));
        calls.push(`room ${String(channel.write('behind it'))}`);
        channel.end();
      },
      onDrain: () => calls.push('onDrain'),
      onClose: (_, hadError) => calls.push(`onClose ${String(hadError)}`),
    });
    peer.end();
    const all = await readAll(peer.resume());
    expect(all.length).toBe(109);
    while (!calls.includes('onClose false')) await nextTurn();
    expect(calls.filter((call) => call !== 'sent')).toEqual(['room false', 'onDrain', 'onClose false']);
  });

  it('drains before it closes, where it ends while the loop has yet to tell that the kernel has taken all', async () => {
    const file = testFile(100);
    const calls: string[] = [];
    const { channel, peer } = await withNetPeer(transport, family, {
      onEnd: () => calls.push('onEnd'),
      onDrain: () => calls.push('onDrain'),
      onClose: (_, hadError) => calls.push(`onClose ${String(hadError)}`),
    });
    const { peers } = await withNetPeers(1, 'js', 'unix', {
      onData: () => {
        channel.end();
      },
    });
    peer.end();
    while (!calls.includes('onEnd')) await nextTurn();
    const filled = fillChannel(channel);
    void failure(channel.sendFile(file.path)).then((error) => calls.push(error?.message ?? 'sent'));
    await nextTurn();
    // The loop finds room for the rest first, then that another has spoken.
    const first = readNow(peer);
    peers[0]?.peer.write('now');
    const rest = await readAll(peer.resume());
    expect(first.length + rest.length).toBe(filled + 100);
    while (!calls.includes('onClose false')) await nextTurn();
    // What a promise tells comes behind what is told in the same tick.
    expect(calls.filter((call) => call !== 'sent')).toEqual(['onEnd', 'onDrain', 'onClose false']);
    expect(calls).toContain('sent');
  });

  it('writes all of a string, whatever else is passed', async () => {
    const { channel, peer } = await withNetPeer(transport, family, {});
    const long = 'é'.repeat(10_000);
    channel.write('short', 1, 2);
    channel.write(long, 1, 2);
    channel.end();
    expect((await readAll(peer.resume())).toString()).toBe(`short${long}`);
  });
});
