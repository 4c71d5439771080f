/**
 * The listen queue: an application that takes a known CPU for each request is asked faster than it can answer, for a
 * while. What it has not accepted stands in its queue until that is full. Over a UNIX socket the next connect fails at
 * once; over TCP the kernel drops the packet, and asks again after a second.
 */

import { listenQueue } from '../../../src/tune.js';
import type { Hop, Overload, OverloadMove } from '../model.js';
import type { FrontSettings } from './front.js';
import type { Lab } from './lab.js';
import { burst, type Burst } from './load.js';
import { setSysctl, sysctl, tcpCounter } from './network.js';
import { count, seconds, statuses } from './words.js';

type Family = Hop['family'];

/** How it is driven. */
interface Pace {
  /** CPU for each request, in milliseconds: what makes the application's capacity known, and low. */
  readonly burn: number;
  /** The queue that is filled first, and the longer one. */
  readonly backlogs: readonly [number, number];
  /** How long a rate is kept up. */
  readonly seconds: number;
}

const PACES = {
  /** 511 is what Node asks for by itself. */
  default: { burn: 2, backlogs: [128, 511], seconds: 1 },
  quick: { burn: 5, backlogs: [16, 64], seconds: 0.4 },
} as const;

/** The first rate is a little below what the application can do, and each is so much higher than the last. */
const FIRST = 0.8;
const GROWTH = 1.25;
/** 0.8 * 1.25^15 is 22 times the capacity: no queue of these holds that. */
const MOST_RATES = 16;
/** More than any of these applications accepts meanwhile. */
const SHORT_PATIENCE = 'proxy_connect_timeout 500ms;';
const PORT = 8080;
const MS = 1e3;
/** Of /proc/net/netstat: handshakes that came to a full queue. */
const OVERFLOWS = 'ListenOverflows';
const ABORT = 'net.ipv4.tcp_abort_on_overflow';
const SYSTEM_LIMIT = 'net.core.somaxconn';

/** What a rate has come to. */
interface Attempt extends Burst {
  readonly rate: number;
  /** The most connections found waiting, and the backlog; undefined where the system does not tell. */
  readonly depth: { readonly most: number; readonly backlog: number } | undefined;
  /** Handshakes dropped for want of room; undefined over UNIX, and where the system does not count. */
  readonly overflows: number | undefined;
  readonly lines: readonly string[];
}

/** The rates up to the first that was too high. */
interface Rise {
  readonly holds: Attempt | undefined;
  readonly breaks: Attempt;
}

export async function driveQueue(lab: Lab, family: Family): Promise<Overload[]> {
  const pace = lab.words.quick ? PACES.quick : PACES.default;
  const [short, long] = pace.backlogs;
  const first = await rise(lab, family, pace, short, (FIRST * MS) / pace.burn);
  const second = await rise(lab, family, pace, long, first.breaks.rate);
  const { breaks } = first;
  const moves = [
    moveOf(`server.listen({ ${family === 'unix' ? 'path' : 'port'}, backlog: ${String(long)} })`, second, pace),
    ...(await systemLimit(lab, family, long)),
    ...(family === 'tcp' ? await abortInstead(lab, pace, short, breaks) : []),
  ];
  return [
    {
      name: 'queue',
      family,
      title:
        family === 'unix'
          ? 'the listen queue of a UNIX socket overflows'
          : 'the listen queue of a TCP port overflows: the kernel asks again, and requests take seconds',
      drive:
        `nginx -> node:http over ${family === 'unix' ? 'a UNIX socket' : 'TCP'}, a connection per request, ` +
        `${String(pace.burn)} ms of CPU each, backlog ${String(short)}, rising rates for ${duration(pace)} each`,
      at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
      depth: breaks.depth && { value: breaks.depth.most, limit: breaks.depth.backlog, unit: 'connections' },
      error: family === 'unix' ? errorOfUnix(breaks) : await errorOfTcp(lab, pace, short, breaks),
      setting: moves.map(({ seen }) => seen).join('; '),
      moves,
    },
  ];
}

function duration(pace: Pace): string {
  return seconds(pace.seconds * MS);
}

/** Rising rates on one stack, until one is too high for its queue. */
async function rise(lab: Lab, family: Family, pace: Pace, backlog: number, from: number): Promise<Rise> {
  let holds: Attempt | undefined;
  return withStack(lab, family, pace, backlog, {}, async (attempt) => {
    for (let i = 0, rate = from; i < MOST_RATES; i++, rate *= GROWTH) {
      lab.step(`queue over ${family}: backlog ${String(backlog)}, ${count(rate)} requests a second`);
      const tried = await attempt(rate);
      if (isTooMuch(tried, family)) return { holds, breaks: tried };
      holds = tried;
    }
    throw new Error(`a backlog of ${String(backlog)} did not overflow at ${count(holds?.rate ?? 0)} requests a second`);
  });
}

function isTooMuch(tried: Attempt, family: Family): boolean {
  if (family === 'unix') return (tried.statuses.get(200) ?? 0) < tried.sent;
  // Where nothing is counted: a packet that was dropped is sent again after a second.
  return tried.overflows === undefined ? tried.late > 0 : tried.overflows > 0;
}

type Try = (rate: number) => Promise<Attempt>;

