/**
 * The listen queue: an application that takes a known CPU for each request is asked faster than it can answer, for a
 * while. What it has not accepted stands in its queue until that is full. Over a UNIX socket the next connect fails at
 * once; over TCP the kernel drops the packet, and asks again after a second.
 */

import { Agent } from '../../../src/http.js';
import { listenQueue } from '../../../src/tune.js';
import type { Hop, Overload, OverloadMove } from '../model.js';
import type { Front, FrontSettings } from './front.js';
import type { Lab } from './lab.js';
import { burst, inARow, type Burst, type Row } from './load.js';
import { setSysctl, sysctl, tcpCounter } from './network.js';
import { count, seconds, statuses, unended } from './words.js';

type Family = Hop['family'];

/** How it is driven. */
interface Pace {
  /** CPU for each request, in milliseconds: what makes the application's capacity known, and low. */
  readonly burn: number;
  /** The queue that is filled first, and the longer one. */
  readonly backlogs: readonly [number, number];
  /** How long a rate is kept up. */
  readonly seconds: number;
  /** Each rate is so much higher, or lower, than the last. */
  readonly growth: number;
}

const PACES = {
  /** 511 is what Node asks for by itself. */
  default: { burn: 2, backlogs: [128, 511], seconds: 1, growth: 1.15 },
  quick: { burn: 2, backlogs: [16, 128], seconds: 0.3, growth: 1.5 },
} as const;

/** From where the limit is expected, 1.15^16 is nine times as far: it is not met, or always. */
const MOST_RATES = 16;
/** To learn what the application can do: so many at a time, so many each. */
const AT_A_TIME = 4;
const EACH = 25;
/** What node compiles while it is asked for the first time is not of it. */
const EACH_BEFORE = 10;
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

/** The highest rate that was held, and the lowest that was not. */
interface Bracket {
  readonly holds: Attempt;
  readonly breaks: Attempt;
  /** Requests a second that the application does at the most. */
  readonly capacity: number;
}

export async function driveQueue(lab: Lab, family: Family): Promise<Overload[]> {
  const pace = lab.words.quick ? PACES.quick : PACES.default;
  const [short, long] = pace.backlogs;
  const bracket = await bracketOf(lab, family, pace, short);
  const { breaks, capacity } = bracket;
  const moves = [
    moveOf(family, long, await bracketOf(lab, family, pace, long), pace),
    ...(await systemLimit(lab, family, long)),
    family === 'unix' ? await waitInstead(lab, pace, short, breaks) : await abortInstead(lab, pace, short, breaks),
  ].filter((move) => move !== undefined);
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
        `${String(pace.burn)} ms of CPU each, of which it does ${count(capacity)} a second; ` +
        `backlog ${String(short)}, ${duration(pace)} at each rate`,
      at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
      depth: breaks.depth && { value: breaks.depth.most, limit: breaks.depth.backlog, unit: 'connections' },
      error: family === 'unix' ? errorOfUnix(breaks) : await errorOfTcp(lab, pace, short, breaks),
      setting: moves.map(({ seen }) => seen).join('; '),
      moves,
    },
  ];
}

function duration(pace: Pace): string {
  return `${String(pace.seconds)} s`;
}

/** Rising rates on one stack, or falling ones, until one is held and the next is too high for its queue. */
async function bracketOf(lab: Lab, family: Family, pace: Pace, backlog: number): Promise<Bracket> {
  return withStack(lab, family, pace, backlog, {}, async (attempt, front) => {
    const capacity = await capacityOf(front, lab.signal);
    let [holds, breaks]: (Attempt | undefined)[] = [];
    // What comes beyond what it can do stands in the queue until that is full.
    let rate = capacity + backlog / pace.seconds;
    for (let i = 0; i < MOST_RATES; i++) {
      lab.step(`queue over ${family}: backlog ${String(backlog)}, ${count(rate)} requests a second`);
      const tried = await attempt(rate);
      if (isTooMuch(tried, family)) breaks = tried;
      else holds = tried;
      if (holds && breaks) return { holds, breaks, capacity };
      rate = holds ? rate * pace.growth : rate / pace.growth;
    }
    throw new Error(`no rate was found that a backlog of ${String(backlog)} holds, and the next not`);
  });
}

