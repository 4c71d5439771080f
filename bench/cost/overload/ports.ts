/**
 * Ports: a connection over TCP takes one of the client's, nginx's, for as long as it lives, and if nginx closes first for
 * a minute more (TIME-WAIT). When all are taken, connect() fails. Driven in a network of its own with a small range.
 */
import type { Overload, OverloadMove } from '../model.js';
import { LEFT_TO_APP, NGINX_CLOSES } from './front.js';
import type { Lab } from './lab.js';
import { sizeOf, sysctl, type PortRange } from './network.js';
import { PortLab, RANGE, type PortDrive, type PortsSeen } from './port-lab.js';
import { underWay } from './ports-under-way.js';
import type { Row } from './requests.js';
import { count, failuresOf, seconds, settingsOf, unended } from './words.js';

const POOL = ['keepalive 32;'];
const REUSE = 'net.ipv4.tcp_tw_reuse';
const REUSE_DELAY = 'net.ipv4.tcp_tw_reuse_delay';
/** TCP_TIMEWAIT_LEN of Linux, which can not be set. */
const TIME_WAIT_SECONDS = 60;
const WITHIN = `connections within ${String(TIME_WAIT_SECONDS)} s`;
/** What is not to run out is asked for so many times as often as what does. */
const FURTHER = 3;
/** Linux's own, where the host does not tell. */
const USUAL: PortRange = { first: 32_768, last: 60_999 };

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
  const portLab = new PortLab(lab);
  // As between hosts: by itself Linux has ports of the loopback taken again after a second.
  if (!lab.setSysctl(REUSE, 0)) return [portsNotDriven(`${REUSE} can not be set here`, lab.words.hostPorts)];
  return [await byClosing(portLab, pace), await underWay(portLab, pace.ports)];
}

/** What is said where no network of our own can be made. */
export function portsNotDriven(reason: string, hostPorts: PortRange = USUAL): Overload {
  return {
    name: 'ports',
    family: 'tcp',
    title: 'ports run out: a connection per request that nginx closes',
    drive: `requests through nginx to an application over TCP, until all of this host's ports are in TIME-WAIT`,
    at: { value: sizeOf(hostPorts), unit: WITHIN },
    depth: undefined,
    error:
      'not seen here; where it was (docs/overload.md): 502; nginx: connect() to 127.0.0.1:8080 failed ' +
      '(99: Cannot assign requested address)',
    setting: `not tried here; see docs/overload.md: keepalive in the upstream, a UNIX socket, a wider ${RANGE}`,
    notDriven: reason,
  };
}

async function byClosing(portLab: PortLab, pace: Pace): Promise<Overload> {
  const { ports } = pace;
  const drive: PortDrive = { label: `${count(ports)} ports`, ports, settings: { location: NGINX_CLOSES } };
  const most = ports * FURTHER;
  const broke = await portLab.row(drive, most);
  const moves = [
    await wider(portLab, drive),
    ...(await reused(portLab, drive, pace)),
    notMet(
      `${unended(...POOL)} in the upstream`,
      await portLab.row({ ...drive, label: 'keep-alive', settings: { location: NGINX_CLOSES, upstream: POOL } }, most),
    ),
    // By HTTP/1.0 the application closes, and has the TIME-WAIT.
    notMet(
      unended(...LEFT_TO_APP),
      await portLab.row({ ...drive, label: 'the application closes', settings: { location: LEFT_TO_APP } }, most),
    ),
    notMet(
      'proxy_pass http://unix:PATH',
      await portLab.row({ ...drive, label: 'over a UNIX socket', family: 'unix' }, most),
    ),
  ];
  const host = sizeOf(portLab.lab.words.hostPorts ?? USUAL);
  return {
    name: 'ports',
    family: 'tcp',
    title: 'ports run out: a connection per request that nginx closes',
    drive:
      `nginx -> node:http over TCP, ${unended(...NGINX_CLOSES)}, but no keepalive in the upstream; ${count(ports)} ports ` +
      `and ${REUSE} 0, as between hosts; one request after the other, ${count(broke.served)} within ` +
      `${seconds(broke.took)}. As a port is taken for ${String(TIME_WAIT_SECONDS)} s, this host's ${count(host)} would ` +
      `last for ${count(Math.floor(host / TIME_WAIT_SECONDS))} requests a second`,
    at: { value: broke.served, unit: WITHIN },
    depth: { value: broke.ends.clients.timeWait, limit: ports, unit: 'ports in TIME-WAIT' },
    error: broke.failed === undefined ? 'none' : `${String(broke.failed)}; nginx: ${broke.line ?? 'nothing logged'}`,
    setting: settingsOf(moves),
    moves,
    ...(broke.failed === undefined && {
      notDriven: `all ${count(broke.served)} were served: this nginx keeps its connections by itself`,
    }),
  };
}

