/** `cork()`: what is written leaves together, later, and is lost to nobody. */
import { setTimeout as rest } from 'node:timers';
import { describe, expect, it } from 'vitest';
import { Page } from 'nearwire';
import { Channel, type ConnectTarget } from 'nearwire/channel';
import { channelWays, fillChannel, listenChannels, readNow, withNetPeer, withNetPeers } from '../support/channels.js';
import { failure, testFile } from '../support/files.js';
import { cleanup, nextTurn, pattern, readAll } from '../support/sockets.js';
import { onUncaught } from '../support/uncaught.js';

const MIB = 1024 * 1024;

async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}

describe.each(channelWays)('a corked $transport channel over $family', ({ transport, family }) => {
  it('sends what several iterations write with one system call', async () => {
    let drains = 0;
    const { channel, peer } = await withNetPeer(transport, family, { onDrain: () => drains++ });
    const expected: Buffer[] = [];
    channel.cork();
    for (let i = 0; i < 300; i++) {
      const bytes = pattern(40, i);
      expected.push(bytes);
      expect(channel.write(bytes)).toBe(false);
      if (i % 50 === 0) await nextTurn();
    }
    channel.flush();
    await new Promise((resolve) => rest(resolve, 1));
    expect(readNow(peer)).toHaveLength(0);
    expect(channel.bufferedAmount).toBe(300 * 40);
    expect(drains).toBe(0);
    const before = channel.counters.sends;
    channel.uncork();
    expect(readNow(peer).equals(Buffer.concat(expected))).toBe(true);
    if (transport === 'native') expect(channel.counters.sends - before).toBe(1);
    expect(channel.bufferedAmount).toBe(0);
    await turns();
    expect(drains).toBe(1);
    expect(channel.write('as ever')).toBe(true);
  });

  it('nests, and is uncorked no more often than corked', async () => {
    const { channel, peer } = await withNetPeer(transport, family, {});
    channel.uncork();
    channel.cork();
    channel.cork();
    channel.write('a');
    channel.uncork();
    channel.writev(['b', Buffer.from('c')]);
    await turns();
    expect(readNow(peer).toString()).toBe('');
    channel.uncork();
    channel.uncork();
    await turns();
    expect(readNow(peer).toString()).toBe('abc');
    channel.write('d');
    await turns();
    expect(readNow(peer).toString()).toBe('d');
  });

  it('keeps the order of strings, Buffers, pages and files, and copies what it is to', async () => {
    const file = testFile(50_000);
    const large = pattern(20_000, 7);
    const page = Page.from(pattern(40_000, 8));
    const small = Buffer.from('small');
    const { channel, peer } = await withNetPeer(transport, family, {});
    channel.write('before ');
    channel.cork();
    channel.write(small);
    small.fill('?');
    channel.write(large);
    const sent = channel.sendFile(file.path);
    channel.write(page);
    channel.write('page ', 0, 1);
    channel.write(page, 100, 200);
    const missing = failure(channel.sendFile('/no/such/file', { end: 9 }));
    channel.write('');
    channel.write('last');
    await turns();
    expect(readNow(peer).toString()).toBe('before ');
    channel.uncork();
    channel.end();
    const received = await readAll(peer.resume());
    await sent;
    expect(await missing).toMatchObject({ code: 'ENOENT' });
    const parts = ['small', large, file.bytes, page, 'page ', page.subarray(100, 200), 'last'];
    expect(received.equals(Buffer.concat(parts.map((part) => Buffer.from(part as string))))).toBe(true);
  });

  it('copies what onData lends', async () => {
    let messages = 0;
    const { channel, peer } = await withNetPeer(transport, family, {
      onData(self, data, start, end) {
        messages++;
        self.write(data, start, end);
      },
    });
    channel.cork();
    for (const text of ['one ', 'two ', 'three']) {
      const before = messages;
      peer.write(text);
      while (messages === before) await nextTurn();
    }
    expect(readNow(peer)).toHaveLength(0);
    channel.uncork();
    await turns();
    expect(readNow(peer).toString()).toBe('one two three');
  });

  it('stays so when a handler throws in between', async () => {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    const { channel, peer } = await withNetPeer(transport, family, {
      onData(self) {
        self.write('of the handler ');
        throw new Error('in onData');
      },
    });
    channel.cork();
    channel.write('first ');
    peer.write('x');
    while (uncaught.length === 0) await nextTurn();
    await turns();
    expect(readNow(peer)).toHaveLength(0);
    channel.write('last');
    channel.uncork();
    await turns();
    expect(readNow(peer).toString()).toBe('first of the handler last');
    expect(uncaught).toEqual(['in onData']);
  });

  it.each(['end', 'destroy'] as const)('sends what it holds at %s()', async (how) => {
    const calls: string[] = [];
    const { channel, peer } = await withNetPeer(transport, family, {
      onDrain: () => calls.push('onDrain'),
      onError: (_, { message }) => calls.push(message),
      onClose: (_, hadError) => calls.push(`onClose ${String(hadError)}`),
    });
    channel.cork();
    channel.cork();
    channel.write('what was ');
    await turns();
    channel.write('written');
    channel[how]();
    channel.cork();
    channel.uncork();
    peer.resume().end();
    expect((await readAll(peer)).toString()).toBe('what was written');
    while (!calls.includes('onClose false')) await nextTurn();
    expect(channel.counters.bytesWritten).toBe(16);
    if (how === 'destroy') expect(calls).toEqual(['onClose false']);
  });

  it('answers a FIN with all that it holds, where there is no onEnd', async () => {
    const { channel, peer } = await withNetPeer(transport, family, {});
    channel.cork();
    channel.write('held');
    peer.end();
    expect((await readAll(peer.resume())).toString()).toBe('held');
    while (!channel.closed) await nextTurn();
  });

  it('sends the beginning of what it holds, and no hole, if it is destroyed before a peer that does not read', async () => {
    let closed = 0;
    const { channel, peer } = await withNetPeer(transport, family, { onClose: () => closed++ });
    const expected = [pattern(3000, 1), pattern(12 * MIB, 2), pattern(3000, 3)];
    channel.cork();
    for (const part of expected) channel.write(part);
    const file = testFile(100);
    const sent = failure(channel.sendFile(file.path));
    channel.destroy();
    expect(await sent).toBeInstanceOf(Error);
    while (closed === 0) await nextTurn();
    const received = await readAll(peer.resume());
    expect(received.length).toBeGreaterThan(3000);
    expect(received.equals(Buffer.concat(expected).subarray(0, received.length))).toBe(true);
  });

  it('goes behind what the kernel has no room for, and drains once', async () => {
    let drains = 0;
    const { channel, peer } = await withNetPeer(transport, family, { onDrain: () => drains++ });
    const filled = fillChannel(channel);
    channel.cork();
    channel.write('corked');
    const first = readNow(peer);
    await turns();
    expect(drains).toBe(0);
    channel.uncork();
    channel.end();
    const rest = await readAll(peer.resume());
    expect(first.length + rest.length).toBe(filled + 6);
    expect(rest.subarray(-6).toString()).toBe('corked');
    while (drains === 0) await nextTurn();
    expect(drains).toBe(1);
  });

  it('drains while it holds nothing', async () => {
    let drains = 0;
    const { channel, peer } = await withNetPeer(transport, family, { onDrain: () => drains++ });
    fillChannel(channel);
    channel.cork();
    while (drains === 0) {
      readNow(peer);
      await nextTurn();
    }
    channel.uncork();
    await turns();
    expect(drains).toBe(1);
  });

  it.each(['before', 'after'] as const)('may be corked while it connects, and uncorked %s it has', async (when) => {
    let received = '';
    let connected = 0;
    const { address } = await listenChannels(transport, family, {
      onData: (_, data, start, end) => (received += data.toString('latin1', start, end)),
    });
    const channel = Channel.connect({ ...address, transport } as ConnectTarget, {
      onConnect: () => connected++,
    });
    cleanup(() => {
      channel.destroy();
    });
    channel.cork();
    channel.write('hel');
    channel.write('lo');
    if (when === 'before') {
      channel.uncork();
    } else {
      while (connected === 0) await nextTurn();
      await turns();
      expect(received).toBe('');
      channel.uncork();
    }
    while (received.length < 5) await nextTurn();
    expect(received).toBe('hello');
  });

  it('tells of a peer that is gone: what it held is lost, and said to be', async () => {
    const calls: string[] = [];
    const { channel, peer } = await withNetPeer(transport, family, {
      onEnd: () => undefined,
      onError: () => calls.push('onError'),
      onClose: (_, hadError) => calls.push(`onClose ${String(hadError)}`),
    });
    channel.cork();
    channel.write(Buffer.alloc(100_000));
    if (family === 'tcp') peer.resetAndDestroy();
    else peer.destroy();
    await turns();
    // A reset may have been told of already; a UNIX socket's end is known by the write.
    channel.uncork();
    while (calls.length < 2) await nextTurn();
    expect(calls).toEqual(['onError', 'onClose true']);
    channel.cork();
    expect(channel.write('late')).toBe(false);
    channel.uncork();
    expect(channel.bufferedAmount).toBe(0);
  });

  it('holds nobody else', async () => {
    const { peers } = await withNetPeers(2, transport, family, {
      onData(self) {
        self.write('answer');
      },
    });
    const [one, other] = peers as [(typeof peers)[0], (typeof peers)[0]];
    one.channel.cork();
    one.peer.write('x');
    other.peer.write('x');
    await turns(20);
    expect(readNow(one.peer).toString()).toBe('');
    expect(readNow(other.peer).toString()).toBe('answer');
    one.channel.uncork();
    await turns();
    expect(readNow(one.peer).toString()).toBe('answer');
  });
});
