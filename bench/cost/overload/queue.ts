/**
 * The listen queue: an application that takes a known CPU for each request is asked faster than it can answer, for a
 * while. What it has not accepted stands in its queue until that is full. Over a UNIX socket the next connect fails at
 * once; over TCP the kernel drops the packet, and asks again after a second.
 */
import type { Overload, OverloadMove } from '../model.js';
import type { Lab } from './lab.js';
import { OVERFLOWS } from './network.js';
import { attempt, bracketOf, PACES, withServing, type Attempt, type Course } from './queue-course.js';
import { longerQueue, systemLimit, waitInstead } from './queue-moves.js';
import type { QueueSubject } from './queue-subjects.js';
import { count, failuresOf, seconds, settingsOf, unended } from './words.js';

/** Less than nginx's own minute. */
const SHORT_PATIENCE = 'proxy_connect_timeout 500ms;';
/** What is seen of a full queue with another setting is driven well beyond where it begins to overflow. */
const WELL_BEYOND = 2;
const ABORT = 'net.ipv4.tcp_abort_on_overflow';

export async function driveQueue(lab: Lab, subject: QueueSubject): Promise<Overload[]> {
  const pace = lab.words.quick ? PACES.quick : PACES.default;
  const { short, long } = pace.backlogs;
  const course: Course = { lab, subject, pace, short };
  const { breaks, capacity } = await bracketOf(course, short);
  const longer = longerQueue(course, long, await bracketOf(course, long));
  const moves = [longer, ...(await otherMoves(course, long, breaks))];
  const { family, title, ownBacklog } = subject;
  const duration = `${String(pace.seconds)} s`;
  return [
    {
      name: 'queue',
      family,
      title: `a listen queue overflows, ${title}`,
      drive:
        `${title}, a connection per request, ${String(pace.burn)} ms of CPU each; it does ${count(capacity)} a second; ` +
        `backlog ${short === undefined ? `${String(ownBacklog)}, its own` : String(short)}; ${duration} at each rate`,
      at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration}` },
      depth: breaks.depth && {
        value: breaks.depth.most,
        limit: breaks.depth.backlog,
        unit: 'connections in the queue (it is full at backlog + 1)',
      },
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
  const instead = subject.family === 'unix' ? await waitInstead(course, breaks) : [];
  return [...(await systemLimit(lab, subject, long)), ...instead];
}

function errorOfUnix(breaks: Attempt): string {
  return `${failuresOf(breaks)}; nginx: ${breaks.lines[0] ?? 'nothing logged'}`;
}

/** By itself nginx waits for a minute; what it says when it waits for less, and when the kernel says no. */
async function errorOfTcp(course: Course, breaks: Attempt): Promise<string> {
  const { sent, p99, lastAfter, overflows = 0 } = breaks;
  const failed = failuresOf(breaks);
  const slow =
    `${failed === '' ? `none: 200 for all ${count(sent)} requests` : failed}, one in a hundred after ${seconds(p99)} ` +
    `or more, the last ${seconds(lastAfter)} after the rate had ended; ` +
    `TcpExt ${OVERFLOWS} (nstat -az) rose by ${count(overflows)}`;
  const { lab } = course;
  const impatient = await beyond(course, breaks, [SHORT_PATIENCE]);
  // It holds for all ports of its network.
  const aborted = await lab.withSysctl(ABORT, 1, () => beyond(course, breaks, []));
  return [
    slow,
    `with ${unended(SHORT_PATIENCE)}, ${impatient}`,
    ...(aborted === undefined ? [] : [`with sysctl -w ${ABORT}=1, ${aborted}`]),
  ].join('; ');
}

/** Well beyond the limit: what is answered, and the first words of the log. */
async function beyond(course: Course, { rate }: Attempt, location: readonly string[]): Promise<string> {
  const { lab, short } = course;
  const high = rate * WELL_BEYOND;
  lab.step(`queue over tcp: ${count(high)} requests a second, ${unended(...location) || ABORT}`);
  const seen = await withServing(course, short, { location }, (serving) => attempt(course, serving, high));
  const failed = failuresOf(seen);
  const told = seen.lines[0] === undefined ? '' : `; nginx: ${seen.lines[0]}`;
  return `at ${count(high)} a second, ${failed === '' ? `200 for all ${count(seen.sent)} requests` : failed}${told}`;
}
