/** The diagnostics channels: nearwire:connection, nearwire:drop, nearwire:close. */
import * as diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CloseEvent, ConnectionEvent, DropEvent, ServerStats } from 'nearwire';
import { Channel, ChannelServer } from 'nearwire/channel';
import { rawRequest } from '../support/http.js';
import { cleanup, closed, listen, pair, readBytes, socketPath, type Address } from '../support/sockets.js';
import { families, native, subjects, type Subject } from '../support/subjects.js';
import { until } from '../support/relays.js';
import { askRaw, open, packet } from '../support/uwsgi/packets.js';
import { serveUwsgi } from '../support/uwsgi/serve.js';

const ours = subjects.filter(({ name }) => name !== 'node:net');
const everyWay = ours.flatMap((subject) => families.map((family) => ({ subject, family, name: subject.name })));

/** What is published while the test runs. */
function heard<T>(name: string): T[] {
  const events: T[] = [];
  const note = (event: unknown): void => {
    events.push(event as T);
  };
  diagnostics.subscribe(name, note);
  cleanup(() => diagnostics.unsubscribe(name, note));
  return events;
}

async function connected(subject: Subject, server: Server, address: Address): Promise<[Socket, Socket]> {
  const accepted = once(server, 'connection');
  const client = subject.connect(address);
  cleanup(() => {
    client.destroy();
  });
  const [[peer]] = (await Promise.all([accepted, once(client, 'connect')])) as [[Socket], unknown];
  return [client, peer];
}

describe.each(everyWay)('events: $name over $family', ({ subject, family }) => {
  it('tell of connections and their ends', async () => {
    const [connections, closes] = [heard<ConnectionEvent>('nearwire:connection'), heard<CloseEvent>('nearwire:close')];
    const server = subject.createServer({}, (socket) => socket.on('data', (chunk: Buffer) => socket.write(chunk)));
    const order: string[] = [];
    const noteConnection = (): void => {
      order.push('nearwire:connection');
    };
    diagnostics.subscribe('nearwire:connection', noteConnection);
    cleanup(() => diagnostics.unsubscribe('nearwire:connection', noteConnection));
    server.on('connection', () => order.push('connection'));
    const address = await listen(server, family);
    const [client, peer] = await connected(subject, server, address);
    expect(order).toEqual(['nearwire:connection', 'connection']);
    expect(connections).toEqual([{ server, socket: peer }]);
    client.write('12345');
    await readBytes(client, 5);
    expect(closes).toEqual([]);
    let toldBefore = 0;
    peer.on('close', () => (toldBefore = closes.length));
    client.end();
    await closed(peer);
    expect(toldBefore).toBe(1);
    expect(closes).toHaveLength(1);
    expect(closes[0]).toMatchObject({ stats: { bytesRead: 5, bytesWritten: 5 } });
    expect(closes[0]?.server).toBe(server);
    expect(closes[0]?.socket).toBe(peer);
    const { sends, waits } = closes[0]?.stats ?? {};
    expect([sends, waits]).toEqual(subject.name === 'native' ? [1, 0] : [undefined, undefined]);
  });

  it('tell of what was turned away', async () => {
    const [connections, drops] = [heard<ConnectionEvent>('nearwire:connection'), heard<DropEvent>('nearwire:drop')];
    const { server, address } = await pair(subject, family);
    server.maxConnections = 1;
    const dropped = once(server, 'drop');
    const client = subject.connect(address);
    client.on('error', () => undefined);
    await Promise.all([dropped, closed(client)]);
    expect(drops).toEqual([{ server, reason: 'maxConnections' }]);
    expect(connections).toHaveLength(1);
  });

  it('tell of no client', async () => {
    const closes = heard<CloseEvent>('nearwire:close');
    const { client, peer } = await pair(subject, family);
    client.destroy();
    await Promise.all([closed(client), closed(peer)]);
    expect(closes.map(({ socket }) => socket)).toEqual([peer]);
  });
});

