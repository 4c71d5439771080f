/** A channel whose peer has spoken and closed before it took all that is written: what the peer said can still be read. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Channel, ChannelHandlers } from 'nearwire/channel';
import { channelWays, transports, withNetPeer } from '../support/channels.js';
import { failure, testFile } from '../support/files.js';
import { nextTurn, pattern, readAll } from '../support/sockets.js';
import type { Family } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

/**
 * More than a channel reads at a time. Over TCP less than the reader's window: what is still with the peer's kernel is lost
 * when the channel writes to it.
 */
const ANSWERS: Record<Family, Buffer> = { unix: pattern(150_000), tcp: pattern(20_000) };

class Fate {
  readonly calls: string[] = [];
  private readonly chunks: Buffer[] = [];

  readonly handlers = {
    onData: (_: Channel, data: Buffer, start: number, end: number) => {
      this.chunks.push(Buffer.from(data.subarray(start, end)));
    },
    onDrain: () => this.calls.push('onDrain'),
    onEnd: () => this.calls.push('onEnd'),
    onWriteError: (_: Channel, { code, syscall }: NodeJS.ErrnoException) => {
      this.calls.push(`onWriteError ${String(syscall)} ${String(code)}`);
    },
    onError: (_: Channel, { code }: NodeJS.ErrnoException) => this.calls.push(`onError ${String(code)}`),
    onClose: (_: Channel, hadError: boolean) => this.calls.push(`onClose ${String(hadError)}`),
  } satisfies ChannelHandlers;

  get read(): Buffer {
    return Buffer.concat(this.chunks);
  }

  async closed(): Promise<void> {
    while (!this.calls.some((call) => call.startsWith('onClose'))) await nextTurn();
    await nextTurn();
  }
}

const BROKEN = /^onWriteError write (EPIPE|ECONNRESET)$/;

describe.each(channelWays)('a $transport channel over $family whose peer has answered and closed', (way) => {
  const { transport, family } = way;

  const answer = ANSWERS[family];

  /** It reads nothing until it resumes. */
  async function answered(handlers: ChannelHandlers): Promise<Channel> {
    const { channel, peer } = await withNetPeer(transport, family, handlers);
    channel.pause();
    await nextTurn();
    peer.write(answer);
    while (peer.writableLength > 0) await nextTurn();
    peer.destroy();
    await once(peer, 'close');
    return channel;
  }

  async function writeUntil(channel: Channel, bytes: Buffer, isOver: () => boolean): Promise<void> {
    // Over TCP the first finds a connection that seems sound.
    while (!isOver()) {
      channel.write(bytes);
      await nextTurn();
    }
  }

  it.each([1, 300, 20_000])('is told of by onWriteError, and reads on: %i bytes', async (length) => {
    const fate = new Fate();
    const channel = await answered(fate.handlers);
    await writeUntil(channel, Buffer.alloc(length), () => fate.calls.length > 0);
    expect([channel.write('x'), channel.writev(['x', 'y'])]).toEqual([false, false]);
    channel.resume();
    await fate.closed();
    expect(fate.read.equals(answer)).toBe(true);
    const [first, ...others] = fate.calls;
    expect(first).toMatch(BROKEN);
    // What a reset connection says behind the last byte is the system's affair.
    if (others.includes('onEnd')) expect(others).toEqual(['onEnd', 'onClose false']);
    else expect(others).toEqual([expect.stringMatching(/^onError E/), 'onClose true']);
  });

  it('closes without that handler, by onError', async () => {
    const fate = new Fate();
    const channel = await answered({ ...fate.handlers, onWriteError: undefined });
    await writeUntil(channel, Buffer.alloc(10), () => fate.calls.length > 1);
    expect(fate.calls).toEqual([expect.stringMatching(/^onError (EPIPE|ECONNRESET)$/), 'onClose true']);
  });

  it('may be destroyed by that handler, or ended, or have no other', async () => {
    const fate = new Fate();
    const destroyed = await answered({
      ...fate.handlers,
      onWriteError(channel) {
        channel.destroy();
        channel.end();
      },
    });
    await writeUntil(destroyed, Buffer.alloc(10), () => fate.calls.length > 0);
    expect(fate.calls).toEqual(['onClose false']);

    const closes: boolean[] = [];
    let isEnded = false;
    const ended = await answered({
      onWriteError(channel) {
        isEnded = true;
        channel.end();
        channel.resume();
      },
      onError: () => undefined,
      onClose: (_, hadError) => closes.push(hadError),
    });
    await writeUntil(ended, Buffer.alloc(10), () => isEnded);
    while (closes.length === 0) await nextTurn();
    expect(closes).toHaveLength(1);
  });

  it('reads on where that handler throws', async () => {
    const fate = new Fate();
    const uncaught: string[] = [];
    onUncaught(({ message }: Error) => uncaught.push(message));
    const channel = await answered({
      ...fate.handlers,
      onWriteError() {
        fate.calls.push('onWriteError');
        throw new Error('listener');
      },
    });
    await writeUntil(channel, Buffer.alloc(10), () => fate.calls.length > 0);
    channel.resume();
    await fate.closed();
    expect([fate.read.equals(answer), uncaught]).toEqual([true, ['listener']]);
  });

  it('tells files that they have not been sent', async () => {
    const fate = new Fate();
    const file = testFile(1_000_000);
    const channel = await answered(fate.handlers);
    await writeUntil(channel, Buffer.alloc(10), () => fate.calls.length > 0);
    const late = failure(channel.sendFile(file.path));
    channel.resume();
    await fate.closed();
    expect(await late).toBeInstanceOf(Error);
    expect(channel.counters.files).toBe(0);
  });
});

describe.each(transports)('a file on a %s channel whose peer closes in the midst of it', (transport) => {
  it('has not been sent, and what the peer has said is read', async () => {
    const fate = new Fate();
    const file = testFile(10_000_000);
    const { channel, peer } = await withNetPeer(transport, 'unix', fate.handlers);
    channel.pause();
    const sending = failure(channel.sendFile(file.path));
    await nextTurn();
    peer.write(ANSWERS.unix);
    while (peer.writableLength > 0) await nextTurn();
    peer.destroy();
    expect(await sending).toMatchObject({ syscall: 'write' });
    channel.resume();
    await fate.closed();
    expect(fate.calls[0]).toMatch(BROKEN);
    expect([fate.read.equals(ANSWERS.unix), channel.counters.files]).toEqual([true, 0]);
  });
});

describe.each(channelWays)('a $transport channel over $family with onWriteError', ({ transport, family }) => {
  it('writes and ends as any other while nothing fails', async () => {
    const fate = new Fate();
    const { channel, peer } = await withNetPeer(transport, family, fate.handlers);
    const all = readAll(peer.resume());
    channel.writev(['a', 'b']);
    channel.write(ANSWERS[family]);
    channel.end();
    peer.end('answer');
    expect((await all).equals(Buffer.concat([Buffer.from('ab'), ANSWERS[family]]))).toBe(true);
    await fate.closed();
    expect(fate.calls.filter((call) => call !== 'onDrain')).toEqual(['onEnd', 'onClose false']);
  });
});
