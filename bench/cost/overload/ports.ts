/**
 * Ports: a connection over TCP takes one of the client's, nginx's, for as long as it lives, and if nginx closes first for
 * a minute more (TIME-WAIT). When all are taken, connect() fails. Driven in a network of its own with a small range.
 */
import type { Hop, Overload, OverloadMove } from '../model.js';
import type { FrontSettings } from './front.js';
import { APP_PORT, type App, type Front, type Lab } from './lab.js';
import { burst, inARow, type Burst, type Row } from './load.js';
import { setSysctl, sizeOf, sysctl, timeWaits, type PortRange, type TimeWaits } from './network.js';
import { count, settingsOf, statuses, unended } from './words.js';

/** Kept answers of HTTP/1.1, but no pool to keep connections in: it is nginx that closes. */
const NGINX_CLOSES = ['proxy_http_version 1.1;', 'proxy_set_header Connection "";'];
/** nginx's own settings up to 1.29.6. */
const APP_CLOSES = ['proxy_http_version 1.0;', 'proxy_set_header Connection close;'];
const POOL = ['keepalive 32;'];
/** More than are ever under way here: it is not the queue that is to be met. */
const BACKLOG = 4096;
const PROBE_PORTS = 16;
const RANGE = 'net.ipv4.ip_local_port_range';
const REUSE = 'net.ipv4.tcp_tw_reuse';
const REUSE_DELAY = 'net.ipv4.tcp_tw_reuse_delay';
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

/** Ports are counted from when both ends run: that they do is found out by connects, which have ports of their own. */
async function startBoth(
  lab: Lab,
  ranges: Ranges,
  family: Hop['family'],
  wait: number,
  settings: FrontSettings,
): Promise<{ app: App; front: Front; stop: () => Promise<void> }> {
  ranges.take(PROBE_PORTS);
  const app = await lab.app({ burn: 0, wait, backlog: BACKLOG }, family);
  const front = await lab.front(app.target, settings);
  const stop = async (): Promise<void> => {
    await front.stop();
    await app.stop();
  };
  return { app, front, stop };
}

interface Order {
  /** What is told of it while it runs. */
  readonly label: string;
  readonly ports: number;
  readonly most: number;
  readonly settings: FrontSettings;
  readonly family?: Hop['family'];
}

/** One request after the other, each with a connection. */
async function drive(lab: Lab, ranges: Ranges, { label, ports, most, settings, family }: Order): Promise<Drive> {
  lab.step(`ports: ${label}`);
  const { front, stop } = await startBoth(lab, ranges, family ?? 'tcp', 0, settings);
  ranges.take(ports);
  const before = timeWaits(APP_PORT);
  const row = await inARow({ socketPath: front.path }, most, lab.signal);
  const { clients, accepted } = timeWaits(APP_PORT);
  const waits = { clients: clients - before.clients, accepted: accepted - before.accepted };
  const line = front.log.newLines().find((text) => text.includes('connect()'));
  await stop();
  return { ...row, waits, line };
}

async function byClosing(lab: Lab, pace: Pace, ranges: Ranges): Promise<Overload> {
  const { ports } = pace;
  const location = NGINX_CLOSES;
  const broke = await drive(lab, ranges, {
    label: `${count(ports)} ports`,
    ports,
    most: ports * FURTHER,
    settings: { location },
  });
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
    setting: settingsOf(moves),
    moves,
    ...(broke.failed === undefined && {
      notDriven: `all ${count(broke.served)} were served: this nginx keeps its connections by itself`,
    }),
  };
}