async function withStack<T>(
  lab: Lab,
  family: Family,
  pace: Pace,
  backlog: number,
  settings: FrontSettings,
  work: (attempt: Try) => Promise<T>,
): Promise<T> {
  const words = { transport: 'node:net', backlog, burn: pace.burn, wait: 0 } as const;
  // In the host's own network the port must be one that is free.
  const app = await lab.app(words, family === 'unix' ? 'unix' : { port: lab.words.isolated ? PORT : 0 });
  const front = await lab.front(app.target, settings);
  const target = 'path' in app.target ? app.target.path : app.target;
  const attempt: Try = async (rate) => {
    let depth: Attempt['depth'];
    const look = (): void => {
      const seen = depthOf(target);
      if (seen !== undefined && seen.most >= (depth?.most ?? 0)) depth = seen;
    };
    const before = tcpCounter(OVERFLOWS);
    const ended = await burst(front.path, rate, pace.seconds, look, lab.signal);
    const overflows = family === 'unix' || before === undefined ? undefined : (tcpCounter(OVERFLOWS) ?? 0) - before;
    return { ...ended, rate, depth, overflows, lines: front.newLines() };
  };
  try {
    return await work(attempt);
  } finally {
    await lab.stop(front, app);
  }
}

function depthOf(target: Parameters<typeof listenQueue>[0]): Attempt['depth'] {
  try {
    const { queued, backlog } = listenQueue(target);
    return { most: queued, backlog };
  } catch {
    // Without the addon, in a sandbox, or on a system that tells of no queues.
    return undefined;
  }
}

function errorOfUnix(breaks: Attempt): string {
  return `${statuses(breaks)}; nginx: ${breaks.lines[0] ?? 'nothing logged'}`;
}

/** By itself nginx waits for a minute; what it says when it waits for less. */
async function errorOfTcp(lab: Lab, pace: Pace, backlog: number, breaks: Attempt): Promise<string> {
  lab.step(`queue over tcp: ${SHORT_PATIENCE}`);
  const impatient = await withStack(lab, 'tcp', pace, backlog, { location: [SHORT_PATIENCE] }, (attempt) =>
    attempt(breaks.rate),
  );
  const dropped =
    breaks.overflows === undefined ? '' : `, TcpExt ${OVERFLOWS} (nstat -az) rose by ${count(breaks.overflows)}`;
  const slow =
    `none: 200 for all ${count(breaks.sent)}, ${count(breaks.late)} of them after a second or more, ` +
    `the slowest after ${seconds(breaks.slowest)}${dropped}`;
  const told = impatient.lines.find((line) => line.includes('timed out'));
  if (told === undefined) return slow;
  return `${slow}; with ${SHORT_PATIENCE} ${statuses(impatient)}; nginx: ${told}`;
}

function moveOf(setting: string, { holds, breaks }: Rise, pace: Pace): OverloadMove {
  const held =
    holds === undefined
      ? ''
      : `holds ${count(holds.rate)} requests a second for ${duration(pace)}, the slowest after ${seconds(holds.slowest)}, and `;
  return {
    setting,
    at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
    seen: `${setting} ${held}overflows at ${count(breaks.rate)}`,
  };
}

/** A backlog above the system's limit is cut to it without a word; seen before and after that is raised. */
async function systemLimit(lab: Lab, family: Family, backlog: number): Promise<OverloadMove[]> {
  const limit = Number(sysctl(SYSTEM_LIMIT));
  if (Number.isNaN(limit)) return [];
  // In a network of our own it may be set, so that it is seen to cap what was driven above.
  const lowered = lab.words.isolated && setSysctl(SYSTEM_LIMIT, Math.floor(backlog / 2));
  const cap = lowered ? Math.floor(backlog / 2) : limit;
  const asked = cap * 2;
  try {
    const given = await backlogGiven(lab, family, asked);
    if (given === undefined) return [];
    const setting = `sysctl -w ${SYSTEM_LIMIT}=${String(asked)}`;
    const capped = `${SYSTEM_LIMIT} ${String(cap)} caps a backlog of ${count(asked)} to ${count(given)}`;
    if (!lowered || !setSysctl(SYSTEM_LIMIT, asked)) {
      return [{ setting, at: { value: given, unit: 'connections' }, seen: `${capped}, ${setting} lifts it` }];
    }
    const raised = await backlogGiven(lab, family, asked);
    return [
      {
        setting,
        at: { value: raised ?? asked, unit: 'connections' },
        seen: `${capped}, and after ${setting} it is ${count(raised ?? asked)}`,
      },
    ];
  } finally {
    if (lowered) setSysctl(SYSTEM_LIMIT, limit);
  }
}

async function backlogGiven(lab: Lab, family: Family, backlog: number): Promise<number | undefined> {
  lab.step(`queue over ${family}: a backlog of ${count(backlog)} under ${SYSTEM_LIMIT}`);
  const words = { transport: 'node:net', backlog, burn: 0, wait: 0 } as const;
  const app = await lab.app(words, family === 'unix' ? 'unix' : { port: lab.words.isolated ? PORT : 0 });
  const given = depthOf('path' in app.target ? app.target.path : app.target)?.backlog;
  await lab.stop(app);
  return given;
}

/** Where the kernel says no instead of waiting. Only in a network of our own: it holds for all of its ports. */
async function abortInstead(lab: Lab, pace: Pace, backlog: number, breaks: Attempt): Promise<OverloadMove[]> {
  if (!lab.words.isolated || !setSysctl(ABORT, 1)) return [];
  lab.step(`queue over tcp: ${ABORT}`);
  try {
    const aborted = await withStack(lab, 'tcp', pace, backlog, {}, (attempt) => attempt(breaks.rate));
    const setting = `sysctl -w ${ABORT}=1`;
    const told = statuses(aborted);
    const line = aborted.lines[0];
    return [
      {
        setting,
        at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
        seen:
          told === ''
            ? `${setting} changes nothing here: handshakes are dropped before they come so far`
            : `${setting} has some fail instead of wait: ${told}${line === undefined ? '' : `; nginx: ${line}`}`,
      },
    ];
  } finally {
    setSysctl(ABORT, 0);
  }
}
