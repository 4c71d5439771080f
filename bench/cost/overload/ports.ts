/**
 * Ports: a connection over TCP takes one of the client's, nginx's, for as long as it lives, and if nginx closes first for
 * a minute more (TIME-WAIT). When all are taken, connect() fails. Driven in a network of its own with a small range.
 */
import type { Overload, OverloadMove } from '../model.js';
import type { FrontSettings } from './front.js';
import type { Lab } from './lab.js';
import { burst, inARow, type Burst, type Row } from './load.js';
import { setSysctl, sizeOf, sysctl, timeWaits, type PortRange, type TimeWaits } from './network.js';
import { count, statuses, unended } from './words.js';

/** Kept answers of HTTP/1.1, but no pool to keep connections in: it is nginx that closes. */
const NGINX_CLOSES = ['proxy_http_version 1.1;', 'proxy_set_header Connection "";'];
const POOL = ['keepalive 32;'];
const RANGE = 'net.ipv4.ip_local_port_range';
const REUSE = 'net.ipv4.tcp_tw_reuse';
const REUSE_DELAY = 'net.ipv4.tcp_tw_reuse_delay';
/** In another part than all ranges below. */
const PORT = 8080;
const FIRST_PORT = 20_000;
/** TCP_TIMEWAIT_LEN of Linux, which can not be set. */
const TIME_WAIT_SECONDS = 60;
/** What is not to run out is asked for so many times as often as what does. */
const FURTHER = 3;
/** Linux's own, where the host does not tell. */
const USUAL: PortRange = { first: 32_768, last: 60_999 };
/** By default, TIME-WAIT ports may be taken again over the loopback. */
const REUSE_LOOPBACK = 2;

interface Pace {
  readonly ports: number;
  /** How long a rate is kept up that ports that come free again suffice for. */
  readonly seconds: number;
}

const PACES = {
  default: { ports: 256, seconds: 3 },
  quick: { ports: 64, seconds: 2 },
} as const;

export async function drivePorts(lab: Lab): Promise<Overload[]> {
  const pace = lab.words.quick ? PACES.quick : PACES.default;
  const ranges = new Ranges();
  setSysctl(REUSE, 0);
  return [await byClosing(lab, pace, ranges), await byWaiting(lab, pace, ranges)];
}

/** What is said where no network of our own can be made. */
export function portsNotDriven(reason: string, hostPorts: PortRange = USUAL): Overload {
  const ports = sizeOf(hostPorts);
  return {
    name: 'ports',
    family: 'tcp',
    title: 'ports run out: a connection per request that nginx closes',
    drive: 'not driven',
    at: { value: ports, unit: `connections within ${String(TIME_WAIT_SECONDS)} s` },
    depth: undefined,
    error: '502; nginx: connect() to HOST:PORT failed (99: Cannot assign requested address)',
    setting: `keepalive in the upstream, a UNIX socket, or a wider ${RANGE}`,
    notDriven: reason,
  };
}

/** Each drive has ports that none before it has used: a minute is too long to wait. */
class Ranges {
  private next = FIRST_PORT;

  take(ports: number): void {
    const last = this.next + ports - 1;
    if (!setSysctl(RANGE, `${String(this.next)} ${String(last)}`)) throw new Error(`${RANGE} can not be set here`);
    this.next = last + 1;
  }
}

interface Drive extends Row {
  readonly waits: TimeWaits;
  readonly line: string | undefined;
}

/** One request after the other, each with a connection. */
async function drive(
  lab: Lab,
  label: string,
  most: number,
  settings: FrontSettings,
  family: 'unix' | 'tcp' = 'tcp',
): Promise<Drive> {
  lab.step(`ports: ${label}`);
  const words = { transport: 'node:net', burn: 0, wait: 0 } as const;
  const app = await lab.app(words, family === 'unix' ? 'unix' : { port: PORT });
  const front = await lab.front(app.target, settings);
  const before = timeWaits(PORT);
  try {
    const row = await inARow(front.path, most, lab.signal);
    const { clients, accepted } = timeWaits(PORT);
    const waits = { clients: clients - before.clients, accepted: accepted - before.accepted };
    return { ...row, waits, line: front.newLines().find((text) => text.includes('connect()')) };
  } finally {
    await lab.stop(front, app);
  }
}