async function capacityOf(front: Front, signal: AbortSignal): Promise<number> {
  const together = (each: number): Promise<Row[]> =>
    Promise.all(Array.from({ length: AT_A_TIME }, () => inARow(front.path, each, signal)));
  await together(EACH_BEFORE);
  const begin = performance.now();
  await together(EACH);
  return (AT_A_TIME * EACH * MS) / (performance.now() - begin);
}

function isTooMuch(tried: Attempt, family: Family): boolean {
  if (family === 'unix') return (tried.statuses.get(200) ?? 0) < tried.sent;
  // Where nothing is counted: a packet that was dropped is sent again after a second.
  return tried.overflows === undefined ? tried.late > 0 : tried.overflows > 0;
}

/** `agent`: straight to the application, without nginx. */
type Try = (rate: number, agent?: Agent) => Promise<Attempt>;

async function withStack<T>(
  lab: Lab,
  family: Family,
  pace: Pace,
  backlog: number,
  settings: FrontSettings,
  work: (attempt: Try, front: Front) => Promise<T>,
): Promise<T> {
  const words = { transport: 'node:net', backlog, burn: pace.burn, wait: 0 } as const;
  // In the host's own network the port must be one that is free.
  const app = await lab.app(words, family === 'unix' ? 'unix' : { port: lab.words.isolated ? PORT : 0 });
  const front = await lab.front(app.target, settings);
  const target = 'path' in app.target ? app.target.path : app.target;
  const attempt: Try = async (rate, agent) => {
    let depth: Attempt['depth'];
    const look = (): void => {
      const seen = depthOf(target);
      if (seen !== undefined && seen.most >= (depth?.most ?? 0)) depth = seen;
    };
    const before = tcpCounter(OVERFLOWS);
    const socketPath = agent && 'path' in app.target ? app.target.path : front.path;
    const ended = await burst({ socketPath, rate, seconds: pace.seconds, look, signal: lab.signal, agent });
    const overflows = family === 'unix' || before === undefined ? undefined : (tcpCounter(OVERFLOWS) ?? 0) - before;
    return { ...ended, rate, depth, overflows, lines: front.newLines() };
  };
  try {
    return await work(attempt, front);
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
  lab.step(`queue over tcp: ${unended(SHORT_PATIENCE)}`);
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
  return `${slow}; with ${unended(SHORT_PATIENCE)} ${statuses(impatient)}; nginx: ${told}`;
}

function moveOf(family: Family, backlog: number, { holds, breaks }: Bracket, pace: Pace): OverloadMove {
  const setting = `server.listen({ ${family === 'unix' ? 'path' : 'port'}, backlog: ${String(backlog)} })`;
  return {
    setting,
    at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
    seen:
      `${setting} holds ${count(holds.rate)} requests a second for ${duration(pace)}, the slowest after ` +
      `${seconds(holds.slowest)}, and overflows at ${count(breaks.rate)}`,
  };
}

/** nearwire as the client: it stands in line until there is room, where nginx is refused. */
async function waitInstead(lab: Lab, pace: Pace, backlog: number, breaks: Attempt): Promise<OverloadMove> {
  lab.step('queue over unix: a client that waits for room');
  // A connection per request, as nginx makes them.
  const agent = new Agent();
  const waited = await withStack(lab, 'unix', pace, backlog, {}, (attempt) => attempt(breaks.rate, agent));
  const setting = "new Agent() of nearwire/http in nginx's place (connectTimeout)";
  const bad = statuses(waited);
  return {
    setting,
    at: undefined,
    seen:
      `${setting} waits for room, at the same rate: ${bad === '' ? `200 for all ${count(waited.sent)}` : bad}, ` +
      `the slowest after ${seconds(waited.slowest)}`,
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
async function abortInstead(lab: Lab, pace: Pace, backlog: number, breaks: Attempt): Promise<OverloadMove | undefined> {
  if (!lab.words.isolated || !setSysctl(ABORT, 1)) return undefined;
  lab.step(`queue over tcp: ${ABORT}`);
  try {
    const aborted = await withStack(lab, 'tcp', pace, backlog, {}, (attempt) => attempt(breaks.rate));
    const setting = `sysctl -w ${ABORT}=1`;
    const told = statuses(aborted);
    const line = aborted.lines[0];
    return {
      setting,
      at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
      seen:
        told === ''
          ? `${setting} changes nothing here: handshakes are dropped before they come so far`
          : `${setting} has some fail instead of wait: ${told}${line === undefined ? '' : `; nginx: ${line}`}`,
    };
  } finally {
    setSysctl(ABORT, 0);
  }
}
