/** What the channel API promises of memory, failures and handlers that throw, where the peer does not make it easy. */
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
  listenChannels,
  readNow,
  transports,
  withNetPeer,
  withNetPeers,
} from './support/channels.js';
import { failure, testFile } from './support/files.js';
import { cleanup, nextTurn, pattern, readAll, temporaryDirectory } from './support/sockets.js';
import { native, type Family } from './support/subjects.js';
import { onUncaught } from './support/uncaught.js';

const MIB = 1024 * 1024;
const USED_AGAIN = 0xee;
/** With this send buffer no kernel takes so much at once. */
const LONG = 12 * MIB;
const SEND_BUFFER = 64 * 1024;

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
    const sent = failure(channel.sendFile(slowName('/no/such/file'), { length: 10 }));
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

  it('writes all of a string, whatever else is passed', async () => {
    const { channel, peer } = await withNetPeer(transport, family, {});
    const long = 'é'.repeat(10_000);
    channel.write('short', 1, 2);
    channel.write(long, 1, 2);
    channel.end();
    expect((await readAll(peer.resume())).toString()).toBe(`short${long}`);
  });
});

describe.each(transports)('the failures of a %s channel', (transport) => {
  interface Fate {
    calls: string[];
    answers: boolean[];
    channel: Channel | undefined;
  }

  /** What becomes of a channel that finds its peer's end in onEnd, when the peer has closed. */
  async function afterPeer(act: (channel: Channel, answers: boolean[]) => void): Promise<Fate> {
    const fate: Fate = { calls: [], answers: [], channel: undefined };
    await new Promise<void>((resolve) => {
      void withNetPeer(transport, 'unix', {
        onEnd(channel) {
          fate.channel = channel;
          act(channel, fate.answers);
        },
        onDrain: () => fate.calls.push('onDrain'),
        onError: (_, { code }) => fate.calls.push(`onError ${String(code)}`),
        onClose(_, hadError) {
          fate.calls.push(`onClose ${String(hadError)}`);
          resolve();
        },
      }).then(({ peer }) => {
        peer.destroy();
      });
    });
    await nextTurn();
    return fate;
  }

  const failed = ['onError EPIPE', 'onClose true'];

  it.each([1, 300, 8192, 8193, 300_000])('are told of: %i bytes, and the end', async (length) => {
    const { calls, answers } = await afterPeer((channel, told) => {
      told.push(channel.write(Buffer.alloc(length)));
      channel.end();
    });
    expect(calls).toEqual(failed);
    // The kernel has been asked.
    if (length > 8192) expect(answers).toEqual([false]);
  });

  it.each([
    ['a string', (channel: Channel) => channel.write('x')],
    ['parts', (channel: Channel) => channel.writev(['x', Buffer.alloc(10_000)])],
    ['small parts', (channel: Channel) => channel.writev(['x', 'y'])],
  ])('are told of: %s, on a channel that stays open', async (_name, act) => {
    const { calls } = await afterPeer(act);
    expect(calls).toEqual(failed);
  });

  it('are told of: what is written before and after flush()', async () => {
    const { calls } = await afterPeer((channel) => {
      channel.write('x');
      channel.flush();
      expect(channel.write('y')).toBe(false);
      channel.end();
    });
    expect(calls).toEqual(failed);
  });

  it('are told of in a later turn too', async () => {
    const { calls } = await afterPeer((channel) => {
      setImmediate(() => {
        channel.write('x');
        channel.end();
      });
    });
    expect(calls).toEqual(failed);
  });

  it('are those of a file too', async () => {
    const { path } = testFile(100_000);
    const errors: (string | undefined)[] = [];
    const { calls } = await afterPeer((channel) => {
      channel.sendFile(path, (error) => errors.push((error as NodeJS.ErrnoException | null)?.code));
      channel.end();
    });
    expect(calls).toEqual(failed);
    expect(errors).toEqual(['EPIPE']);
  });

  it('are none where nothing is lost', async () => {
    const { calls } = await afterPeer((channel) => {
      channel.end();
    });
    expect(calls).toEqual(['onClose false']);
  });

  it('are reported where no handler takes them', async () => {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    const hadError = await new Promise<boolean>((resolve) => {
      void withNetPeer(transport, 'unix', {
        onEnd(channel) {
          channel.write('x');
        },
        onClose(_, failed) {
          resolve(failed);
        },
      }).then(({ peer }) => peer.destroy());
    });
    await nextTurn();
    expect(hadError).toBe(true);
    expect(uncaught).toEqual(['write EPIPE']);
  });

  it('are not told to who destroys the channel', async () => {
    const { calls } = await afterPeer((channel) => {
      channel.write('x');
      channel.destroy();
    });
    expect(calls).toEqual(['onClose false']);
  });

  it.runIf(transport === native.name && process.platform === 'linux')(
    'are told of: a peer that resets the connection behind its end',
    async () => {
      const calls: string[] = [];
      const { channel, peer } = await withNetPeer(transport, 'tcp', {
        onEnd: () => calls.push('onEnd'),
        onError: (_, { message }) => calls.push(message),
        onClose: (_, hadError) => calls.push(`onClose ${String(hadError)}`),
      });
      channel.write('never read');
      peer.end();
      while (calls.length === 0) await nextTurn();
      peer.resetAndDestroy();
      await once(peer, 'close');
      channel.end();
      while (calls.length < 3) await nextTurn();
      expect(calls).toEqual(['onEnd', 'shutdown ENOTCONN', 'onClose true']);
    },
  );
});

