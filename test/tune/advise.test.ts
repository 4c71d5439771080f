/** advise(): what it says of servers whose readers are slow, and of others. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Channel, ChannelServer } from 'nearwire/channel';
import { advise, getSocketOptions, type Advice } from 'nearwire/tune';
import { hasDiagnosis } from '../support/listeners.js';
import { cleanup, closed, listen, pair, socketPath, type Address } from '../support/sockets.js';
import { native, subjects, type Subject } from '../support/subjects.js';
import { until } from '../support/relays.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A server that sends so many bytes for each byte that it gets. */
async function answering(subject: Subject, size: number, options: object = {}): Promise<[Server, Address]> {
  const body = Buffer.alloc(size, 'x');
  const server = subject.createServer(options, (socket) => socket.on('data', () => socket.write(body)));
  return [server, await listen(server, 'unix')];
}

/** Asks again and again, and reads so many bytes every few milliseconds, until told to stop. */
async function ask(socket: Socket, size: number, pace: number, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    socket.write('?');
    let left = size;
    while (left > 0) {
      // Never more than there is: who waits for the rest is told 'readable' again and again, before any of it is read.
      const chunk = socket.read(Math.min(left, pace, socket.readableLength || 1)) as Buffer | null;
      if (chunk === null) {
        await once(socket, 'readable');
        continue;
      }
      left -= chunk.length;
      // What makes the reader slow; nothing waits for it to have passed.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** The advice for a server under a reader that takes `pace` bytes every two milliseconds. */
async function adviceFor(
  subject: Subject,
  [server, address]: [Server, Address],
  size: number,
  pace: number,
  readers = 2,
): Promise<Advice> {
  const clients: Socket[] = [];
  for (let i = 0; i < readers; i++) {
    const accepted = once(server, 'connection');
    const client = subject.connect(address);
    cleanup(() => {
      client.destroy();
    });
    clients.push(client);
    await accepted;
  }
  let goesOn = true;
  const reading = clients.map((client) => ask(client, size, pace, () => goesOn));
  const advice = await advise(server, { duration: 700 });
  goesOn = false;
  await Promise.all(reading);
  return advice;
}

describe.each(subjects)('advise on a server: $name', (subject) => {
  it('finds a larger send buffer for 1 MiB and slow readers', async () => {
    const { sendBufferSize, notObserved } = await adviceFor(subject, await answering(subject, MiB), MiB, 32 * KiB);
    expect(sendBufferSize.reason).toContain('set sendBufferSize to');
    expect(sendBufferSize.change).toBe(true);
    expect(sendBufferSize.recommended).toBeGreaterThanOrEqual(MiB);
    expect(sendBufferSize.recommended).toBeLessThanOrEqual(2 * MiB);
    expect(sendBufferSize.recommended).toBeGreaterThan(sendBufferSize.current ?? Infinity);
    const { evidence } = sendBufferSize;
    expect(evidence.source).toBe(subject.name === 'native' ? 'engine' : 'samples');
    expect(evidence.waiting).toBeGreaterThan(0.01);
    expect(evidence.answers?.typical).toBeGreaterThanOrEqual(MiB);
    expect(evidence.duration).toBeGreaterThanOrEqual(690);
    expect(evidence.connections).toBe(2);
    expect(notObserved.length).toBe((subject.name === 'native' ? 0 : 1) + (hasDiagnosis ? 0 : 1));
  });

  it('says that 1 KiB is no reason to change anything', async () => {
    const { sendBufferSize, backlog } = await adviceFor(subject, await answering(subject, KiB), KiB, KiB);
    expect(sendBufferSize).toMatchObject({ change: false, setting: undefined });
    expect(sendBufferSize.reason).toContain('it would not matter, because the kernel took everything sent at once');
    expect(sendBufferSize.recommended).toBe(sendBufferSize.current);
    expect(sendBufferSize.evidence.bytesSent).toBeGreaterThan(0);
    if (hasDiagnosis) expect(backlog).toMatchObject({ change: false, current: 511 });
    else expect(backlog).toBeUndefined();
  });

  it('says that nothing was sent', async () => {
    const server = subject.createServer();
    await listen(server, 'unix');
    const { sendBufferSize } = await advise(server, { duration: 50 });
    expect(sendBufferSize).toMatchObject({ change: false });
    expect(sendBufferSize.reason).toContain('nothing was sent');
  });

  it('tells of one connection', async () => {
    const { client, peer } = await pair(subject, 'unix');
    let goesOn = true;
    peer.on('data', () => peer.write(Buffer.alloc(MiB)));
    const reading = ask(client, MiB, 32 * KiB, () => goesOn);
    const { sendBufferSize, backlog } = await advise(peer, { duration: 500 });
    goesOn = false;
    await reading;
    expect(sendBufferSize.change).toBe(true);
    expect(sendBufferSize.recommended).toBeGreaterThanOrEqual(MiB);
    expect(sendBufferSize.evidence.connections).toBe(1);
    expect(backlog).toBeUndefined();
  });

  it('ends with the connection', async () => {
    const { client, peer } = await pair(subject, 'unix');
    const watching = advise(peer, { duration: 3_600_000 });
    client.destroy();
    await closed(peer);
    expect((await watching).sendBufferSize.change).toBe(false);
  });
});

describe('advise', () => {
  it('is content when its advice has been taken', async () => {
    const slow = await adviceFor(native, await answering(native, MiB), MiB, 32 * KiB);
    const { setting, recommended } = slow.sendBufferSize;
    if (setting === undefined || !('sendBufferSize' in setting)) throw new Error(slow.sendBufferSize.reason);
    const options = { sendBufferSize: setting.sendBufferSize };
    const again = await adviceFor(native, await answering(native, MiB, options), MiB, 32 * KiB);
    expect(again.sendBufferSize.reason).toContain('no change');
    expect(again.sendBufferSize.current).toBe(recommended);
    expect(again.sendBufferSize.evidence.waits).toBe(0);
  });

  it('says that readers are the limit of an endless stream', async () => {
    const { client, peer, server } = await pair(native, 'unix');
    const chunk = Buffer.alloc(64 * KiB);
    const more = (): void => {
      for (let i = 0; i < 64 && peer.write(chunk); i++);
    };
    peer.on('drain', more);
    peer.on('error', () => undefined);
    client.pause();
    // 32 MiB have been written before it is watched: no buffer holds that.
    peer.write(Buffer.alloc(32 * MiB));
    const { sendBufferSize } = await advise(server, { duration: 200 });
    expect(sendBufferSize.reason).toContain('the readers are the limit');
    expect(sendBufferSize.change).toBe(false);
    client.destroy();
    await closed(peer);
  });

  it.skipIf(!hasDiagnosis)('sees that the queue was nearly full', async () => {
    const server = native.createServer((() => undefined) as never);
    const path = socketPath();
    server.listen({ path, backlog: 16 });
    cleanup(() => server.close());
    await once(server, 'listening');
    const watching = advise(server, { duration: 100 });
    const clients = Array.from({ length: 15 }, () => native.connect({ path }));
    cleanup(() => {
      for (const client of clients) client.destroy();
    });
    await Promise.all(clients.map((client) => once(client, 'connect')));
    const { backlog } = await watching;
    expect(backlog).toMatchObject({ change: true, current: 16, recommended: 32, setting: { backlog: 32 } });
    expect(backlog?.reason).toContain('at most 15 connections were seen waiting, and the backlog is 16');
  });

  it('watches a ChannelServer and a Channel', async () => {
    const path = socketPath();
    const body = Buffer.alloc(MiB);
    let accepted: Channel | undefined;
    const server = ChannelServer.listen(
      { path, transport: 'native' },
      { onConnection: (channel) => (accepted = channel), onData: (channel) => channel.write(body) },
    );
    cleanup(() => {
      server.close();
    });
    const client = native.connect({ path });
    cleanup(() => {
      client.destroy();
    });
    await once(client, 'connect');
    await until(() => accepted !== undefined);
    let goesOn = true;
    const reading = ask(client, MiB, 32 * KiB, () => goesOn);
    const [ofServer, ofChannel] = await Promise.all([
      advise(server, { duration: 600 }),
      advise(accepted as unknown as Channel, { duration: 600 }),
    ]);
    goesOn = false;
    await reading;
    expect(ofServer.sendBufferSize).toMatchObject({ change: true });
    expect(ofChannel.sendBufferSize).toMatchObject({ change: true });
    expect(ofServer.sendBufferSize.current).toBe(getSocketOptions(accepted as unknown as Channel).sendBufferSize);
  });

  it('can be stopped', async () => {
    const server = native.createServer();
    await listen(server, 'unix');
    const controller = new AbortController();
    const watching = advise(server, { duration: 3_600_000, signal: controller.signal });
    controller.abort();
    await expect(watching).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    await expect(advise(server, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORT_ERR' });
  });

  it('refuses wrong arguments', () => {
    const server = native.createServer();
    const wrong: [unknown, unknown, string][] = [
      [undefined, {}, 'ERR_INVALID_ARG_TYPE'],
      [{}, {}, 'ERR_INVALID_ARG_TYPE'],
      [5, {}, 'ERR_INVALID_ARG_TYPE'],
      [server, null, 'ERR_INVALID_ARG_TYPE'],
      [server, { duration: '1' }, 'ERR_INVALID_ARG_TYPE'],
      [server, { duration: 0 }, 'ERR_OUT_OF_RANGE'],
      [server, { duration: 0.5 }, 'ERR_OUT_OF_RANGE'],
      [server, { signal: {} }, 'ERR_INVALID_ARG_TYPE'],
      [server, {}, 'ERR_NEARWIRE_NOT_OPEN'],
      [native.socket(), {}, 'ERR_NEARWIRE_NOT_OPEN'],
    ];
    for (const [target, options, code] of wrong) {
      expect(() => advise(target as Server, options as object)).toThrow(expect.objectContaining({ code }) as Error);
    }
  });
});
