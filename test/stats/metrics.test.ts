/** registerMetrics(): what servers count, in a real registry of prom-client's. */
import { once } from 'node:events';
import * as net from 'node:net';
import client from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { registerMetrics, type PromClient, type ServerMetrics } from 'nearwire/metrics';
import { ChannelServer } from 'nearwire/channel';
import { fullServer } from '../support/full-queue.js';
import { cleanup, closed, connectionsOf, listen, pair, readBytes, socketPath } from '../support/sockets.js';
import { js, native, subjects } from '../support/subjects.js';
import { until } from '../support/relays.js';

const MiB = 1024 * 1024;

const ours = subjects.filter(({ name }) => name !== 'node:net');

let registry: client.Registry;

beforeEach(() => {
  registry = new client.Registry();
});

/** The value of a metric in the text of a scrape; undefined if it is not there. */
async function scraped(name: string, server = 'api'): Promise<number | undefined> {
  const text = await registry.metrics();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}{server="${server}"} `));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}

describe.each(ours)('metrics: $name', (subject) => {
  it('tell at each scrape what has been counted by then, and after the end', async () => {
    const { client: socket, peer, server } = await pair(subject, 'unix');
    registerMetrics(client, { registry, servers: { api: server } });
    peer.on('data', (chunk: Buffer) => peer.write(chunk));
    for (let i = 1; i <= 3; i++) {
      socket.write('12345');
      await readBytes(socket, 5);
      expect(await scraped('nearwire_received_bytes_total')).toBe(5 * i);
      expect(await scraped('nearwire_sent_bytes_total')).toBe(5 * i);
    }
    expect(await scraped('nearwire_connections_accepted_total')).toBe(1);
    expect(await scraped('nearwire_connections_active')).toBe(1);
    socket.destroy();
    server.close();
    await once(server, 'close');
    expect(await scraped('nearwire_connections_active')).toBe(0);
    expect(await scraped('nearwire_received_bytes_total')).toBe(15);
    expect(await scraped('nearwire_connections_accepted_total')).toBe(1);
  });

  it('count what is dropped', async () => {
    const { server, address } = await pair(subject, 'unix');
    registerMetrics(client, { registry, servers: { api: server } });
    server.maxConnections = 1;
    const dropped = once(server, 'drop');
    const refused = subject.connect(address);
    refused.on('error', () => undefined);
    await Promise.all([dropped, closed(refused)]);
    expect(await scraped('nearwire_connections_dropped_total')).toBe(1);
    expect(await connectionsOf(server)).toBe(1);
  });
});

describe('metrics', () => {
  it('tell of the time spent waiting for room, and of the queue', async () => {
    const { client: socket, peer, server } = await pair(native, 'unix');
    registerMetrics(client, { registry, servers: { api: server } });
    expect(await scraped('nearwire_send_waits_total')).toBe(0);
    socket.pause();
    peer.write(Buffer.alloc(16 * MiB));
    await until(() => peer.writableNeedDrain);
    expect(await scraped('nearwire_send_waits_total')).toBe(1);
    expect(await scraped('nearwire_partial_sends_total')).toBe(1);
    expect(await scraped('nearwire_send_wait_seconds_total')).toBeGreaterThan(0);
    expect(await scraped('nearwire_listen_queue_high_water')).toBe(1);
  });

  it.skipIf(process.platform !== 'linux')('tell of connects that wait for room in a queue', async () => {
    const scrapedAlone = async (name: string): Promise<number> =>
      Number(new RegExp(`^nearwire_${name} (.*)$`, 'm').exec(await registry.metrics())?.[1]);
    registerMetrics(client, { registry });
    const before = await scrapedAlone('connects_waited_total');
    const timeouts = await scrapedAlone('connect_timeouts_total');
    const { path } = await fullServer();
    const late = native.connect({ path, backlogTimeout: 50 });
    expect(await scrapedAlone('connects_waiting')).toBe(1);
    expect(await scrapedAlone('connects_waited_total')).toBe(before + 1);
    await once(late, 'error');
    expect(await scrapedAlone('connects_waiting')).toBe(0);
    expect(await scrapedAlone('connect_timeouts_total')).toBe(timeouts + 1);
    expect(await scrapedAlone('connect_retries_total')).toBeGreaterThan(0);
  });

  it('leave out what js can not see', async () => {
    registerMetrics(client, { registry, servers: { api: js.createServer() } });
    expect(await scraped('nearwire_connections_accepted_total')).toBe(0);
    expect(await scraped('nearwire_turns_total')).toBeUndefined();
    expect(await registry.metrics()).not.toContain('NaN');
  });

  it('have the types and the help that Prometheus asks for', async () => {
    registerMetrics(client, { registry, prefix: 'app_', servers: { api: native.createServer() } });
    const metrics = await registry.getMetricsAsJSON();
    expect(metrics.length).toBeGreaterThan(10);
    for (const { name, type, help } of metrics) {
      expect(name).toMatch(/^app_[a-z_]+$/);
      expect(help).not.toBe('');
      // prom-client tells types by name.
      expect(String(type)).toBe(name.endsWith('_total') ? 'counter' : 'gauge');
    }
    expect(await scraped('app_turns_total')).toBe(0);
  });

  it('are OpenMetrics where the registry is', async () => {
    const open = new client.Registry<client.OpenMetricsContentType>();
    open.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE);
    registerMetrics(client, { registry: open as unknown as client.Registry, servers: { api: native.createServer() } });
    const text = await open.metrics();
    expect(text).toContain('# TYPE nearwire_connections_accepted counter\n');
    expect(text).toContain('nearwire_connections_accepted_total{server="api"} 0\n');
  });

  it('take servers that come and go', async () => {
    const metrics: ServerMetrics = registerMetrics(client, { registry });
    expect(await scraped('nearwire_connections_active')).toBeUndefined();
    metrics.add('api', native.createServer());
    metrics.add('admin', js.createServer());
    expect(await scraped('nearwire_connections_active')).toBe(0);
    expect(await scraped('nearwire_connections_active', 'admin')).toBe(0);
    expect(() => {
      metrics.add('api', native.createServer());
    }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }) as Error);
    metrics.remove('api');
    expect(await scraped('nearwire_connections_active')).toBeUndefined();
    metrics.unregister();
    expect(await registry.getMetricsAsJSON()).toEqual([]);
    registerMetrics(client, { registry });
  });

  it('tell of a ChannelServer, and leave out a server of another kind', async () => {
    const server = ChannelServer.listen({ path: socketPath() }, {});
    cleanup(() => {
      server.close();
    });
    const foreign = net.createServer();
    await listen(foreign, 'unix');
    registerMetrics(client, { registry, servers: { api: server, foreign } });
    expect(await scraped('nearwire_connections_accepted_total')).toBe(0);
    expect(await scraped('nearwire_connections_accepted_total', 'foreign')).toBeUndefined();
  });

  it('leave nothing behind where a name is taken', async () => {
    const taken = new client.Gauge({ name: 'nearwire_sends_total', help: 'taken', registers: [registry] });
    expect(() => registerMetrics(client, { registry })).toThrow('already been registered');
    expect((await registry.getMetricsAsJSON()).map(({ name }) => name)).toEqual(['nearwire_sends_total']);
    taken.set(1);
  });

  it('refuse wrong arguments', () => {
    const wrong: [unknown, unknown][] = [
      [undefined, {}],
      [{}, {}],
      [registry, {}],
      [client, { servers: 5 }],
      [client, { servers: { api: {} } }],
      [client, { servers: { api: undefined } }],
      [client, { prefix: 5 }],
    ];
    for (const [given, options] of wrong) {
      const call = (): unknown => registerMetrics(given as PromClient, { registry, ...(options as object) });
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error);
    }
    expect(() => registerMetrics(client, null as unknown as object)).toThrow(TypeError);
  });
});
