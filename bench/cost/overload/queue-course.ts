/** How a listen queue is driven: at rising rates, or falling ones, until one is held and the next is too high for it. */
import { listenQueue } from '../../../src/tune.js';
import type { Target } from '../model.js';
import { burst, capacityOf, type Burst } from './burst.js';
import type { FrontSettings } from './front.js';
import type { Lab } from './lab.js';
import { OVERFLOWS, tcpCounter } from './network.js';
import type { QueueSubject, Serving } from './queue-subjects.js';
import { count } from './words.js';

export interface Pace {
  /** CPU for each request, in milliseconds: what makes the application's capacity known, and low. */
  readonly burn: number;
  /** The longer queue, and the shorter one where it is not the server's own. */
  readonly backlogs: { readonly short?: number; readonly long: number };
  /** How long a rate is kept up. */
  readonly seconds: number;
  /** Each rate is so much higher, or lower, than the last. */
  readonly growth: number;
  /** Seconds to learn what the application can do. */
  readonly learning: number;
}

export const PACES: Readonly<Record<'default' | 'quick', Pace>> = {
  default: { burn: 1, backlogs: { long: 1024 }, seconds: 1, growth: 1.15, learning: 0.3 },
  quick: { burn: 2, backlogs: { short: 8, long: 256 }, seconds: 0.2, growth: 1.5, learning: 0.1 },
};

/** From where the limit is expected, 1.15^16 is nine times as far: it is not met, or always. */
const MOST_RATES = 16;

/** A subject, and how it is driven. */
export interface Course {
  readonly lab: Lab;
  readonly subject: QueueSubject;
  readonly pace: Pace;
  /** The shorter one; undefined: the server's own. */
  readonly short: number | undefined;
}

/** What a rate has come to. */
export interface Attempt extends Burst {
  /** The most connections found waiting, and the backlog; undefined where the system does not tell. */
  readonly depth: { readonly most: number; readonly backlog: number } | undefined;
  /** Handshakes dropped for want of room; undefined over UNIX. */
  readonly overflows: number | undefined;
  /** Of the front's log. */
  readonly lines: readonly string[];
}

/** The highest rate that was held, and the lowest that was not. */
export interface Bracket {
  readonly holds: Attempt;
  readonly breaks: Attempt;
  /** Requests a second that the application does at the most. */
  readonly capacity: number;
}

/** On one stack. */
export async function bracketOf(course: Course, backlog: number | undefined): Promise<Bracket> {
  const { lab, subject, pace } = course;
  return withServing(course, backlog, {}, async (serving) => {
    const learning = { floor: lab.floor, signal: lab.signal, seconds: pace.learning };
    const capacity = await capacityOf(serving.asked, learning);
    const room = backlog ?? subject.ownBacklog;
    let [holds, breaks]: (Attempt | undefined)[] = [];
    // What comes beyond what it can do stands in the queue until that is full.
    let rate = capacity + room / pace.seconds;
    for (let i = 0; i < MOST_RATES; i++) {
      lab.step(`queue, ${subject.title}: backlog ${String(room)}, ${count(rate)} requests a second`);
      const tried = await attempt(course, serving, rate);
      if (isTooMuch(tried)) breaks = tried;
      else holds = tried;
      if (holds && breaks) return { holds, breaks, capacity };
      rate = holds ? rate * pace.growth : rate / pace.growth;
    }
    throw new Error(`no rate was found that a backlog of ${String(room)} holds, and the next not`);
  });
}

/** Over TCP what found no room is served in the end: only the kernel's count tells of it. */
function isTooMuch({ served, sent, overflows = 0 }: Attempt): boolean {
  return served < sent || overflows > 0;
}

export async function withServing<T>(
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

export async function attempt(
  { lab, subject, pace }: Course,
  { asked, hop, log }: Serving,
  rate: number,
): Promise<Attempt> {
  let depth: Attempt['depth'];
  const look = (): void => {
    const seen = depthOf(hop);
    if (seen !== undefined && seen.most >= (depth?.most ?? 0)) depth = seen;
  };
  const overflowsSoFar = (): number => tcpCounter(OVERFLOWS) ?? 0;
  const before = overflowsSoFar();
  const ended = await burst({ ...asked, floor: lab.floor, rate, seconds: pace.seconds, look, signal: lab.signal });
  const overflows = subject.family === 'tcp' ? overflowsSoFar() - before : undefined;
  return { ...ended, depth, overflows, lines: log.newLines() };
}

export function depthOf(target: Target): Attempt['depth'] {
  try {
    const { queued, backlog } = listenQueue('path' in target ? target.path : target);
    return { most: queued, backlog };
  } catch {
    // Without the addon, in a sandbox, or on a system that tells of no queues.
    return undefined;
  }
}