async function byClosing(lab: Lab, pace: Pace, ranges: Ranges): Promise<Overload> {
  const { ports } = pace;
  const further = ports * FURTHER;
  ranges.take(ports);
  const broke = await drive(lab, `${count(ports)} ports`, further, { location: NGINX_CLOSES });
  const moves = [
    await wider(lab, ports, ranges),
    ...(await reused(lab, pace, ranges)),
    await pooled(lab, ports, ranges),
    await closedByApp(lab, ports, ranges),
    await overUnix(lab, ports, ranges),
  ];
  const host = lab.words.hostPorts ?? USUAL;
  const perSecond = Math.floor(sizeOf(host) / TIME_WAIT_SECONDS);
  return {
    name: 'ports',
    family: 'tcp',
    title: 'ports run out: a connection per request that nginx closes',
    drive:
      `nginx -> node:http over TCP, ${unended(...NGINX_CLOSES)}, but no keepalive in the upstream, ` +
      `${count(ports)} ports, ${REUSE} 0; this host's ${count(sizeOf(host))} ports last for ` +
      `${count(perSecond)} requests a second, as each is taken for ${String(TIME_WAIT_SECONDS)} s`,
    at: { value: broke.served, unit: `connections within ${String(TIME_WAIT_SECONDS)} s` },
    depth: { value: broke.waits.clients, limit: ports, unit: 'ports in TIME-WAIT' },
    error: broke.failed === undefined ? 'none' : `${String(broke.failed)}; nginx: ${broke.line ?? 'nothing logged'}`,
    setting: moves.map(({ seen }) => seen).join('; '),
    moves,
    ...(broke.failed === undefined && {
      notDriven: `all ${count(broke.served)} were served: this nginx keeps its connections by itself`,
    }),
  };
}

async function wider(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  const twice = ports * 2;
  ranges.take(twice);
  const { served } = await drive(lab, `${count(twice)} ports`, twice * FURTHER, { location: NGINX_CLOSES });
  const setting = `sysctl -w ${RANGE}="1024 65535"`;
  return {
    setting,
    at: { value: served, unit: `connections within ${String(TIME_WAIT_SECONDS)} s` },
    seen: `with ${count(twice)} ports they ran out after ${count(served)} connections (${setting} is the most there is)`,
  };
}

/** A rate that the ports which come free again suffice for, and one that is too high for them. */
async function reused(lab: Lab, { ports, seconds }: Pace, ranges: Ranges): Promise<OverloadMove[]> {
  if (!setSysctl(REUSE, REUSE_LOOPBACK)) return [];
  const delay = Number(sysctl(REUSE_DELAY) ?? 1000) / 1e3;
  const [holds, breaks] = [Math.floor(ports / delay / 2), Math.ceil((ports / delay) * 2)];
  const results = [];
  for (const [rate, time] of [
    [holds, seconds],
    [breaks, 1],
  ] as const) {
    ranges.take(ports);
    results.push(await atRate(lab, rate, time));
  }
  setSysctl(REUSE, 0);
  const [low, high] = results;
  const setting = `sysctl -w ${REUSE}=1`;
  const failed = (one: { failed: number } | undefined): number => one?.failed ?? 0;
  return [
    {
      setting,
      at: failed(high) > 0 ? { value: breaks, unit: 'requests a second' } : undefined,
      seen:
        `with ${setting}, or over the loopback Linux's own ${String(REUSE_LOOPBACK)}, a port is free again after ` +
        `${String(delay)} s: ${count(holds)} requests a second for ${String(seconds)} s on ${count(ports)} ports, ` +
        `${count(failed(low))} failed, and at ${count(breaks)} a second ${count(failed(high))} of ${count(high?.sent ?? 0)}`,
    },
  ];
}

async function atRate(lab: Lab, rate: number, time: number): Promise<{ sent: number; failed: number }> {
  lab.step(`ports: ${count(rate)} requests a second, ${REUSE} ${String(REUSE_LOOPBACK)}`);
  const app = await lab.app({ transport: 'node:net', burn: 0, wait: 0 }, { port: PORT });
  const front = await lab.front(app.target, { location: NGINX_CLOSES });
  const { sent, statuses: ended } = await burst({ socketPath: front.path, rate, seconds: time, signal: lab.signal });
  await lab.stop(front, app);
  return { sent, failed: sent - (ended.get(200) ?? 0) };
}

