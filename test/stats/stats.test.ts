/** server.stats(): what is counted under traffic that is known to the byte. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { Server, Socket } from 'node:net';
import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ServerStats } from 'nearwire';
import { Channel, ChannelServer } from 'nearwire/channel';
import { createServer as createUwsgiServer } from 'nearwire/uwsgi';
import { duplexPair } from '../support/duplexes.js';
import { request, target } from '../support/http.js';
import { cleanup, closed, listen, nextTurn, pair, readBytes, socketPath, type Address } from '../support/sockets.js';
import { families, js, native, subjects, type Subject } from '../support/subjects.js';
import { until } from '../support/relays.js';

const MiB = 1024 * 1024;
/** node knows `blockList` as an option of servers from 22 on. */
const NODE_MAJOR = Number(process.versions.node.split('.')[0]);

function statsOf(server: object): ServerStats {
  return (server as { stats(): ServerStats }).stats();
}

const ours = subjects.filter(({ name }) => name !== 'node:net');
const everyWay = ours.flatMap((subject) => families.map((family) => ({ subject, family, name: subject.name })));

/** A connected client whose connection the server has seen. */
async function connected(subject: Subject, server: Server, address: Address): Promise<Socket> {
  const accepted = once(server, 'connection');
  const client = subject.connect(address);
  cleanup(() => {
    client.destroy();
  });
  await Promise.all([accepted, once(client, 'connect')]);
  return client;
}

describe.each(everyWay)('stats of a server: $name over $family', ({ subject, family }) => {
  it('counts connections and bytes, living and closed', async () => {
    const server = subject.createServer({}, (socket) => socket.on('data', (chunk: Buffer) => socket.write(chunk)));
    expect(statsOf(server)).toMatchObject({ transport: subject.name, accepted: 0, active: 0, bytesRead: 0 });
    const address = await listen(server, family);
    const first = await connected(subject, server, address);
    const second = await connected(subject, server, address);
    for (let i = 0; i < 10; i++) {
      first.write('0123456789');
      await readBytes(first, 10);
    }
    second.write('abc');
    await readBytes(second, 3);
    expect(statsOf(server)).toMatchObject({ accepted: 2, dropped: 0, active: 2, bytesRead: 103, bytesWritten: 103 });
    first.destroy();
    await until(() => statsOf(server).active === 1);
    expect(statsOf(server)).toMatchObject({ accepted: 2, active: 1, bytesRead: 103, bytesWritten: 103 });
    second.destroy();
    server.close();
    await once(server, 'close');
    expect(statsOf(server)).toMatchObject({ accepted: 2, active: 0, bytesRead: 103, bytesWritten: 103 });
  });

  it('goes on counting where it listens again', async () => {
    const server = subject.createServer({}, (socket) => socket.resume());
    for (let round = 1; round <= 2; round++) {
      const address = await listen(server, family);
      const client = await connected(subject, server, address);
      client.end('12345');
      await closed(client);
      await until(() => statsOf(server).active === 0);
      server.close();
      await once(server, 'close');
      expect(statsOf(server)).toMatchObject({ accepted: round, bytesRead: 5 * round });
    }
  });

  it('counts what maxConnections turns away', async () => {
    const server = subject.createServer();
    server.maxConnections = 1;
    const address = await listen(server, family);
    await connected(subject, server, address);
    for (let i = 0; i < 3; i++) {
      const dropped = once(server, 'drop');
      const client = subject.connect(address);
      client.on('error', () => undefined);
      await Promise.all([dropped, closed(client)]);
    }
    expect(statsOf(server)).toMatchObject({ accepted: 4, dropped: 3, active: 1 });
  });

  it('counts what http.Server answers', async () => {
    const server = subject.http.createServer({}, (_, response) => response.end('hello'));
    const address = await listen(server, family);
    const agent = subject.http.agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 5; i++) await request({ ...target(address), agent });
    const stats = statsOf(server);
    expect(stats).toMatchObject({ accepted: 1, active: 1 });
    expect(stats.bytesRead).toBeGreaterThan(5 * 'GET / HTTP/1.1\r\n\r\n'.length);
    expect(stats.bytesWritten).toBeGreaterThan(5 * 'HTTP/1.1 200 OK\r\n\r\nhello'.length);
  });
});

