/** What moves the limit of a listen queue, each seen to do so. */
import { Agent } from '../../../src/http.js';
import type { OverloadMove } from '../model.js';
import type { Lab } from './lab.js';
import { depthOf, withServing, type Attempt, type Bracket, type Course } from './queue-course.js';
import type { QueueSubject } from './queue-subjects.js';
import { atOnce } from './requests.js';
import { count, seconds } from './words.js';

const SYSTEM_LIMIT = 'net.core.somaxconn';

/** What the same rates come to with a longer queue. */
export function longerQueue({ subject, pace }: Course, backlog: number, { holds, breaks }: Bracket): OverloadMove {
  const duration = `${String(pace.seconds)} s`;
  return {
    setting: subject.settingOf(backlog),
    at: { value: Math.round(breaks.rate), unit: `requests a second, for ${duration}` },
    seen:
      `holds ${count(holds.rate)} requests a second for ${duration}, one in a hundred waits ${seconds(holds.p99)} ` +
      `or more; overflows at ${count(breaks.rate)}`,
  };
}

/**
 * A backlog above the system's limit is cut to it without a word: seen with a low limit, and with one that is raised. Only
 * in a network of our own, which has a limit of its own.
 */
export async function systemLimit(lab: Lab, subject: QueueSubject, backlog: number): Promise<OverloadMove[]> {
  const low = Math.floor(backlog / 2);
  const given = await lab.withSysctl(SYSTEM_LIMIT, low, async () => {
    lab.step(`queue: a backlog of ${count(backlog)} under ${SYSTEM_LIMIT}`);
    const cut = await backlogGiven(lab, subject, backlog);
    return lab.setSysctl(SYSTEM_LIMIT, backlog)
      ? { cut, raised: await backlogGiven(lab, subject, backlog) }
      : undefined;
  });
  if (given?.cut === undefined || given.raised === undefined) return [];
  const { cut, raised } = given;
  return [
    {
      setting: `sysctl -w ${SYSTEM_LIMIT}=${String(backlog)}`,
      at: { value: raised, unit: 'connections in the queue' },
      seen: `a backlog of ${count(backlog)} is ${count(raised)}; with ${String(low)} it was cut to ${count(cut)}`,
    },
  ];
}

async function backlogGiven(lab: Lab, { family }: QueueSubject, backlog: number): Promise<number | undefined> {
  const app = await lab.app({ backlog, burn: 0, wait: 0 }, family);
  const given = depthOf(app.target)?.backlog;
  await app.stop();
  return given;
}

/** nearwire as the client: it stands in line until there is room, where nginx is refused. */
export async function waitInstead(course: Course, { sent }: Attempt): Promise<OverloadMove[]> {
  const { lab, short } = course;
  lab.step('queue over unix: a client that waits for room');
  return withServing(course, short, {}, async ({ hop, asked }) => {
    if (!('path' in hop)) return [];
    const where = { socketPath: hop.path, path: asked.work.path };
    // A connection per request, as nginx makes them.
    const { served, failures, took } = await atOnce(where, sent, new Agent(), lab.signal);
    const setting = "new Agent() of nearwire/http in nginx's place (connectTimeout)";
    const failed = [...failures].map(([what, times]) => `, ${what} for ${count(times)}`).join('');
    const seen =
      `stands in line until there is room: of ${count(sent)} requests at once 200 for ${count(served)}${failed}, ` +
      `the last after ${seconds(took)}`;
    return [{ setting, at: failed === '' ? undefined : { value: served, unit: 'requests at once' }, seen }];
  });
}