async function pooled(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  ranges.take(ports);
  const settings = { location: NGINX_CLOSES, upstream: POOL };
  return notMet(`${unended(...POOL)} in the upstream`, await drive(lab, 'keep-alive', ports * FURTHER, settings));
}

/** nginx's own settings up to 1.29.6: HTTP/1.0, so that the application closes, and has the TIME-WAIT. */
async function closedByApp(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  ranges.take(ports);
  const location = ['proxy_http_version 1.0;', 'proxy_set_header Connection close;'];
  return notMet(unended(...location), await drive(lab, 'the application closes', ports * FURTHER, { location }));
}

async function overUnix(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  ranges.take(ports);
  const driven = await drive(lab, 'over a UNIX socket', ports * FURTHER, { location: NGINX_CLOSES }, 'unix');
  return notMet('proxy_pass http://unix:PATH', driven);
}

function notMet(setting: string, { served, failed, waits }: Drive): OverloadMove {
  const left = `${count(waits.clients)} ports of nginx's in TIME-WAIT`;
  return failed === undefined
    ? { setting, at: undefined, seen: `${setting}: all ${count(served)} requests were served, ${left}` }
    : {
        setting,
        at: { value: served, unit: `connections within ${String(TIME_WAIT_SECONDS)} s` },
        seen: `${setting}: ${String(failed)} after ${count(served)} requests, ${left}`,
      };
}

/** For as long a request is under way: longer than they are sent for. */
const WAIT_MS = 1000;
const SENT_WITHIN = 0.5;

/** Whoever closes: as many requests under way as there are ports. */
async function byWaiting(lab: Lab, { ports }: Pace, ranges: Ranges): Promise<Overload> {
  const rate = (ports * 2) / SENT_WITHIN;
  const tcp = await underWay(lab, 'tcp', rate, ports, ranges);
  const unix = await underWay(lab, 'unix', rate, ports, ranges);
  const setting = 'proxy_pass http://unix:PATH';
  const seen =
    `${setting}: 200 for ${count(unix.served)} of ${count(unix.sent)}; ` +
    'over TCP, more addresses (proxy_bind, several servers in the upstream), each of which has ports of its own';
  return {
    name: 'ports',
    family: 'tcp',
    title: 'ports run out: requests under way, whoever closes',
    drive:
      `nginx -> node:http over TCP with nginx's own settings, answers after ${count(WAIT_MS)} ms, ` +
      `${count(tcp.sent)} requests within ${String(SENT_WITHIN)} s, ${count(ports)} ports`,
    at: { value: tcp.served, unit: 'requests under way' },
    depth: { value: tcp.served, limit: ports, unit: 'ports in use' },
    error: `${statuses(tcp)}; nginx: ${tcp.line ?? 'nothing logged'}`,
    setting: seen,
    moves: [
      {
        setting,
        at: unix.served === unix.sent ? undefined : { value: unix.served, unit: 'requests under way' },
        seen,
      },
    ],
  };
}

interface UnderWay extends Burst {
  readonly served: number;
  readonly line: string | undefined;
}

async function underWay(
  lab: Lab,
  family: 'unix' | 'tcp',
  rate: number,
  ports: number,
  ranges: Ranges,
): Promise<UnderWay> {
  lab.step(`ports: ${count(rate * SENT_WITHIN)} requests under way over ${family}`);
  ranges.take(ports);
  const words = { transport: 'node:net', burn: 0, wait: WAIT_MS, backlog: rate } as const;
  const app = await lab.app(words, family === 'unix' ? 'unix' : { port: PORT });
  const front = await lab.front(app.target);
  const ended = await burst({ socketPath: front.path, rate, seconds: SENT_WITHIN, signal: lab.signal });
  const line = front.newLines().find((text) => text.includes('connect()'));
  await lab.stop(front, app);
  return { ...ended, served: ended.statuses.get(200) ?? 0, line };
}