async function wider(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  const twice = ports * 2;
  const { served } = await drive(lab, ranges, {
    label: `${count(twice)} ports`,
    ports: twice,
    most: twice * FURTHER,
    settings: { location: NGINX_CLOSES },
  });
  const setting = `sysctl -w ${RANGE}="1024 65535"`;
  return {
    setting,
    at: { value: served, unit: `connections within ${String(TIME_WAIT_SECONDS)} s` },
    seen: `is the most there is; with ${count(twice)} ports they ran out after ${count(served)} connections`,
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
    results.push(await atRate(lab, ranges, ports, rate, time));
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
        `or over the loopback Linux's own ${String(REUSE_LOOPBACK)}: a port is free again after ` +
        `${String(delay)} s: ${count(holds)} requests a second for ${String(seconds)} s on ${count(ports)} ports, ` +
        `${count(failed(low))} failed, and at ${count(breaks)} a second ${count(failed(high))} of ${count(high?.sent ?? 0)}`,
    },
  ];
}

async function atRate(
  lab: Lab,
  ranges: Ranges,
  ports: number,
  rate: number,
  time: number,
): Promise<{ sent: number; failed: number }> {
  lab.step(`ports: ${count(rate)} requests a second, ${REUSE} ${String(REUSE_LOOPBACK)}`);
  const { front, stop } = await startBoth(lab, ranges, 'tcp', 0, { location: NGINX_CLOSES });
  ranges.take(ports);
  const where = { socketPath: front.path };
  const { sent, statuses: ended } = await burst({ where, rate, seconds: time, signal: lab.signal });
  await stop();
  return { sent, failed: sent - (ended.get(200) ?? 0) };
}

async function pooled(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  const settings = { location: NGINX_CLOSES, upstream: POOL };
  const driven = await drive(lab, ranges, { label: 'keep-alive', ports, most: ports * FURTHER, settings });
  return notMet(`${unended(...POOL)} in the upstream`, driven);
}

/** By HTTP/1.0 the application closes, and has the TIME-WAIT. */
async function closedByApp(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  const location = APP_CLOSES;
  const label = 'the application closes';
  const driven = await drive(lab, ranges, { label, ports, most: ports * FURTHER, settings: { location } });
  return notMet(unended(...location), driven);
}

async function overUnix(lab: Lab, ports: number, ranges: Ranges): Promise<OverloadMove> {
  const settings = { location: NGINX_CLOSES };
  const label = 'over a UNIX socket';
  const driven = await drive(lab, ranges, { label, ports, most: ports * FURTHER, settings, family: 'unix' });
  return notMet('proxy_pass http://unix:PATH', driven);
}

function notMet(setting: string, { served, failed, waits }: Drive): OverloadMove {
  const left = `${count(waits.clients)} ports of nginx's in TIME-WAIT`;
  return failed === undefined
    ? { setting, at: undefined, seen: `all ${count(served)} requests were served, ${left}` }
    : {
        setting,
        at: { value: served, unit: `connections within ${String(TIME_WAIT_SECONDS)} s` },
        seen: `${String(failed)} after ${count(served)} requests, ${left}`,
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
    `200 for ${count(unix.served)} of ${count(unix.sent)}; ` +
    'over TCP, more addresses (proxy_bind, several servers in the upstream), each of which has ports of its own';
  const at = unix.served === unix.sent ? undefined : { value: unix.served, unit: 'requests under way' };
  const moves = [{ setting, at, seen }];
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
    setting: settingsOf(moves),
    moves,
  };
}

interface UnderWay extends Burst {
  readonly served: number;
  readonly line: string | undefined;
}

async function underWay(
  lab: Lab,
  family: Hop['family'],
  rate: number,
  ports: number,
  ranges: Ranges,
): Promise<UnderWay> {
  lab.step(`ports: ${count(rate * SENT_WITHIN)} requests under way over ${family}`);
  const { front, stop } = await startBoth(lab, ranges, family, WAIT_MS, { location: APP_CLOSES });
  ranges.take(ports);
  const where = { socketPath: front.path };
  const ended = await burst({ where, rate, seconds: SENT_WITHIN, signal: lab.signal });
  const line = front.log.newLines().find((text) => text.includes('connect()'));
  await stop();
  return { ...ended, served: ended.statuses.get(200) ?? 0, line };
}
