/**
 * The listen queue: an application that takes a known CPU for each request is asked faster than it can answer, for a
 * while. What it has not accepted stands in its queue until that is full. Over a UNIX socket the next connect fails at
 * once; over TCP the kernel drops the packet, and asks again after a second.
 */

import { Agent } from '../../../src/http.js';
import { listenQueue } from '../../../src/tune.js';
import type { Overload, OverloadMove, Target } from '../model.js';
import type { FrontSettings } from './front.js';
import type { Lab } from './lab.js';
import { burst, inARow, type Burst, type Row, type Where } from './load.js';
import { setSysctl, sysctl, tcpCounter } from './network.js';
import type { QueueSubject, Serving } from './queue-subjects.js';
import { count, seconds, settingsOf, statuses, unended } from './words.js';

/** How a queue is driven. */
interface Pace {
  /** CPU for each request, in milliseconds: what makes the application's capacity known, and low. */
  readonly burn: number;
  /** The longer queue, and the shorter one where it is not the server's own. */
  readonly backlogs: { readonly short?: number; readonly long: number };
  /** How long a rate is kept up. */
  readonly seconds: number;
  /** Each rate is so much higher, or lower, than the last. */
  readonly growth: number;
  /** To learn what the application can do: so many requests by each of some clients. */
  readonly each: number;
}

const PACES: Readonly<Record<'default' | 'quick', Pace>> = {
  default: { burn: 1, backlogs: { long: 1024 }, seconds: 1, growth: 1.15, each: 25 },
  quick: { burn: 2, backlogs: { short: 8, long: 256 }, seconds: 0.2, growth: 1.5, each: 8 },
};

/** From where the limit is expected, 1.15^16 is nine times as far: it is not met, or always. */
const MOST_RATES = 16;
/** To learn what the application can do. */
const AT_A_TIME = 4;
/** Less than nginx's own minute. */
const SHORT_PATIENCE = 'proxy_connect_timeout 500ms;';
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

/** A subject, and how it is driven. */
interface Course {
  readonly lab: Lab;
  readonly subject: QueueSubject;
  readonly pace: Pace;
  /** The shorter one; undefined: the server's own. */
  readonly short: number | undefined;
}

export async function driveQueue(lab: Lab, subject: QueueSubject): Promise<Overload[]> {
  const pace = lab.words.quick ? PACES.quick : PACES.default;
  const { short, long } = pace.backlogs;
  const course: Course = { lab, subject, pace, short };
  const { breaks, capacity } = await bracketOf(course, short);
  const moves = [moveOf(course, long, await bracketOf(course, long)), ...(await otherMoves(course, long, breaks))];
  const { family, title, ownBacklog } = subject;
  return [
    {
      name: 'queue',
      family,
      title:
        family === 'unix'
          ? `a listen queue overflows, ${title}`
          : `a listen queue overflows, ${title}: the kernel asks again, and requests take seconds`,
      drive:
        `${title}, a connection per request, ${String(pace.burn)} ms of CPU each, of which it does ${count(capacity)} a ` +
        `second; backlog ${short === undefined ? `${String(ownBacklog)}, its own` : String(short)}, ` +
        `${duration(pace)} at each rate`,
      at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
      depth: breaks.depth && { value: breaks.depth.most, limit: breaks.depth.backlog, unit: 'connections' },
      error: family === 'unix' ? errorOfUnix(breaks) : await errorOfTcp(course, breaks),
      setting: settingsOf(moves),
      moves,
    },
  ];
}

/** uWSGI's is its own matter: it does not start with a backlog above the system's limit. */
async function otherMoves(course: Course, long: number, breaks: Attempt): Promise<OverloadMove[]> {
  const { subject, lab } = course;
  if (subject.language !== 'node') return [];
  const instead = subject.family === 'unix' ? await waitInstead(course, breaks) : await abortInstead(course, breaks);
  return [...(await systemLimit(lab, subject, long)), ...instead];
}

