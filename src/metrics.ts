/**
 * `nearwire/metrics`: the servers' counters, in the registry of the program's prom-client.
 *
 * ```ts
 * import client from 'prom-client';
 * registerMetrics(client, { servers: { api: server } });
 * ```
 *
 * The program passes its own prom-client: this module does not load it.
 *
 * @module nearwire/metrics
 */
import type * as net from 'node:net';
import type * as promClient from 'prom-client';
import type { ChannelServer } from './channel/types.js';
import { connectStats, type ConnectStats } from './engine/connect-queue.js';
import { argTypeError, argValueError } from './errors/index.js';
import { checkString } from './config/options.js';
import { serverStats } from './stats/read.js';
import type { ServerStats } from './stats/server-stats.js';

/** The part of prom-client that is used: `import client from 'prom-client'`. */
export type PromClient = Pick<typeof promClient, 'Counter' | 'Gauge' | 'register'>;

/** A server that can be measured: of `node:net` or `node:http`, or of channels. */
export type MeasuredServer = net.Server | ChannelServer;

/** Options of `registerMetrics()`. */
export interface MetricsOptions {
  /** The servers to report, by the value of their label `server`. More can be added later. */
  servers?: Readonly<Record<string, MeasuredServer>> | undefined;
  /** Where the metrics are registered. Default: `client.register`, prom-client's own registry. */
  registry?: promClient.Registry | undefined;
  /** The prefix of all names. Default `nearwire_`. */
  prefix?: string | undefined;
}

/** The metrics registered by one call. */
export interface ServerMetrics {
  /**
   * Adds a server. Throws ERR_INVALID_ARG_VALUE if the name is in use: a counter must not decrease, so a server that
   * replaces another needs a name of its own, or is added after `remove()`.
   */
  add(name: string, server: MeasuredServer): void;
  /** Stops reporting a server. Until then, a closed server is reported with its last counts. */
  remove(name: string): void;
  /** Removes the metrics from the registry. */
  unregister(): void;
}

interface Metric<S> {
  /** Without the prefix. Prometheus recommends base units, and `_total` for counters. */
  name: string;
  kind: 'Counter' | 'Gauge';
  help: string;
  /** undefined: not known on this transport, and left out. */
  read(stats: S): number | undefined;
}

const MILLIS_PER_SECOND = 1000;

function seconds(millis: number | undefined): number | undefined {
  return millis === undefined ? undefined : millis / MILLIS_PER_SECOND;
}

const SERVER_METRICS: readonly Metric<ServerStats>[] = [
  {
    name: 'connections_accepted_total',
    kind: 'Counter',
    help: 'Connections taken from the listen queue.',
    read: ({ accepted }) => accepted,
  },
  {
    name: 'connections_dropped_total',
    kind: 'Counter',
    help: 'Accepted connections that were closed at once: over maxConnections, blocked, or without a descriptor.',
    read: ({ dropped }) => dropped,
  },
  {
    name: 'connections_active',
    kind: 'Gauge',
    help: 'Connections that are open.',
    read: ({ active }) => active,
  },
  {
    name: 'received_bytes_total',
    kind: 'Counter',
    help: 'Bytes received.',
    read: ({ bytesRead }) => bytesRead,
  },
  { name: 'sent_bytes_total', kind: 'Counter', help: 'Bytes sent.', read: ({ bytesWritten }) => bytesWritten },
  {
    name: 'turns_total',
    kind: 'Counter',
    help: 'Event-loop iterations in which a connection or the listen queue was ready.',
    read: ({ turns }) => turns,
  },
  {
    name: 'messages_total',
    kind: 'Counter',
    help: 'Reads that returned bytes; divided by turns_total, the number per iteration.',
    read: ({ messages }) => messages,
  },
  { name: 'sends_total', kind: 'Counter', help: 'System calls that sent.', read: ({ sends }) => sends },
  {
    name: 'partial_sends_total',
    kind: 'Counter',
    help: 'Sends of which the kernel took only a part.',
    read: ({ partialSends }) => partialSends,
  },
  {
    name: 'send_eagains_total',
    kind: 'Counter',
    help: 'Sends of which the kernel took nothing.',
    read: ({ sendEagains }) => sendEagains,
  },
  {
    name: 'send_waits_total',
    kind: 'Counter',
    help: 'How often connections waited for room in their send buffers.',
    read: ({ waits }) => waits,
  },
  {
    name: 'send_wait_seconds_total',
    kind: 'Counter',
    help: 'Time that connections waited for room in their send buffers; its rate is how many wait at any time.',
    read: ({ waitMillis }) => seconds(waitMillis),
  },
  {
    name: 'listen_queue_high_water',
    kind: 'Gauge',
    help: 'The highest number of connections seen waiting to be accepted.',
    read: ({ queueHighWater }) => queueHighWater,
  },
];

