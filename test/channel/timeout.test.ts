/** `setTimeout()` and `onTimeout`: node:net's idle timeout, on a callback. */
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { Channel, type ConnectTarget } from 'nearwire/channel';
import { channelWays, fillChannel, listenChannels, readNow, withNetPeer } from '../support/channels.js';
import { cleanup, nextTurn, passTime, readAll } from '../support/sockets.js';
import { onUncaught } from '../support/uncaught.js';

const MIB = 1024 * 1024;
/** A timer may come this much early: node counts whole milliseconds. */
const GRAIN = 2;

/** Counts calls, and waits until there have been so many. */
class Calls {
  count = 0;

  async reach(count: number): Promise<void> {
    while (this.count < count) await nextTurn();
  }
}

describe.each(channelWays)('timeouts of $transport channels over $family', ({ transport, family }) => {
  it('come once, and close nothing', async () => {
    const timeouts = new Calls();
    const { channel } = await withNetPeer(transport, family, { onTimeout: () => timeouts.count++ });
    const start = performance.now();
    expect(channel.setTimeout(30)).toBe(channel);
    await timeouts.reach(1);
    expect(performance.now() - start).toBeGreaterThan(30 - GRAIN);
    await passTime(100);
    expect(timeouts.count).toBe(1);
    expect(channel.closed).toBe(false);
  });

  it.each(['reads', 'writes'] as const)('are put off by %s', async (what) => {
    const timeouts = new Calls();
    const { channel, peer } = await withNetPeer(transport, family, { onTimeout: () => timeouts.count++ });
    peer.resume();
    channel.setTimeout(60);
    const start = performance.now();
    let last = start;
    let longestPause = 0;
    while (performance.now() - start < 150) {
      (what === 'reads' ? peer : channel).write('x');
      await passTime(10);
      longestPause = Math.max(longestPause, performance.now() - last);
      last = performance.now();
    }
    // A machine under load may have held up this process for as long as the timeout.
    if (longestPause < 50) expect(timeouts.count).toBe(0);
    await timeouts.reach(1);
  });

  it('come again after each activity, be it from the handler itself', async () => {
    const timeouts = new Calls();
    const { channel, peer } = await withNetPeer(transport, family, {
      onTimeout(self) {
        if (++timeouts.count < 3) self.write('still there?');
      },
    });
    peer.resume();
    channel.setTimeout(20);
    await timeouts.reach(3);
    await passTime(60);
    expect(timeouts.count).toBe(3);
    peer.write('yes');
    await timeouts.reach(4);
  });

  it('come while a slow reader holds a write back, not while it reads', async () => {
    const timeouts = new Calls();
    const { channel, peer } = await withNetPeer(transport, family, { onTimeout: () => timeouts.count++ });
    const filled = fillChannel(channel, 64 * 1024);
    const large = Buffer.alloc(32 * MIB, 'l');
    expect(channel.write(large)).toBe(false);
    channel.setTimeout(60);
    await timeouts.reach(1);
    expect(channel.bufferedAmount).toBeGreaterThan(0);
    // It has come: what is read now puts off the next one.
    let read = 0;
    let last = performance.now();
    let longestPause = 0;
    while (read < 8 * MIB) {
      read += readNow(peer).length;
      await passTime(10);
      longestPause = Math.max(longestPause, performance.now() - last);
      last = performance.now();
    }
    if (longestPause < 50) expect(timeouts.count).toBe(1);
    await timeouts.reach(2);
    channel.end();
    const rest = await readAll(peer.resume());
    expect(read + rest.length).toBe(filled + large.length);
  });

  it('may close the channel: nothing but onClose follows', async () => {
    const calls: string[] = [];
    const { channel, peer } = await withNetPeer(transport, family, {
      onData: () => calls.push('onData'),
      onTimeout(self) {
        calls.push('onTimeout');
        self.destroy();
        self.setTimeout(10);
      },
      onClose: () => calls.push('onClose'),
    });
    channel.setTimeout(10);
    while (!channel.closed) await nextTurn();
    peer.write('late');
    await passTime(40);
    expect(calls).toEqual(['onTimeout', 'onClose']);
  });

  it('lose nothing where the handler throws', async () => {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    let received = '';
    const timeouts = new Calls();
    const { channel, peer } = await withNetPeer(transport, family, {
      onData: (_, data, start, end) => (received += data.toString('latin1', start, end)),
      onTimeout() {
        throw new Error(`timeout ${String(++timeouts.count)}`);
      },
    });
    channel.setTimeout(20);
    await timeouts.reach(1);
    peer.write('go on');
    await timeouts.reach(2);
    expect(received).toBe('go on');
    while (uncaught.length < 2) await nextTurn();
    expect(uncaught).toEqual(['timeout 1', 'timeout 2']);
  });

  it('can be turned off and changed, in the handler too', async () => {
    const timeouts = new Calls();
    const { channel, peer } = await withNetPeer(transport, family, {
      onTimeout(self) {
        timeouts.count++;
        self.setTimeout(0);
      },
    });
    channel.setTimeout(10);
    channel.setTimeout(0);
    await passTime(30);
    expect(timeouts.count).toBe(0);
    channel.setTimeout(60_000);
    channel.setTimeout(10);
    await timeouts.reach(1);
    peer.write('active');
    await passTime(40);
    expect(timeouts.count).toBe(1);
  });

  it('count from before the connection on', async () => {
    const timeouts = new Calls();
    const { address } = await listenChannels(transport, family, {});
    const channel = Channel.connect({ ...address, transport } as ConnectTarget, {
      onTimeout: () => timeouts.count++,
    }).setTimeout(20);
    cleanup(() => {
      channel.destroy();
    });
    await timeouts.reach(1);
  });

  it('survive a collection of garbage', async () => {
    const timeouts = new Calls();
    const held = { peer: await withNetPeer(transport, family, { onTimeout: () => timeouts.count++ }) };
    held.peer.channel.setTimeout(20);
    const { peer } = held.peer;
    held.peer = { channel: {} as Channel, peer };
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      await nextTurn();
    }
    await timeouts.reach(1);
    peer.write('x');
    globalThis.gc?.();
    await timeouts.reach(2);
  });

  it('refuse what is no duration, on a closed channel too', async () => {
    const { channel } = await withNetPeer(transport, family, {});
    for (let round = 0; round < 2; round++) {
      for (const wrong of ['10', undefined, {}]) {
        expect(() => channel.setTimeout(wrong as never)).toThrow(
          expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
        );
      }
      for (const wrong of [-1, NaN, Infinity]) {
        expect(() => channel.setTimeout(wrong)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error);
      }
      channel.destroy();
      expect(channel.setTimeout(10)).toBe(channel);
    }
  });
});