async function wider(portLab: PortLab, drive: PortDrive): Promise<OverloadMove> {
  const twice = drive.ports * 2;
  const { served, failed } = await portLab.row(
    { ...drive, label: `${count(twice)} ports`, ports: twice },
    twice * FURTHER,
  );
  return {
    setting: `${RANGE} with ${count(twice)} ports`,
    at: failed === undefined ? undefined : { value: served, unit: WITHIN },
    seen:
      `${failed === undefined ? 'all' : `${String(failed)} after`} ${count(served)} connections; the widest there is, ` +
      `sysctl -w ${RANGE}="1024 65535", has ${count(65_535 - 1024 + 1)}`,
  };
}

/** A rate that the ports which come free again suffice for, and one that is too high for them. */
async function reused(portLab: PortLab, drive: PortDrive, { ports, seconds: time }: Pace): Promise<OverloadMove[]> {
  const label = (rate: number, value: number): string => `${count(rate)} requests a second, ${REUSE} ${String(value)}`;
  const delay = Number(sysctl(REUSE_DELAY) ?? 1000) / 1e3;
  const [low, high] = [Math.floor(ports / delay / 2), Math.ceil((ports / delay) * 2)];
  const at = (value: number, rate: number, duration: number): ReturnType<PortLab['atRate']> =>
    portLab.atRate({ ...drive, label: label(rate, value) }, rate, duration);
  const driven = await portLab.lab.withSysctl(REUSE, 1, async () => ({
    held: await at(1, low, time),
    broken: await at(1, high, 1),
  }));
  // Linux's own value, for which the loopback is what 1 has for all.
  const loopback = await portLab.lab.withSysctl(REUSE, 2, () => at(2, low, time));
  if (driven === undefined || loopback === undefined) return [];
  const { held, broken } = driven;
  return [
    {
      setting: `sysctl -w ${REUSE}=1`,
      at: broken.served < broken.sent ? { value: high, unit: 'requests a second' } : undefined,
      seen:
        `a port is free again after ${String(delay)} s: with ${count(ports)} of them ${count(low)} requests a second for ` +
        `${String(time)} s had ${count(held.sent - held.served)} fail, ${count(high)} for 1 s ` +
        `${failuresOf(broken) || 'none'}; with Linux's own value, 2, which is for the loopback alone, ${count(low)} a ` +
        `second had ${count(loopback.sent - loopback.served)} fail`,
    },
  ];
}

function notMet(setting: string, { served, failed, ends }: Row & PortsSeen): OverloadMove {
  const left =
    `${count(ends.clients.timeWait)} ports of nginx's and ${count(ends.accepted.timeWait)} ends of the application's ` +
    'in TIME-WAIT';
  return failed === undefined
    ? { setting, at: undefined, seen: `all ${count(served)} requests were served, ${left}` }
    : {
        setting,
        at: { value: served, unit: WITHIN },
        seen: `${String(failed)} after ${count(served)} requests, ${left}`,
      };
}