describe.each(ours)('stats of a server: $name', (subject) => {
  const { name: transport } = subject as { name: 'native' | 'js' };
  const kinds: Record<string, () => Server> = {
    'a net.Server': () => subject.createServer({}, (socket) => socket.resume()),
    'an http.Server': () => subject.http.createServer({}),
    'a uwsgi server': () => createUwsgiServer({ transport }, () => undefined),
  };

  it.each(Object.entries(kinds))('counts nothing that a program emits to %s', async (_, make) => {
    const server = make();
    await listen(server, 'unix');
    const other = subject.createServer();
    const address = await listen(other, 'unix');
    const accepted = once(other, 'connection') as Promise<[Socket]>;
    const client = subject.connect(address);
    const [theirs] = await accepted;
    const [far, near] = duplexPair();
    const ends = [near, theirs, far, client];
    for (const end of ends) end.on('error', () => undefined);
    for (const stream of [near, theirs]) server.emit('connection', stream);
    for (const end of [far, client]) end.write('GET');
    for (let turns = 0; turns < 5; turns++) await nextTurn();
    const nothing = { accepted: 0, dropped: 0, active: 0, bytesRead: 0, bytesWritten: 0 };
    expect(statsOf(server)).toMatchObject(nothing);
    for (const end of ends) end.destroy();
    await nextTurn();
    expect(statsOf(server)).toMatchObject(nothing);
  });

  it('counts once what a program emits to the server that has accepted it', async () => {
    const server = subject.createServer({}, (socket) => socket.resume());
    server.once('connection', (socket: Socket) => server.emit('connection', socket));
    const client = await connected(subject, server, await listen(server, 'unix'));
    client.end('12345');
    await closed(client);
    await until(() => statsOf(server).active === 0);
    expect(statsOf(server)).toMatchObject({ accepted: 1, bytesRead: 5 });
  });

  it('lets go of sockets that are closed', async () => {
    const server = subject.createServer({}, (socket) => socket.resume());
    const address = await listen(server, 'unix');
    const gone: WeakRef<Socket>[] = [];
    server.on('connection', (socket: Socket) => gone.push(new WeakRef(socket)));
    const visit = async (): Promise<void> => {
      const client = await connected(subject, server, address);
      client.end('x');
      await closed(client);
    };
    for (let i = 0; i < 200; i++) await visit();
    await until(() => statsOf(server).active === 0);
    expect(statsOf(server)).toMatchObject({ accepted: 200, bytesRead: 200 });
    await until(() => {
      (globalThis as { gc?: () => void }).gc?.();
      return gone.filter((socket) => socket.deref() !== undefined).length < 20;
    });
  });

  it('is there on a ChannelServer', async () => {
    const path = socketPath();
    const { name: transport } = subject as { name: 'native' | 'js' };
    const server = ChannelServer.listen(
      { path, transport },
      {
        onData(channel, data, start, end) {
          channel.write(data, start, end);
        },
      },
    );
    cleanup(() => {
      server.close();
    });
    await new Promise<void>((resolve) => {
      let rounds = 0;
      const client = Channel.connect(
        { path, transport },
        {
          onConnect: (channel) => channel.write('ping'),
          onData(channel) {
            if (++rounds < 50) channel.write('ping');
            else channel.destroy();
          },
          onClose() {
            resolve();
          },
        },
      );
      expect(client.transport).toBe(transport);
    });
    await until(() => statsOf(server).active === 0);
    expect(statsOf(server)).toMatchObject({ accepted: 1, bytesRead: 200, bytesWritten: 200 });
    if (transport === 'native') expect(statsOf(server)).toMatchObject({ messages: 50, sends: 50, partialSends: 0 });
    server.close();
    await nextTurn();
    expect(statsOf(server)).toMatchObject({ transport, accepted: 1, active: 0, bytesRead: 200 });
  });
});