/** Of the thread that registered them: its connects belong to no server. */
const CONNECT_METRICS: readonly Metric<ConnectStats>[] = [
  {
    name: 'connects_waited_total',
    kind: 'Counter',
    help: 'Connects to a UNIX socket that found its listen queue full, and waited.',
    read: ({ waited }) => waited,
  },
  { name: 'connects_waiting', kind: 'Gauge', help: 'Connects that are waiting now.', read: ({ waiting }) => waiting },
  {
    name: 'connect_retries_total',
    kind: 'Counter',
    help: 'Further attempts of waiting connects.',
    read: ({ retries }) => retries,
  },
  {
    name: 'connect_timeouts_total',
    kind: 'Counter',
    help: 'Waiting connects that found no room before their deadline.',
    read: ({ timedOut }) => timedOut,
  },
];

type Values = [labels: Record<string, string>, value: number][];

class Registered implements ServerMetrics {
  private readonly servers = new Map<string, MeasuredServer>();
  private readonly names: string[] = [];

  constructor(
    client: PromClient,
    private readonly registry: promClient.Registry,
    prefix: string,
  ) {
    try {
      for (const metric of SERVER_METRICS) {
        this.register(client, metric, prefix, ['server'], () => this.read(metric));
      }
      for (const metric of CONNECT_METRICS) {
        this.register(client, metric, prefix, [], () => [[{}, metric.read(connectStats()) ?? 0]]);
      }
    } catch (error) {
      // A name is in use or missing: unregister everything.
      this.unregister();
      throw error;
    }
  }

  private register(
    client: PromClient,
    { kind, help, ...metric }: Pick<Metric<never>, 'name' | 'kind' | 'help'>,
    prefix: string,
    labelNames: string[],
    values: () => Values,
  ): void {
    const name = `${prefix}${metric.name}`;
    const common = { name, help, labelNames, registers: [this.registry] };
    // Both are reset at each scrape and set to the servers' current counts.
    if (kind === 'Counter') {
      new client.Counter({
        ...common,
        collect() {
          this.reset();
          for (const [labels, value] of values()) this.inc(labels, value);
        },
      });
    } else {
      new client.Gauge({
        ...common,
        collect() {
          this.reset();
          for (const [labels, value] of values()) this.set(labels, value);
        },
      });
    }
    this.names.push(name);
  }

  private read({ read }: Metric<ServerStats>): Values {
    return [...this.servers].flatMap(([name, server]) => {
      const stats = serverStats(server);
      const value = stats === undefined ? undefined : read(stats);
      return value === undefined ? [] : [[{ server: name }, value]];
    });
  }

  add(name: string, server: MeasuredServer): void {
    checkString(name, 'name');
    if (this.servers.has(name)) throw argValueError('name', name, 'is already used for another server');
    // Throws if it is not a server.
    serverStats(server);
    this.servers.set(name, server);
  }

  remove(name: string): void {
    this.servers.delete(name);
  }

  unregister(): void {
    for (const name of this.names.splice(0)) this.registry.removeSingleMetric(name);
  }
}

/**
 * Registers the servers' counters as Prometheus metrics, read at each scrape. Throws ERR_INVALID_ARG_TYPE for invalid
 * arguments, and prom-client's error for a name that is in use; then nothing is registered.
 */
export function registerMetrics(client: PromClient, options: MetricsOptions = {}): ServerMetrics {
  checkClient(client);
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) throw argTypeError('options', 'of type object', given);
  const { servers = {}, registry = client.register, prefix = 'nearwire_' } = options;
  checkString(prefix, 'options.prefix');
  const named: unknown = servers;
  if (typeof named !== 'object' || named === null) throw argTypeError('options.servers', 'of type object', named);
  for (const server of Object.values(servers)) serverStats(server);
  const metrics = new Registered(client, registry, prefix);
  for (const [name, server] of Object.entries(servers)) metrics.add(name, server);
  return metrics;
}

function checkClient(client: unknown): void {
  const { Counter, Gauge } = (client ?? {}) as { Counter?: unknown; Gauge?: unknown };
  if (typeof Counter !== 'function' || typeof Gauge !== 'function') {
    throw argTypeError('client', 'the module prom-client', client);
  }
}