function duration(pace: Pace): string {
  return `${String(pace.seconds)} s`;
}

/** Rising rates on one stack, or falling ones, until one is held and the next is too high for its queue. */
async function bracketOf(course: Course, backlog: number | undefined): Promise<Bracket> {
  const { lab, subject, pace } = course;
  return withServing(course, backlog, {}, async (serving) => {
    const capacity = await capacityOf(serving.where, pace.each, lab.signal);
    const room = backlog ?? subject.ownBacklog;
    let [holds, breaks]: (Attempt | undefined)[] = [];
    // What comes beyond what it can do stands in the queue until that is full.
    let rate = capacity + room / pace.seconds;
    for (let i = 0; i < MOST_RATES; i++) {
      lab.step(`queue, ${subject.title}: backlog ${String(room)}, ${count(rate)} requests a second`);
      const tried = await attempt(course, serving, rate);
      if (isTooMuch(tried, subject)) breaks = tried;
      else holds = tried;
      if (holds && breaks) return { holds, breaks, capacity };
      rate = holds ? rate * pace.growth : rate / pace.growth;
    }
    throw new Error(`no rate was found that a backlog of ${String(room)} holds, and the next not`);
  });
}

async function capacityOf(where: Where, each: number, signal: AbortSignal): Promise<number> {
  const together = (): Promise<Row[]> =>
    Promise.all(Array.from({ length: AT_A_TIME }, () => inARow(where, each, signal)));
  // What is compiled while it is asked for the first time is not of it.
  await together();
  const begin = performance.now();
  await together();
  return (AT_A_TIME * each * MS) / (performance.now() - begin);
}

function isTooMuch(tried: Attempt, { family }: QueueSubject): boolean {
  if (family === 'unix') return (tried.statuses.get(200) ?? 0) < tried.sent;
  // Where nothing is counted: a packet that was dropped is sent again after a second.
  return tried.overflows === undefined ? tried.late > 0 : tried.overflows > 0;
}

async function withServing<T>(
  { lab, subject, pace }: Course,
  backlog: number | undefined,
  settings: FrontSettings,
  work: (serving: Serving) => Promise<T>,
): Promise<T> {
  const serving = await subject.start(lab, { backlog, burn: pace.burn, settings });
  try {
    return await work(serving);
  } finally {
    await serving.stop();
  }
}

/** `agent`: without the front, by connections of these. */
async function attempt(
  { lab, subject, pace }: Course,
  serving: Serving,
  rate: number,
  agent?: Agent,
): Promise<Attempt> {
  const { hop, log } = serving;
  let depth: Attempt['depth'];
  const look = (): void => {
    const seen = depthOf(hop);
    if (seen !== undefined && seen.most >= (depth?.most ?? 0)) depth = seen;
  };
  const before = tcpCounter(OVERFLOWS);
  const where = agent && 'path' in hop ? { socketPath: hop.path } : serving.where;
  const ended = await burst({ where, rate, seconds: pace.seconds, look, signal: lab.signal, agent });
  const isCounted = subject.family === 'tcp' && before !== undefined;
  const overflows = isCounted ? (tcpCounter(OVERFLOWS) ?? before) - before : undefined;
  return { ...ended, rate, depth, overflows, lines: log.newLines() };
}

