/** Interprets the figures: the layers of a request, what changes them, and whether the hop is the bottleneck. */
import type { Chain, Configuration, Layer } from './configurations.js';
import { differences, estimateOf, forAnotherRun, layoutDeviation, type Blocks, type Estimate } from './estimate.js';
import { laneName, type Outstanding } from './measure.js';
import type { CostPlan } from './plan.js';
import type { CostRun } from './run.js';
import type { SystemCalls } from './system-calls.js';

/** From this share of a request's work on, the hop is relevant. */
export const WORTH_A_THOUGHT = 0.1;
/** From this share on, it is the most worthwhile part to improve. */
const BOTTLENECK = 1 / 3;

export interface LayerFigure {
  readonly layer: Layer;
  /** Microseconds per request. */
  readonly work: Estimate;
}

/**
 * What would disappear if the application ran inside the reverse proxy: the minimal hop, and what the app server adds.
 */
export interface HopVerdict {
  readonly work: Estimate;
  /** Its share of the whole. */
  readonly share: number;
  readonly isBottleneck: 'yes' | 'partly' | 'no';
  /** Microseconds: for an application that takes less, the hop is more than a tenth of the work. */
  readonly breakEven: number;
}

export interface ChainVerdict {
  readonly title: string;
  /** The request's work. */
  readonly whole: Estimate;
  /** They add up to the whole, except for the difference between medians of differences and differences of medians. */
  readonly layers: readonly LayerFigure[];
  /** undefined: for a stack with one server, or whose reverse proxy cannot be measured alone. */
  readonly hop: HopVerdict | undefined;
  /** The latency of a single request on two processors, in microseconds: for the whole, and for nginx alone. */
  readonly wait: { readonly whole: Estimate; readonly front: Estimate | undefined } | undefined;
  /** The system calls of a single request to an application that does nothing. */
  readonly calls: SystemCalls | undefined;
}

export interface ChangeVerdict {
  readonly title: string;
  /** Microseconds per request, relative to what it replaces. */
  readonly work: Estimate;
  /** Relative to the first chain's requests per second: 0.02 is 2 % more. */
  readonly rate: number;
}

/** The input of a verdict. */
export type Measured = Pick<CostRun, 'samples' | 'waits' | 'calls'>;

export interface Verdict {
  readonly chains: readonly ChainVerdict[];
  readonly changes: readonly ChangeVerdict[];
}

/** For chains and changes of which all configurations have been measured. */
export function verdictOf(
  { chains, changes }: Pick<CostPlan, 'chains' | 'changes'>,
  measured: Measured,
  outstanding: Outstanding,
): Verdict {
  const of = (configuration: Configuration): Blocks | undefined =>
    measured.samples.get(laneName(configuration, outstanding));
  const layered = chains.flatMap((chain) => layersOf(chain, of) ?? []);
  // The deviation of configurations with an application grows with its work.
  const added = layered.flatMap(({ layers }) => layers.slice(1));
  const layoutOf = (isApp: boolean): number =>
    layoutDeviation(added.filter(({ layer }) => (layer === 'app') === isApp).map(({ blocks }) => blocks));
  const layout = { small: layoutOf(false), app: layoutOf(true) };
  const verdicts = layered.map((chain) => chainVerdict(chain, layout, measured));
  const [first] = verdicts;
  if (first === undefined || layered[0]?.chain !== chains[0]) return { chains: verdicts, changes: [] };
  return {
    chains: verdicts,
    changes: changes.flatMap(({ title, configuration, insteadOf }) => {
      const [changed, before] = [of(configuration), of(insteadOf)];
      if (changed === undefined || before === undefined) return [];
      const work = expected(differences(changed, before), layout.small);
      return [{ title, work, rate: first.whole.median / (first.whole.median + work.median) - 1 }];
    }),
  };
}

interface LayeredChain {
  readonly chain: Chain;
  readonly whole: Blocks;
  /** Each step minus the previous one. */
  readonly layers: readonly { readonly layer: Layer; readonly blocks: Blocks; readonly configuration: Configuration }[];
}

/** undefined: it has not been measured completely. */
function layersOf(chain: Chain, of: (configuration: Configuration) => Blocks | undefined): LayeredChain | undefined {
  let whole: Blocks | undefined;
  const layers = [];
  for (const { layer, configuration } of chain.steps) {
    const blocks = of(configuration);
    if (blocks === undefined) return undefined;
    layers.push({ layer, configuration, blocks: whole === undefined ? blocks : differences(blocks, whole) });
    whole = blocks;
  }
  return whole && { chain, whole, layers };
}

function chainVerdict(
  { chain, whole: all, layers }: LayeredChain,
  layout: { readonly small: number; readonly app: number },
  { waits, calls }: Measured,
): ChainVerdict {
  const named = (name: Layer): LayeredChain['layers'][number] | undefined => layers.find(({ layer }) => layer === name);
  const [front, least, server, last] = [named('front'), named('hop'), named('server'), layers.at(-1)];
  const whole = expectedAlone(all);
  const hop = least && server && expected(sums(least.blocks, server.blocks), layout.small);
  const waitOf = (configuration: Configuration | undefined): Blocks | undefined =>
    configuration && waits.get(configuration.name);
  const [waited, waitedFront] = [waitOf(last?.configuration), waitOf(front?.configuration)];
  const waitLayout = layoutDeviation([waited, waitedFront].filter((blocks) => blocks !== undefined));
  return {
    ...{ title: chain.title, whole },
    layers: layers.map(({ layer, blocks }, i) => ({
      layer,
      work: i === 0 ? expectedAlone(blocks) : expected(blocks, layer === 'app' ? layout.app : layout.small),
    })),
    hop: hop && front && hopVerdict(hop, whole, expectedAlone(front.blocks)),
    wait: waited && {
      whole: expected(waited, waitLayout),
      front: waitedFront && expected(waitedFront, waitLayout),
    },
    calls: server && calls.get(server.configuration.name),
  };
}

function expected(blocks: Blocks, layout: number): Estimate {
  return forAnotherRun(estimateOf(blocks, layout));
}

/** Includes the host's variation during the run. */
function expectedAlone(blocks: Blocks): Estimate {
  return expected(blocks, layoutDeviation([blocks]));
}

function hopVerdict(work: Estimate, whole: Estimate, front: Estimate): HopVerdict {
  const share = work.median / whole.median;
  return {
    ...{ work, share },
    isBottleneck: share >= BOTTLENECK ? 'yes' : share >= WORTH_A_THOUGHT ? 'partly' : 'no',
    breakEven: Math.max(0, (1 / WORTH_A_THOUGHT - 1) * work.median - front.median),
  };
}

/** Sweep by sweep. */
function sums(one: Blocks, other: Blocks): Blocks {
  return one.map((block, i) => block.map((value, sweep) => value + (other[i]?.[sweep] ?? NaN)));
}