describe.each(channelWays)('handlers of $transport channels over $family that throw', ({ transport, family }) => {
  const names = ['onConnection', 'onConnect', 'onData', 'onDrain', 'onEnd', 'onError', 'onClose'] as const;

  it.each(names)('lose nothing: %s', async (thrower) => {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    const calls: string[] = [];
    const bytes = pattern(LONG);
    const received: Buffer[] = [];
    let throwers = 0;
    const done = (name: string): void => {
      calls.push(name);
      if (name !== thrower) return;
      throwers++;
      throw new Error(`${name} ${String(throwers)}`);
    };
    let closed = 0;
    await new Promise<void>((resolve) => {
      const onClose = (): void => {
        if (++closed === 2) resolve();
        done('onClose');
      };
      void listenChannels(
        transport,
        family,
        {
          onConnection(channel) {
            channel.write(bytes);
            done('onConnection');
          },
          onDrain(channel) {
            channel.end();
            done('onDrain');
          },
          onEnd(channel) {
            // It has ended, or does so now; `onError` has its turn here.
            if (thrower === 'onError') channel.destroy(new Error('mine'));
            done('onEnd');
          },
          onError() {
            done('onError');
          },
          onClose,
        },
        { sendBuffer: SEND_BUFFER, allowSmallBuffers: true },
      ).then(({ address }) => {
        Channel.connect({ ...address, transport } as Parameters<typeof Channel.connect>[0], {
          onConnect(channel) {
            channel.pause();
            channel.resume();
            done('onConnect');
          },
          onData(_, data, start, end) {
            received.push(Buffer.from(data.subarray(start, end)));
            done('onData');
          },
          onEnd(channel) {
            channel.end();
            done('onEnd');
          },
          onError() {
            done('onError');
          },
          onClose,
        });
      });
    });
    await nextTurn();
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
    for (const name of names) if (name !== 'onError' || thrower === 'onError') expect(calls).toContain(name);
    expect(throwers).toBeGreaterThan(0);
    expect(uncaught).toEqual(Array.from({ length: throwers }, (_, i) => `${thrower} ${String(i + 1)}`));
  });

  it('lose nothing: callbacks of files', async () => {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    const { path } = testFile(LONG);
    let drains = 0;
    const handlers = { onDrain: () => drains++ };
    const { channel, peer } = await withNetPeer(transport, family, handlers, { sendBuffer: SEND_BUFFER });
    for (const name of ['one', 'two']) {
      channel.sendFile(path, () => {
        throw new Error(name);
      });
    }
    channel.write('behind');
    await nextTurn();
    peer.resume();
    while (drains === 0) await nextTurn();
    await nextTurn();
    expect(uncaught).toEqual(['one', 'two']);
  });
});

it('a server goes on when onConnection throws', async () => {
  for (const transport of transports) {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    const { server, address } = await listenChannels(transport, 'unix', {
      onConnection(channel) {
        channel.end();
        throw new Error('in onConnection');
      },
    });
    const target = { ...address, transport } as Parameters<typeof Channel.connect>[0];
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve) => {
        Channel.connect(target, {
          onClose() {
            resolve();
          },
        });
      });
    }
    expect(uncaught).toHaveLength(3);
    while (server.stats().active > 0) await nextTurn();
  }
});
