/** What the figures say: the layers of a request, what changes them, and whether the hop is the bottleneck. */
import type { Chain, Change, Configuration, Layer } from './configurations.js';
import { differences, estimateOf, layoutDeviation, type Blocks, type Estimate } from './estimate.js';
import { laneName, type Outstanding } from './measure.js';
import type { LayerSamples, LayersPlan, LayersRun } from './run.js';

/** From this share of a request's work on, the hop is worth a thought. */
export const WORTH_A_THOUGHT = 0.1;
/** From this share on nothing else is worth more. */
const BOTTLENECK = 1 / 3;

export interface LayerFigure {
  readonly layer: Layer;
  /** Microseconds a request. */
  readonly work: Estimate;
}

export interface ChainVerdict {
  readonly title: string;
  readonly outstanding: Outstanding;
  /** The request's work: all but the client's. */
  readonly whole: Estimate;
  /** Without the client's. They add up to the whole but for what medians of differences do. */
  readonly layers: readonly LayerFigure[];
  /** What would not be there if the application ran in the front: hop at its least, and what server and protocol add to it. */
  readonly hop: Estimate;
  /** `hop` of `whole`. */
  readonly share: number;
  readonly isBottleneck: 'yes' | 'partly' | 'no';
  /** What a lone user waits on two processors, microseconds: for all of it, and for nginx alone. */
  readonly wait: { readonly whole: Estimate; readonly front: Estimate } | undefined;
  /** Microseconds: an application that takes less has a hop of over a tenth of the work. */
  readonly breakEven: number;
}

export interface ChangeVerdict {
  readonly title: string;
  /** Microseconds a request, more or less than what it stands instead of. */
  readonly work: Estimate;
  /** Of requests a second: 0.02 are 2 % more. */
  readonly rate: number;
}

/** What a verdict is made of. */
export type Measured = Pick<LayersRun, 'samples' | 'waits'>;

export interface Verdict {
  readonly chains: readonly ChainVerdict[];
  readonly changes: readonly ChangeVerdict[];
}

/** Those of one load. */
class Figures {
  readonly outstanding: Outstanding;
  private readonly samples: LayerSamples;
  private readonly layout: number;

  constructor({ chains }: LayersPlan, samples: LayerSamples, outstanding: Outstanding) {
    this.samples = samples;
    this.outstanding = outstanding;
    this.layout = layoutDeviation(
      chains.flatMap(({ steps }) =>
        steps.slice(1).map(({ configuration }, i) => this.difference(configuration, steps[i]?.configuration)),
      ),
    );
  }

  /** Microseconds a request that the one takes more than the other. */
  more(of: Configuration, than: Configuration | undefined): Estimate {
    return estimateOf(this.difference(of, than), this.layout);
  }

  private difference(of: Configuration, than: Configuration | undefined): Blocks {
    return than === undefined ? this.blocks(of) : differences(this.blocks(of), this.blocks(than));
  }

  private blocks(configuration: Configuration): Blocks {
    return this.samples.get(laneName(configuration, this.outstanding)) ?? [];
  }
}

/** Of chains and changes all of whose configurations have been measured. */
export function verdictOf(all: LayersPlan, run: Measured, outstanding: Outstanding): Verdict {
  const { samples, waits } = run;
  const isThere = (configuration: Configuration): boolean => samples.has(laneName(configuration, outstanding));
  const plan = {
    chains: all.chains.filter(({ steps }) => steps.every(({ configuration }) => isThere(configuration))),
    changes: all.changes.filter(({ configuration, insteadOf, client }) =>
      [configuration, insteadOf, client].every(isThere),
    ),
  };
  const figures = new Figures(plan, samples, outstanding);
  return {
    chains: plan.chains.map((chain) => ({ ...chainVerdict(chain, figures), wait: waitOf(chain, waits) })),
    changes: plan.changes.map((change) => changeVerdict(change, figures)),
  };
}

function waitOf({ steps }: Chain, waits: LayerSamples): ChainVerdict['wait'] {
  const [front, whole] = [steps[1], steps.at(-1)].map((step) => waits.get(step?.configuration.name ?? ''));
  if (!front || !whole) return undefined;
  const layout = layoutDeviation([front, whole]);
  return { whole: estimateOf(whole, layout), front: estimateOf(front, layout) };
}

function chainVerdict({ title, steps }: Chain, figures: Figures): Omit<ChainVerdict, 'wait'> {
  const of = (layer: Layer): Configuration | undefined => steps.find((step) => step.layer === layer)?.configuration;
  const [client, front, server] = [of('client'), of('front'), of('server')];
  const last = steps.at(-1)?.configuration;
  if (!client || !front || !server || !last) throw new RangeError(`${title} is no chain`);
  const whole = figures.more(last, client);
  const hop = figures.more(server, front);
  const share = hop.median / whole.median;
  return {
    ...{ title, outstanding: figures.outstanding, whole, hop, share },
    layers: steps.slice(1).map(({ layer, configuration }, i) => ({
      layer,
      work: figures.more(configuration, steps[i]?.configuration),
    })),
    isBottleneck: share >= BOTTLENECK ? 'yes' : share >= WORTH_A_THOUGHT ? 'partly' : 'no',
    breakEven: Math.max(0, (1 / WORTH_A_THOUGHT - 1) * hop.median - figures.more(front, client).median),
  };
}

function changeVerdict({ title, configuration, insteadOf, client }: Change, figures: Figures): ChangeVerdict {
  const work = figures.more(configuration, insteadOf);
  const before = figures.more(insteadOf, client).median;
  return { title, work, rate: before / (before + work.median) - 1 };
}
