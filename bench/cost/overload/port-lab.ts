/** Where ports are used up: a network of its own whose range of them is small, and the servers of one drive. */
import type { Hop } from '../model.js';
import { StackError } from '../processes.js';
import { burst, type Burst } from './burst.js';
import type { FrontSettings } from './front.js';
import { APP_PORT, type Front, type Lab } from './lab.js';
import { connectionEnds, type ConnectionEnds } from './network.js';
import { inARow, type Row } from './requests.js';
import { workNamed } from '../works.js';

export const RANGE = 'net.ipv4.ip_local_port_range';
/** Below it are the application's port and those that need privileges. */
const FIRST_PORT = 20_000;
/** That both servers run is found out by connects, which have ports of their own. */
const PROBE_PORTS = 16;
/** More than are ever under way here: it is not the queue that is to be met. */
const BACKLOG = 4096;
const WORK = workNamed('hello');

/** How a drive is set up. */
export interface PortDrive {
  /** What is told of it while it runs. */
  readonly label: string;
  readonly ports: number;
  readonly settings: FrontSettings;
  /** Default: TCP. */
  readonly family?: Hop['family'];
  /** Milliseconds for which the application leaves each request waiting. Default: 0. */
  readonly wait?: number;
  /** The application listens on all addresses. */
  readonly anyAddress?: boolean;
}

/** What was seen of one. */
export interface PortsSeen {
  /** Of the connections to the application: after a row the most there were, of a burst while it went on. */
  readonly ends: ConnectionEnds;
  /** Of nginx's log, about a connect that failed. */
  readonly line: string | undefined;
}

export class PortLab {
  /** Each drive has ports that none before it has used: a minute is too long to wait. */
  private next = FIRST_PORT;

  constructor(readonly lab: Lab) {}

  /** One request after the other, each with a connection to the application, until one is not served. */
  async row(drive: PortDrive, most: number): Promise<Row & PortsSeen> {
    return this.withFront(drive, async (front) => {
      const before = connectionEnds(APP_PORT);
      const row = await inARow({ socketPath: front.path, path: WORK.path }, most, this.lab.signal);
      const ends = since(before, connectionEnds(APP_PORT));
      return { ...row, ends, line: lineOf(front) };
    });
  }

  async atRate(drive: PortDrive, rate: number, seconds: number): Promise<Burst & PortsSeen> {
    return this.withFront(drive, async (front) => {
      const before = connectionEnds(APP_PORT);
      let ends = since(before, before);
      const look = (): void => {
        const now = since(before, connectionEnds(APP_PORT));
        if (now.clients.all > ends.clients.all) ends = now;
      };
      const { floor, signal } = this.lab;
      const asked = { target: { path: front.path }, work: WORK };
      const ended = await burst({ ...asked, floor, signal, rate, seconds, look });
      return { ...ended, ends, line: lineOf(front) };
    });
  }

  private async withFront<T>(drive: PortDrive, work: (front: Front) => Promise<T>): Promise<T> {
    const { label, ports, settings, family = 'tcp', wait = 0, anyAddress = false } = drive;
    this.lab.step(`ports: ${label}`);
    this.take(PROBE_PORTS);
    const app = await this.lab.app({ burn: 0, wait, backlog: BACKLOG, anyAddress }, family);
    const front = await this.lab.front(app.target, settings);
    this.take(ports);
    try {
      return await work(front);
    } finally {
      await front.stop();
      await app.stop();
    }
  }

  private take(ports: number): void {
    const last = this.next + ports - 1;
    if (!this.lab.setSysctl(RANGE, `${String(this.next)} ${String(last)}`)) {
      throw new StackError(`${RANGE} can not be set here`);
    }
    this.next = last + 1;
  }
}

function lineOf(front: Front): string | undefined {
  return front.log.newLines().find((text) => text.includes('connect()'));
}

/** What has come, as those of drives before are remembered for a minute. */
function since(before: ConnectionEnds, now: ConnectionEnds): ConnectionEnds {
  const of = (role: keyof ConnectionEnds): ConnectionEnds['clients'] => ({
    all: now[role].all - before[role].all,
    timeWait: now[role].timeWait - before[role].timeWait,
  });
  return { clients: of('clients'), accepted: of('accepted') };
}
