/**
 * A stack's request put together from parts that were never part of it, and held against the whole.
 *
 * Beside the stack, front -> app, stands another one, front -> plain C server. One generator asks two of the four in turn:
 *
 *   whole:  the stack, and the plain C server directly
 *   parts:  the front before the plain C server, and the app directly, as the front asks it
 *
 * Both pairs are the same processes' work on the same kinds of connections, put together otherwise: if a front costs what
 * it costs whatever the app, and an app whoever asks it, both take the same time and the same CPU. What each does to the
 * other's caches is in both: measured by itself a part is cheaper, by up to a third.
 *
 * Generator and fronts are bound to one processor, app and plain C server to another. Where the scheduler lets each run
 * moves a lone request's time by a fifth, and it does not treat both pairs alike.
 */
import { allowedCores, bindThreads } from '../placement.js';
import { cpuBetween, cpuMissing, readCpu } from './cpu.js';
import { frontOf, PROXY } from './front.js';
import { startPlainServer } from './hop-alone.js';
import { describeFailures, LoadGenerator, type Speech } from './load.js';
import { CROWD, MeasureError, type MeasureOptions } from './measure.js';
import type { CrossCheckSample, Hop, RunningStack, Stack, StackPlace, Target, Work } from './model.js';
import { launchProxy } from './proxy/launch.js';
import { launchNginx, proxyOptions, uwsgiOptions } from './stacks/nginx.js';
import { startParts } from './stacks/parts.js';

/** One after the other, of each pair: where a connection's ends lie in memory is luck, and stays so for its time. */
const GENERATORS = 4;
/** Of each generator. What changes steadily meanwhile is the same for both. */
const SLICES = ['whole', 'parts', 'parts', 'whole'] as const;

type Pair = (typeof SLICES)[number];

export interface CrossCheckOptions extends Pick<MeasureOptions, 'floor' | 'timing' | 'signal' | 'onNote'> {
  /** With an empty folder of its own. */
  readonly place: StackPlace;
}

/**
 * undefined: the stack has no hop, or one whose protocol nobody else speaks, or the plain C server can't give the same
 * answer as its length is not known. The stack is warm; it stays bound to its processors.
 */
export async function measureCrossCheck(
  stack: Pick<Stack, 'name' | 'hop'>,
  running: RunningStack,
  work: Work,
  round: number,
  options: CrossCheckOptions,
): Promise<CrossCheckSample | undefined> {
  const { hop } = stack;
  const { hopTarget } = running;
  if (!hop || !hopTarget || hop.protocol === 'mod_wsgi' || work.answerBytes === undefined) return undefined;
  const { place } = options;
  const plain = await startPlainServer(hop, work.answerBytes, { ...options, folder: place.folder });
  try {
    const front = await startFront(stack.name, hop, plain.target, place);
    try {
      const fronts = [...running.pids('front'), ...front.pids('front')];
      const { core, all } = bind(fronts, [...running.pids('app'), ...plain.pids]);
      if (!all)
        options.onNote(`${stack.name} ${work.name}: put together with processes that could not be bound to a core`);
      const speech = { protocol: hop.protocol, connections: hop.connections };
      const pairs: Pairs = {
        whole: [{ target: running.target }, { target: plain.target, speech }],
        parts: [{ target: front.target }, { target: hopTarget, speech }],
      };
      const checking = new Checking(work, pairs, { ...options, core, fronts, apps: () => running.pids('app') });
      const [lone, crowd] = [await checking.take(1), await checking.take(CROWD)];
      return { stack: stack.name, work: work.name, round, time: timeOf(lone), cpu: cpuOf(crowd) };
    } finally {
      await front.stop();
    }
  } finally {
    await plain.stop();
  }
}

/** The core of the generators, undefined where there is but one, or none can be chosen; and whether all are where they should. */
function bind(fronts: readonly number[], apps: readonly number[]): { core: number | undefined; all: boolean } {
  const cores = allowedCores();
  const [first, last] = [cores[0], cores.at(-1)];
  if (first === undefined || last === undefined || first === last) return { core: undefined, all: true };
  const bound = [bindThreads(fronts, first), bindThreads(apps, last)];
  return { core: first, all: !bound.includes(false) };
}