describe.each(['native', 'js'] as const)('events of a ChannelServer: %s', (transport) => {
  it('tell the same', async () => {
    const [connections, closes] = [heard<ConnectionEvent>('nearwire:connection'), heard<CloseEvent>('nearwire:close')];
    const path = socketPath();
    const accepted: Channel[] = [];
    const server = ChannelServer.listen(
      { path, transport },
      {
        onConnection: (channel) => accepted.push(channel),
        onData(channel, data, start, end) {
          channel.write(data, start, end);
        },
      },
    );
    cleanup(() => {
      server.close();
    });
    Channel.connect(
      { path, transport },
      {
        onConnect: (channel) => channel.write('hello'),
        onData(channel) {
          channel.end();
        },
      },
    );
    await until(() => closes.length > 0);
    expect(connections).toEqual([{ server, socket: accepted[0] }]);
    expect(closes).toHaveLength(1);
    expect(closes[0]?.socket).toBe(accepted[0]);
    expect(closes[0]?.server).toBe(server);
    expect(closes[0]?.stats).toMatchObject({ bytesRead: 5, bytesWritten: 5 });
  });
});

describe.each(everyWay)('events of an http server: $name over $family', ({ subject, family }) => {
  it('tell of connections and their ends', async () => {
    const [connections, closes] = [heard<ConnectionEvent>('nearwire:connection'), heard<CloseEvent>('nearwire:close')];
    const sockets: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      sockets.push(req.socket);
      res.end('x');
    });
    const address = await listen(server, family);
    await rawRequest(subject, address, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await until(() => closes.length === 1);
    expect(connections).toEqual([{ server, socket: sockets[0] }]);
    expect(closes[0]).toMatchObject({ server, socket: sockets[0] });
  });
});

describe.each(['native', 'js'] as const)('events of a uwsgi server: %s', (transport) => {
  it('tell the same of its connections, and before their own', async () => {
    const [connections, closes] = [heard<ConnectionEvent>('nearwire:connection'), heard<CloseEvent>('nearwire:close')];
    const order: string[] = [];
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end('hello'));
    server.on('connection', (socket: Socket) => {
      order.push(`${String(connections.length)} connection`);
      if (connections.length === 1) socket.on('close', () => order.push(`${String(closes.length)} close`));
    });
    const sockets: unknown[] = [];
    server.on('request', (req: IncomingMessage) => sockets.push(req.socket));
    const request = packet();
    const answer = await askRaw(target, request);
    await until(() => closes.length === 1);
    // One whose end nobody listens to.
    await askRaw(target, request);
    await until(() => closes.length === 2);
    expect(order).toEqual(['1 connection', '1 close', '2 connection']);
    expect(connections.map((event) => event.server)).toEqual([server, server]);
    expect(connections.map((event) => event.socket)).toEqual(sockets);
    expect(closes.map((event) => event.socket)).toEqual(sockets);
    for (const { server: told, stats } of closes) {
      expect(told).toBe(server);
      expect(stats).toMatchObject({ bytesRead: request.length, bytesWritten: answer.length });
      expect([stats.sends, stats.waits]).toEqual(transport === 'native' ? [1, 0] : [undefined, undefined]);
    }
  });

  it('tell of a connection without a request, and of one that was turned away', async () => {
    const [closes, drops] = [heard<CloseEvent>('nearwire:close'), heard<DropEvent>('nearwire:drop')];
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end('hello'));
    server.maxConnections = 1;
    const accepted = once(server, 'connection');
    const idle = await open(target);
    await accepted;
    const dropped = once(server, 'drop');
    const other = await open(target);
    await dropped;
    expect(drops).toEqual([{ server, reason: 'maxConnections' }]);
    idle.destroy();
    other.destroy();
    await until(() => closes.length === 1);
    expect(closes[0]?.server).toBe(server);
    expect(closes[0]?.stats).toMatchObject({ bytesRead: 0, bytesWritten: 0 });
  });
});

it('the events of all connections sum up to what the server counts', async () => {
  const closes = heard<CloseEvent>('nearwire:close');
  const server = native.createServer({}, (socket) => socket.pipe(socket));
  const address = await listen(server, 'unix');
  for (let i = 1; i <= 5; i++) {
    const client = native.connect(address);
    client.end(Buffer.alloc(1000 * i));
    await readBytes(client, 1000 * i);
    await closed(client);
  }
  await until(() => closes.length === 5);
  const sum = (name: 'bytesRead' | 'bytesWritten' | 'sends' | 'messages'): number =>
    closes.reduce((total, { stats }) => total + (stats[name] ?? Number.NaN), 0);
  const stats = (server as Server & { stats(): ServerStats }).stats();
  const { bytesRead, bytesWritten, sends, messages } = stats;
  expect([sum('bytesRead'), sum('bytesWritten')]).toEqual([15_000, 15_000]);
  expect([bytesRead, bytesWritten, sends, messages]).toEqual([
    sum('bytesRead'),
    sum('bytesWritten'),
    sum('sends'),
    sum('messages'),
  ]);
});
