/** What answers are made from, and how their figures are worded. */
import { formatFigure, formatInterval, formatShare, formatTime, notNegative, type Format } from '../figures.js';
import { combine, figureOf, isInNoise, type Estimate } from '../interval.js';
import type { Answer, Curve, Figure, Overload, Split, Stack, Work, WorkName } from '../model.js';
import type { Samples } from '../samples.js';

export interface Evidence {
  readonly samples: Samples;
  readonly splits: readonly Split[];
  readonly curves: readonly Curve[];
  readonly overloads: readonly Overload[];
  /** The application's time for which shares are told too, milliseconds. */
  readonly appMs: number;
}

/** Of a lone request's time, of all CPU a request with many at a time, or of the app's alone. */
export type Measure = 'time' | 'cpu' | 'app';

export const MEASURE_WORDS: Readonly<Record<Measure, string>> = {
  time: 'a lone request',
  cpu: 'CPU a request, of all processes',
  app: 'CPU a request, of the app',
};

function estimateFor(samples: Samples, stack: string, work: WorkName, measure: Measure): Estimate | undefined {
  if (measure === 'time') return samples.time(stack, work);
  return samples.cpu(stack, work, measure === 'cpu' ? 'all' : 'app', 'all');
}

export function figureFor(samples: Samples, stack: string, work: WorkName, measure: Measure): Figure | undefined {
  const estimate = estimateFor(samples, stack, work, measure);
  return estimate && figureOf(estimate);
}

/** Compares two stacks; undefined where one was not measured. */
type Compare = (samples: Samples, from: string, to: string, work: WorkName, measure: Measure) => Figure | undefined;

function comparing(compute: (values: { from: number; to: number }) => number): Compare {
  return (samples, from, to, work, measure) => {
    const [before, after] = [from, to].map((stack) => estimateFor(samples, stack, work, measure));
    const compared = combine({ from: before, to: after }, compute);
    return compared && figureOf(compared);
  };
}

/** `to` - `from`. */
export const difference = comparing(({ from, to }) => to - from);

/** `to` / `from`. */
export const ratio = comparing(({ from, to }) => to / from);

/** `14.0 us (12.3 to 15.1 us)`. */
export function timeWords(figure: Figure): string {
  return formatFigure(notNegative(figure), formatTime);
}

/** A part or a difference: with its figure, or that it can't be told from nothing. */
export function partWords(figure: Figure, format: Format = formatTime): string {
  if (!isInNoise(figure)) return formatFigure(figure, format);
  return `inside the noise (${formatInterval(figure, format)})`;
}

/** `9.1 us less (7 to 11 us)`, `4 us more (...)`, `the same within the noise (-2 to 3 us)`. */
export function changeWords(figure: Figure): string {
  if (isInNoise(figure)) return `the same within the noise (${formatInterval(figure, formatTime)})`;
  const { median, low, high, rounds } = figure;
  const size = median < 0 ? { median: -median, low: -high, high: -low, rounds } : figure;
  return `${timeWords(size)} ${median < 0 ? 'less' : 'more'}`;
}

export function shareWords(figure: Figure): string {
  return isInNoise(figure) ? 'a share inside the noise' : formatShare(figure.median);
}

/** `0.31 x (0.29 to 0.33 x)`; a ratio is in the noise where it may be 1, and never below 0. */
export function ratioWords(ratioFigure: Figure): string {
  const figure = notNegative(ratioFigure);
  const format = (value: number): string => `${value.toFixed(2)} x`;
  const { low, high, rounds } = figure;
  if (rounds >= 2 && low <= 1 && high >= 1)
    return `no other than 1 within the noise (${formatInterval(figure, format)})`;
  return formatFigure(figure, format);
}

/** The figures that there are: what is undefined is left out. */
export function figuresOf(entries: Readonly<Record<string, Figure | undefined>>): Answer['figures'] {
  return Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, Figure] => entry[1] !== undefined),
  );
}

export function titleOf(samples: Samples, stack: string): string {
  return samples.stack(stack)?.title ?? stack;
}

/** Two stacks that differ in the family alone. */
export interface FamilyPair {
  readonly unix: Pick<Stack, 'name' | 'title'>;
  readonly tcp: Pick<Stack, 'name' | 'title'>;
}

/** By their names: those whose hop differs, and of those without a hop the user's own connection. */
export function familyPairs({ measured: { stacks } }: Samples): FamilyPair[] {
  return stacks.flatMap((unix) => {
    if (!/-unix(-|$)/.test(unix.name)) return [];
    const tcp = stacks.find(({ name }) => name === unix.name.replace('-unix', '-tcp'));
    return tcp ? [{ unix, tcp }] : [];
  });
}

/** The works that a stack has samples of. */
export function worksOfStack(samples: Samples, stack: string): readonly Work[] {
  return samples.measured.works.filter(({ name }) => samples.time(stack, name));
}
