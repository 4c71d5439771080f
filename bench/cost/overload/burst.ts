/** Requests to a front at a rate, whatever becomes of them: the plain C generator's, with a look at the host meanwhile. */
import { describeFailures, runLoad } from '../load.js';
import type { Target, Work } from '../model.js';
import { StackError } from '../processes.js';

/** How often is looked: finer than what an application that takes a millisecond a request can do between two looks. */
const LOOK_MS = 1;
/** Less than a drive may be silent for (STEP_MS of index.ts), more than any queue here takes to be worked off. */
export const PATIENCE_SECONDS = 30;

/** Where requests go, and what is asked for. */
export interface Asked {
  readonly target: Target;
  readonly work: Work;
}

export interface BurstOrder extends Asked {
  /** The plain C program. */
  readonly floor: string;
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly look?: () => void;
}

export interface Burst {
  /** Requests a second that were sent. */
  readonly rate: number;
  readonly sent: number;
  /** Answered with 200, and with as many bytes as is right. */
  readonly served: number;
  /** How many ended with each other status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Not answered within PATIENCE_SECONDS. */
  readonly unanswered: number;
  /** Milliseconds from when a request was due, that one in a hundred exceeds. */
  readonly p99: number;
  /** Milliseconds from the end of the rate to the last answer. */
  readonly lastAfter: number;
}

export async function burst({ floor, target, work, rate, seconds, signal, look }: BurstOrder): Promise<Burst> {
  const looking = setInterval(() => look?.(), LOOK_MS);
  try {
    const { begun, answered, p99, failures, ...figures } = await runLoad({
      ...{ floor, target, work, signal, load: { kind: 'open', rate, seconds } },
      // None has to wait for a connection, and none is opened before.
      ...{ connections: Math.ceil(rate * seconds), warmup: 0, patience: PATIENCE_SECONDS },
    });
    const { statuses, unanswered } = failures;
    // Of the front itself, which is not what is loaded beyond its limits: the demonstration is void. There are connections
    // for all, so what was not sent in time is the generator's own lateness: it was not sent, and is not counted.
    const ofFront = describeFailures({ ...failures, statuses: new Map(), unanswered: 0, unsent: 0 });
    if (ofFront !== '') throw new StackError(`the front was not to fail: ${ofFront}`);
    const lastAfter = Math.max(0, figures.seconds - seconds) * 1e3;
    return { rate: begun / seconds, sent: begun, served: answered, statuses, unanswered, p99: p99 / 1e3, lastAfter };
  } finally {
    clearInterval(looking);
  }
}

/** Answers a second with some requests under way at all times: what the application can do. */
export async function capacityOf(
  { target, work }: Asked,
  { floor, signal, seconds }: Pick<BurstOrder, 'floor' | 'signal' | 'seconds'>,
): Promise<number> {
  const { rate, failures } = await runLoad({
    ...{ floor, target, work, signal, load: { kind: 'closed', connections: 4, seconds } },
    // What is compiled while it is asked for the first time is not of it.
    warmup: seconds,
  });
  const told = describeFailures(failures);
  if (told !== '') throw new StackError(`asked for no more than it can do: ${told}`);
  return rate;
}
