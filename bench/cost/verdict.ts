/** What the figures say: the layers of a request, what changes them, and whether the hop is the bottleneck. */
import type { Chain, Change, Configuration, Layer } from './configurations.js';
import { differences, estimateOf, layoutDeviation, type Blocks, type Estimate } from './estimate.js';
import { laneName, type Outstanding } from './measure.js';
import type { CostPlan } from './plan.js';
import type { CostRun, Samples } from './run.js';
import type { SystemCalls } from './system-calls.js';

/** From this share of a request's work on, the hop is worth a thought. */
export const WORTH_A_THOUGHT = 0.1;
/** From this share on nothing else is worth more. */
const BOTTLENECK = 1 / 3;

export interface LayerFigure {
  readonly layer: Layer;
  /** Microseconds a request. */
  readonly work: Estimate;
}

/** What would not be there if the application ran in the front: the hop at its least, and what the app server adds. */
export interface HopVerdict {
  readonly work: Estimate;
  /** Of the whole. */
  readonly share: number;
  readonly isBottleneck: 'yes' | 'partly' | 'no';
  /** Microseconds: an application that takes less has a hop of over a tenth of the work. */
  readonly breakEven: number;
}

export interface ChainVerdict {
  readonly title: string;
  readonly outstanding: Outstanding;
  /** The request's work. */
  readonly whole: Estimate;
  /** They add up to the whole but for what medians of differences do. */
  readonly layers: readonly LayerFigure[];
  /** undefined: of a stack with one server, or whose front can't be had by itself. */
  readonly hop: HopVerdict | undefined;
  /** What a lone user waits on two processors, microseconds: for all of it, and for nginx alone. */
  readonly wait: { readonly whole: Estimate; readonly front: Estimate | undefined } | undefined;
  /** Of a lone request to an application that does nothing. */
  readonly calls: SystemCalls | undefined;
}

export interface ChangeVerdict {
  readonly title: string;
  /** Microseconds a request, more or less than what it stands instead of. */
  readonly work: Estimate;
  /** Of the first chain's requests a second: 0.02 are 2 % more. */
  readonly rate: number;
}

/** What a verdict is made of. */
export type Measured = Pick<CostRun, 'samples' | 'waits' | 'calls'>;

export interface Verdict {
  readonly chains: readonly ChainVerdict[];
  readonly changes: readonly ChangeVerdict[];
}

/** Those of one load. */
class Figures {
  readonly outstanding: Outstanding;
  private readonly samples: Samples;
  /** Of what is without an application of its own, and of what is with one, whose deviation grows with its work. */
  private readonly layout: { readonly small: number; readonly app: number };

  constructor(chains: readonly Chain[], samples: Samples, outstanding: Outstanding) {
    this.samples = samples;
    this.outstanding = outstanding;
    const deviation = (isApp: boolean): number =>
      layoutDeviation(
        chains.flatMap(({ steps }) =>
          steps.flatMap(({ layer, configuration }, i) =>
            i > 0 && (layer === 'app') === isApp ? [this.difference(configuration, steps[i - 1]?.configuration)] : [],
          ),
        ),
      );
    this.layout = { small: deviation(false), app: deviation(true) };
  }

  has(configuration: Configuration): boolean {
    return this.samples.has(laneName(configuration, this.outstanding));
  }

  /** Microseconds a request: what the host did meanwhile is in it. */
  all(of: Configuration): Estimate {
    const blocks = this.blocks(of);
    return estimateOf(blocks, layoutDeviation([blocks]));
  }

  /** Microseconds a request that the one takes more than the other. */
  more(of: Configuration, than: Configuration, size: keyof Figures['layout'] = 'small'): Estimate {
    return estimateOf(this.difference(of, than), this.layout[size]);
  }

  private difference(of: Configuration, than: Configuration | undefined): Blocks {
    return than === undefined ? this.blocks(of) : differences(this.blocks(of), this.blocks(than));
  }

  private blocks(configuration: Configuration): Blocks {
    return this.samples.get(laneName(configuration, this.outstanding)) ?? [];
  }
}

/** Of chains and changes all of whose configurations have been measured. */
export function verdictOf(
  { chains, changes }: Pick<CostPlan, 'chains' | 'changes'>,
  { samples, waits, calls }: Measured,
  outstanding: Outstanding,
): Verdict {
  const isMeasured = ({ steps }: Chain): boolean =>
    steps.every(({ configuration }) => samples.has(laneName(configuration, outstanding)));
  const figures = new Figures(chains.filter(isMeasured), samples, outstanding);
  const verdicts = new Map(
    chains.filter(isMeasured).map((chain) => [chain, chainVerdict(chain, figures, waits, calls)]),
  );
  const first = chains[0] && verdicts.get(chains[0]);
  return {
    chains: [...verdicts.values()],
    changes:
      first === undefined
        ? []
        : changes
            .filter(({ configuration, insteadOf }) => figures.has(configuration) && figures.has(insteadOf))
            .map((change) => changeVerdict(change, first, figures)),
  };
}

function chainVerdict(
  { title, steps }: Chain,
  figures: Figures,
  waits: Samples,
  calls: CostRun['calls'],
): ChainVerdict {
  const of = (layer: Layer): Configuration | undefined => steps.find((step) => step.layer === layer)?.configuration;
  const [front, server, app] = [of('front'), of('server'), of('app')];
  if (!server) throw new RangeError(`${title} is no chain`);
  const whole = figures.all(app ?? server);
  return {
    ...{ title, outstanding: figures.outstanding, whole },
    layers: steps.map(({ layer, configuration }, i) => {
      const before = steps[i - 1]?.configuration;
      const work = before
        ? figures.more(configuration, before, layer === 'app' ? 'app' : 'small')
        : figures.all(configuration);
      return { layer, work };
    }),
    hop: front && hopVerdict(figures.more(server, front), whole, figures.all(front)),
    wait: waitOf(waits, app ?? server, front),
    calls: calls.get(server.name),
  };
}

function hopVerdict(work: Estimate, whole: Estimate, front: Estimate): HopVerdict {
  const share = work.median / whole.median;
  return {
    ...{ work, share },
    isBottleneck: share >= BOTTLENECK ? 'yes' : share >= WORTH_A_THOUGHT ? 'partly' : 'no',
    breakEven: Math.max(0, (1 / WORTH_A_THOUGHT - 1) * work.median - front.median),
  };
}

function waitOf(waits: Samples, last: Configuration, first: Configuration | undefined): ChainVerdict['wait'] {
  const [whole, front] = [waits.get(last.name), first && waits.get(first.name)];
  if (whole === undefined) return undefined;
  const layout = layoutDeviation([whole, ...(front ? [front] : [])]);
  return { whole: estimateOf(whole, layout), front: front && estimateOf(front, layout) };
}

function changeVerdict(
  { title, configuration, insteadOf }: Change,
  { whole }: ChainVerdict,
  figures: Figures,
): ChangeVerdict {
  const work = figures.more(configuration, insteadOf);
  return { title, work, rate: whole.median / (whole.median + work.median) - 1 };
}