function startFront(stack: string, hop: Hop, target: Target, place: StackPlace): Promise<RunningStack> {
  return startParts(place, async (parts) => {
    if (frontOf(stack) === PROXY) {
      return { target: await launchProxy(parts, { target, connections: hop.connections }), hopTarget: target };
    }
    const upstream = hop.protocol === 'uwsgi' ? uwsgiOptions(target) : proxyOptions(target, hop.connections);
    const served = await launchNginx(parts, upstream);
    await parts.untilListening(served);
    return { target: served, hopTarget: target };
  });
}

interface Asked {
  readonly target: Target;
  readonly speech?: Speech;
}

type Pairs = Readonly<Record<Pair, readonly [Asked, Asked]>>;

/** What was taken of a pair, a value for each slice. */
interface Taken {
  readonly first: number[];
  readonly second: number[];
  /** CPU of fronts and app, microseconds a pair of requests. */
  readonly cpu: number[];
}

interface CheckingOptions extends Pick<CrossCheckOptions, 'floor' | 'timing' | 'signal'> {
  readonly core: number | undefined;
  readonly fronts: readonly number[];
  apps(): readonly number[];
}

class Checking {
  private readonly work: Work;
  private readonly pairs: Pairs;
  private readonly options: CheckingOptions;

  constructor(work: Work, pairs: Pairs, options: CheckingOptions) {
    this.work = work;
    this.pairs = pairs;
    this.options = options;
  }

  /** `connections`: how many pairs of requests are under way. */
  async take(connections: number): Promise<Readonly<Record<Pair, Taken>>> {
    const taken: Record<Pair, Taken> = {
      whole: { first: [], second: [], cpu: [] },
      parts: { first: [], second: [], cpu: [] },
    };
    for (let i = 0; i < GENERATORS; i++) {
      const whole = await this.open('whole', connections);
      try {
        const parts = await this.open('parts', connections);
        try {
          for (const pair of SLICES) await this.slice(pair === 'whole' ? whole : parts, taken[pair]);
        } finally {
          await parts.stop();
        }
      } finally {
        await whole.stop();
      }
    }
    return taken;
  }

  private open(pair: Pair, connections: number): Promise<LoadGenerator> {
    const { floor, timing, signal, core } = this.options;
    const [{ target, speech }, second] = this.pairs[pair];
    const load = { kind: 'closed' as const, connections, seconds: timing.slice };
    return LoadGenerator.open({
      ...{ floor, signal, work: this.work, target, second, load },
      ...(speech && { speech }),
      ...(core !== undefined && { core }),
    });
  }

  private async slice(generator: LoadGenerator, { first, second, cpu }: Taken): Promise<void> {
    const { fronts, apps } = this.options;
    const before = readCpu([...fronts, ...apps()]);
    const { medians, begun, answered, failures } = await generator.stretch();
    const { user, system } = cpuBetween(before, readCpu([...fronts, ...apps()]));
    const [one, other] = medians;
    if (answered < begun || one === undefined || other === undefined) {
      throw new MeasureError(`of ${String(begun)} requests ${describeFailures(failures) || 'none ended'}`);
    }
    first.push(one);
    second.push(other);
    cpu.push((user + system) / (begun / 2));
  }
}

function timeOf({ whole, parts }: Readonly<Record<Pair, Taken>>): CrossCheckSample['time'] {
  return {
    ...{ whole: mean(whole.first), plain: mean(whole.second) },
    ...{ front: mean(parts.first), app: mean(parts.second) },
  };
}

function cpuOf({ whole, parts }: Readonly<Record<Pair, Taken>>): CrossCheckSample['cpu'] {
  return cpuMissing() === undefined ? { whole: mean(whole.cpu), parts: mean(parts.cpu) } : undefined;
}

/** Sums are made of them: the medians of parts need not add up to the median of the whole. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