function depthOf(target: Target): Attempt['depth'] {
  try {
    const { queued, backlog } = listenQueue('path' in target ? target.path : target);
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
async function errorOfTcp(course: Course, breaks: Attempt): Promise<string> {
  course.lab.step(`queue over tcp: ${unended(SHORT_PATIENCE)}`);
  const settings = { location: [SHORT_PATIENCE] };
  const impatient = await withServing(course, course.short, settings, (serving) =>
    attempt(course, serving, breaks.rate),
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

function moveOf({ subject, pace }: Course, backlog: number, { holds, breaks }: Bracket): OverloadMove {
  const setting = subject.settingOf(backlog);
  return {
    setting,
    at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` },
    seen:
      `holds ${count(holds.rate)} requests a second for ${duration(pace)}, the slowest after ` +
      `${seconds(holds.slowest)}, and overflows at ${count(breaks.rate)}`,
  };
}

/** nearwire as the client: it stands in line until there is room, where nginx is refused. */
async function waitInstead(course: Course, breaks: Attempt): Promise<OverloadMove[]> {
  course.lab.step('queue over unix: a client that waits for room');
  const waited = await withServing(course, course.short, {}, (serving) =>
    // A connection per request, as nginx makes them.
    attempt(course, serving, breaks.rate, new Agent()),
  );
  const setting = "new Agent() of nearwire/http in nginx's place (connectTimeout)";
  const bad = statuses(waited);
  const seen =
    `waits for room, at the same rate: ${bad === '' ? `200 for all ${count(waited.sent)}` : bad}, ` +
    `the slowest after ${seconds(waited.slowest)}`;
  return [{ setting, at: undefined, seen }];
}

/** A backlog above the system's limit is cut to it without a word; seen before and after that is raised. */
async function systemLimit(lab: Lab, subject: QueueSubject, backlog: number): Promise<OverloadMove[]> {
  const limit = Number(sysctl(SYSTEM_LIMIT));
  if (Number.isNaN(limit)) return [];
  // In a network of our own it may be set, so that it is seen to cap what was driven above.
  const lowered = lab.words.isolated && setSysctl(SYSTEM_LIMIT, Math.floor(backlog / 2));
  const cap = lowered ? Math.floor(backlog / 2) : limit;
  const asked = cap * 2;
  lab.step(`queue: a backlog of ${count(asked)} under ${SYSTEM_LIMIT}`);
  const setting = `sysctl -w ${SYSTEM_LIMIT}=${String(asked)}`;
  const move = (given: number, seen: string): OverloadMove[] => [
    { setting, at: { value: given, unit: 'connections' }, seen },
  ];
  try {
    const given = await backlogGiven(lab, subject, asked);
    if (given === undefined) return [];
    const capped = `${String(cap)} cuts a backlog of ${count(asked)} to ${count(given)}`;
    if (!lowered || !setSysctl(SYSTEM_LIMIT, asked)) return move(given, `${capped}, without a word`);
    const raised = (await backlogGiven(lab, subject, asked)) ?? given;
    return move(raised, `${capped}, and this leaves it at ${count(raised)}`);
  } finally {
    if (lowered) setSysctl(SYSTEM_LIMIT, limit);
  }
}

async function backlogGiven(lab: Lab, { family }: QueueSubject, backlog: number): Promise<number | undefined> {
  const app = await lab.app({ backlog, burn: 0, wait: 0 }, family);
  const given = depthOf(app.target)?.backlog;
  await app.stop();
  return given;
}

/** Where the kernel says no instead of waiting. Only in a network of our own: it holds for all of its ports. */
async function abortInstead(course: Course, breaks: Attempt): Promise<OverloadMove[]> {
  const { lab, pace, short } = course;
  if (!lab.words.isolated || !setSysctl(ABORT, 1)) return [];
  lab.step(`queue over tcp: ${ABORT}`);
  try {
    const aborted = await withServing(course, short, {}, (serving) => attempt(course, serving, breaks.rate));
    const setting = `sysctl -w ${ABORT}=1`;
    const told = statuses(aborted);
    const line = aborted.lines[0];
    const seen =
      told === ''
        ? `changes nothing here: handshakes are dropped before they come so far`
        : `has some fail instead of wait: ${told}${line === undefined ? '' : `; nginx: ${line}`}`;
    return [
      { setting, at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration(pace)}` }, seen },
    ];
  } finally {
    setSysctl(ABORT, 0);
  }
}
