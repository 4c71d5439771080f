/** What a channel tells of failures, where the peer does not make it easy. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Channel } from 'nearwire/channel';
import { transports, withNetPeer } from '../support/channels.js';
import { failure, testFile } from '../support/files.js';
import { nextTurn } from '../support/sockets.js';
import { native } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

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
      void failure(channel.sendFile(path)).then((error) => errors.push(error?.code));
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
