/** Handlers of channels that throw lose nothing. */
import { describe, expect, it } from 'vitest';
import { Channel } from 'nearwire/channel';
import { channelWays, listenChannels, transports } from '../support/channels.js';
import { nextTurn, pattern } from '../support/sockets.js';
import { onUncaught } from '../support/uncaught.js';

const MIB = 1024 * 1024;
/** With this send buffer no kernel takes so much at once. */
const LONG = 12 * MIB;
const SEND_BUFFER = 64 * 1024;

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
        { sendBufferSize: SEND_BUFFER, allowSmallBuffers: true },
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