describe('what only the engine sees', () => {
  it('counts messages, turns and system calls', async () => {
    const server = native.createServer({}, (socket) => socket.on('data', (chunk: Buffer) => socket.write(chunk)));
    const address = await listen(server, 'unix');
    const client = await connected(native, server, address);
    const before = statsOf(server);
    for (let i = 0; i < 100; i++) {
      client.write('ping');
      await readBytes(client, 4);
    }
    const after = statsOf(server);
    const since = (name: 'messages' | 'turns' | 'sends' | 'reads'): number =>
      (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN);
    expect([since('messages'), since('turns'), since('sends')]).toEqual([100, 100, 100]);
    expect(since('reads')).toBeGreaterThanOrEqual(100);
    expect(after.messagesPerTurn).toBeCloseTo((after.messages ?? 0) / (after.turns ?? 0), 10);
    expect(after).toMatchObject({ partialSends: 0, sendEagains: 0, waits: 0, waitMillis: 0 });
  });

  it('counts the messages of many connections in few turns', async () => {
    const server = native.createServer({}, (socket) => socket.resume());
    const address = await listen(server, 'unix');
    const clients: Socket[] = [];
    for (let i = 0; i < 20; i++) clients.push(await connected(native, server, address));
    const before = statsOf(server);
    for (let i = 0; i < 10; i++) {
      for (const client of clients) client.write('x');
      const expected = 20 * (i + 1);
      await until(() => statsOf(server).bytesRead === expected);
    }
    const turns = (statsOf(server).turns ?? 0) - (before.turns ?? 0);
    // Written together, and so found together: in one turn, or in two where the loop looked in between.
    expect(turns).toBeLessThanOrEqual(40);
    expect((statsOf(server).messages ?? 0) - (before.messages ?? 0)).toBe(200);
  });

  it.each(families)('counts what a reader that pauses does to the writer, over %s', async (family) => {
    const { client, peer, server } = await pair(native, family);
    client.pause();
    peer.write(Buffer.alloc(32 * MiB));
    await until(() => (statsOf(server).partialSends ?? 0) + (statsOf(server).sendEagains ?? 0) > 0);
    const waiting = statsOf(server);
    expect(waiting).toMatchObject({ waits: 1, active: 1 });
    expect(waiting.bytesWritten).toBeLessThan(32 * MiB);
    // It goes on waiting, and that is seen while it does.
    await until(() => (statsOf(server).waitMillis ?? 0) > (waiting.waitMillis ?? 0));
    const drained = once(peer, 'drain');
    client.resume();
    await drained;
    const after = statsOf(server);
    expect(after.bytesWritten).toBe(32 * MiB);
    expect(after.partialSends).toBeGreaterThan(0);
    expect(after.waits).toBeGreaterThan(1);
    expect(after.sends).toBeGreaterThanOrEqual((after.partialSends ?? 0) + (after.sendEagains ?? 0));
    const { waitMillis } = after;
    await nextTurn();
    expect(statsOf(server).waitMillis).toBe(waitMillis);
  });

  it('keeps what closed connections have counted', async () => {
    const { client, peer, server } = await pair(native, 'unix');
    client.pause();
    peer.write(Buffer.alloc(8 * MiB));
    await until(() => (statsOf(server).waits ?? 0) > 0);
    const before = statsOf(server);
    peer.destroy();
    await closed(peer);
    const after = statsOf(server);
    expect(after).toMatchObject({ active: 0, waits: 1, partialSends: before.partialSends });
    expect(after.waitMillis).toBeGreaterThanOrEqual(before.waitMillis ?? Number.NaN);
    await nextTurn();
    expect(statsOf(server).waitMillis).toBe(after.waitMillis);
  });

  it('tells what js can not see by undefined', () => {
    const stats = statsOf(js.createServer());
    for (const name of ['shed', 'turns', 'messages', 'messagesPerTurn', 'sends', 'partialSends', 'waits'] as const) {
      expect(stats[name]).toBeUndefined();
    }
    expect(stats.queueHighWater).toBeUndefined();
  });

  it('sees how many connections waited to be accepted', async () => {
    const server = native.createServer();
    const address = await listen(server, 'unix');
    const clients: Socket[] = [];
    // All of one turn: the queue has them before the loop comes to accept.
    for (let i = 0; i < 40; i++) clients.push(native.connect(address));
    cleanup(() => {
      for (const client of clients) client.destroy();
    });
    await until(() => statsOf(server).accepted === 40);
    expect(statsOf(server).queueHighWater).toBe(40);
  });

  it.skipIf(NODE_MAJOR < 22)('counts a connection that the block list turns away', async () => {
    const blockList = new BlockList();
    blockList.addAddress('127.0.0.1');
    const server = native.createServer({ blockList } as object);
    const client = native.connect(await listen(server, 'tcp'));
    client.on('error', () => undefined);
    await closed(client);
    expect(statsOf(server)).toMatchObject({ accepted: 1, dropped: 1, active: 0 });
  });
});

it('tells of an http.Server that was attached', async () => {
  const server = native.http.attach(http.createServer((_, response) => response.end('ok')));
  const address = await listen(server, 'unix');
  await request({ ...target(address), agent: false });
  expect(statsOf(server)).toMatchObject({ transport: 'native', accepted: 1 });
});
