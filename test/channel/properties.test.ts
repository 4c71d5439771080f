/** What a channel says of itself: addresses, `closed`, `bufferedAmount`. */
import { describe, expect, it } from 'vitest';
import { Channel, type ConnectTarget } from 'nearwire/channel';
import { inspect } from 'nearwire/tune';
import { channelWays, fillChannel, listenChannels, readNow, withNetPeer, withNetPeers } from '../support/channels.js';
import { testFile } from '../support/files.js';
import { hasDiagnosis } from '../support/listeners.js';
import { cleanup, nextTurn, readAll, socketPath } from '../support/sockets.js';
import { opensFilesAtOnce } from '../support/subjects.js';

const NAMES = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily'] as const;

function namesOf(channel: Channel): unknown[] {
  return NAMES.map((name) => channel[name]);
}

describe.each(channelWays)('a $transport channel over $family', ({ transport, family }) => {
  it('has the addresses that node:net tells', async () => {
    const { channel, peer } = await withNetPeer(transport, family, {});
    const mirrored = [
      peer.localAddress,
      peer.localPort,
      peer.localFamily,
      peer.remoteAddress,
      peer.remotePort,
      peer.remoteFamily,
    ];
    if (family === 'unix') expect(mirrored).toEqual(NAMES.map(() => undefined));
    expect(namesOf(channel)).toEqual(mirrored);
    channel.destroy();
    // What has been asked for of the peer is known after the end.
    const known = [...mirrored.slice(0, 3), undefined, undefined, undefined];
    expect(namesOf(channel)).toEqual(known);
    await nextTurn();
    expect(namesOf(channel)).toEqual(known);
  });

  it('has no addresses once it is closed, if nobody has asked', async () => {
    const { channel } = await withNetPeer(transport, family, {});
    channel.destroy();
    await nextTurn();
    expect(namesOf(channel)).toEqual(NAMES.map(() => undefined));
  });

  it('learns its peer when it connects', async () => {
    const { address } = await listenChannels(transport, family, {});
    let names: unknown[] | undefined;
    const channel = Channel.connect({ ...address, transport } as ConnectTarget, {
      onConnect(self) {
        names = namesOf(self);
      },
    });
    cleanup(() => {
      channel.destroy();
    });
    if (transport === 'js') expect(channel.remotePort).toBeUndefined();
    while (names === undefined) await nextTurn();
    const port = channel.localPort;
    const known = [address.host, address.port, 'IPv4', '127.0.0.1', port, 'IPv4'];
    expect(names).toEqual(family === 'tcp' ? known : NAMES.map(() => undefined));
    if (family === 'tcp') expect(port).toBeGreaterThan(0);
  });

  it.runIf(hasDiagnosis && family === 'unix')('has a peer with a process id', async () => {
    const { channel } = await withNetPeer(transport, family, {});
    expect(inspect(channel).peer).toMatchObject({ pid: process.pid, uid: process.getuid?.() });
  });

  it('is closed from destroy() on', async () => {
    let told: boolean | undefined;
    const { channel, peer } = await withNetPeer(transport, family, { onClose: (self) => (told = self.closed) });
    expect(channel.closed).toBe(false);
    peer.end();
    channel.write('x');
    expect(channel.closed).toBe(false);
    channel.destroy();
    expect(channel.closed).toBe(true);
    while (told === undefined) await nextTurn();
    expect(told).toBe(true);
  });

  it('is closed once both sides have ended, not before', async () => {
    let ended: boolean | undefined;
    const { channel, peer } = await withNetPeer(transport, family, { onEnd: (self) => (ended = self.closed) });
    channel.end();
    await readAll(peer.resume());
    expect(channel.closed).toBe(false);
    peer.end();
    while (!channel.closed) await nextTurn();
    expect(ended).toBe(false);
  });

  it('is closed where a connect has failed', async () => {
    const target = family === 'unix' ? { path: socketPath() } : { host: '127.0.0.1', port: 1 };
    const channel = await new Promise<Channel>((resolve) => {
      Channel.connect({ ...target, transport }, { onError: resolve });
    });
    expect(channel.closed).toBe(true);
    expect(channel.ref().unref()).toBe(channel);
    expect(namesOf(channel)).toEqual(NAMES.map(() => undefined));
  });

  it('counts what the kernel has not taken', async () => {
    let drains = 0;
    const { channel, peer } = await withNetPeer(transport, family, { onDrain: () => drains++ });
    expect(channel.bufferedAmount).toBe(0);
    channel.write('at once');
    await nextTurn();
    expect(channel.bufferedAmount).toBe(0);
    const written = 7 + fillChannel(channel, 100_000);
    const { bufferedAmount } = channel;
    expect(bufferedAmount).toBeGreaterThan(0);
    expect(bufferedAmount).toBeLessThanOrEqual(written);
    if (transport === 'native') expect(bufferedAmount).toBe(written - channel.counters.bytesWritten);
    channel.write('12345');
    expect(channel.bufferedAmount).toBe(bufferedAmount + 5);
    while (drains === 0) {
      readNow(peer);
      await nextTurn();
    }
    expect(channel.bufferedAmount).toBe(0);
    fillChannel(channel);
    channel.destroy();
    expect(channel.bufferedAmount).toBe(0);
  });

  it('counts a file that waits', async () => {
    const { channel, peer } = await withNetPeer(transport, family, {});
    channel.cork();
    const sent = channel.sendFile(testFile(1000).path);
    channel.write('12');
    // Where another thread opens it, or node:net in its turn among the writes, its length is not known yet.
    expect(channel.bufferedAmount).toBe(transport === 'native' && opensFilesAtOnce() ? 1002 : 2);
    channel.uncork();
    peer.resume();
    await sent;
    await nextTurn();
    expect(channel.bufferedAmount).toBe(0);
  });

  it('counts what a handler has written, whatever others write after it', async () => {
    const amounts: number[] = [];
    const { peers } = await withNetPeers(2, transport, family, {
      onData() {
        const [one, other] = peers as [(typeof peers)[0], (typeof peers)[0]];
        one.channel.write('abc');
        one.channel.write('de');
        amounts.push(one.channel.bufferedAmount);
        other.channel.write(Buffer.alloc(9000));
        amounts.push(one.channel.bufferedAmount);
        one.channel.flush();
        amounts.push(one.channel.bufferedAmount);
      },
    });
    peers[0]?.peer.write('x');
    while (amounts.length < 3) await nextTurn();
    // node:net hands over each write; natively the first may have left, where nobody else could be waited for, and both
    // after a handler that took long.
    expect(transport === 'js' ? [0] : [0, 2, 5]).toContain(amounts[0]);
    expect(amounts).toEqual([amounts[0], amounts[0], 0]);
  });
});
