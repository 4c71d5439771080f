/** What the open loops of a run offer: a share of what node:net answers at most, in this run and on this machine. */
import { maximumOf, type CellContext } from './cell.js';
import { describeParams } from './format.js';
import type { Mode, Params, PeerCase, Series } from './model.js';
import { PeerError } from './peer.js';
import { cellWarmUpOf } from './plan.js';
import { subjectNamed } from './subjects.js';

const BASELINE = 'node:net';
/** A share of a rate needs no more: what a few tenths of a second show is right by some percent. */
const SECONDS: Readonly<Record<Mode, number>> = { default: 0.5, quick: 0.3 };

/** One maximum, and the series that are offered a share of it. */
interface Maximum {
  readonly benchCase: PeerCase;
  readonly series: Series;
  readonly sharers: readonly Series[];
}

export function isOpenLoop({ case: benchCase }: Series): boolean {
  return benchCase.kind === 'peers' && benchCase.offered !== undefined;
}

/** All that are to be measured. */
export function maximaOf(series: readonly Series[]): Maximum[] {
  const maxima = new Map<string, { benchCase: PeerCase; series: Series; sharers: Series[] }>();
  for (const entry of series) {
    const { case: benchCase, family } = entry;
    if (benchCase.kind !== 'peers' || benchCase.offered === undefined) continue;
    const params = workOf(entry.params);
    const key = JSON.stringify([benchCase.name, family, params]);
    const maximum = maxima.get(key) ?? { benchCase, series: { ...entry, params }, sharers: [] };
    maximum.sharers.push(entry);
    maxima.set(key, maximum);
  }
  return [...maxima.values()];
}

/** The server's part of the parameters: when requests come is no part of what one takes. */
export function workOf(params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([name]) => name !== 'arrival' && name !== 'load'));
}

export interface Offers {
  /** Requests a second. What is of an open loop and has none could not be measured. */
  readonly rates: ReadonlyMap<Series, number>;
  readonly failures: readonly string[];
}

export async function measureOffers(
  mode: Mode,
  series: readonly Series[],
  context: CellContext,
  onStep: (label: string, done: number, total: number) => void,
): Promise<Offers> {
  const rates = new Map<Series, number>();
  const failures: string[] = [];
  // It may change at any await: a call, as the compiler would remember what a property was.
  const isAborted = (): boolean => context.signal.aborted;
  const maxima = maximaOf(series);
  for (const [done, { benchCase, series: measured, sharers }] of maxima.entries()) {
    if (isAborted()) break;
    onStep(`${benchCase.name} ${describeParams(measured.params)} ${measured.family}`, done, maxima.length);
    try {
      const baseline = subjectNamed(BASELINE, context.lineup);
      const timing = { warmUp: cellWarmUpOf(benchCase, baseline, mode), seconds: SECONDS[mode] };
      const maximum = await maximumOf(benchCase, measured, BASELINE, timing, context);
      for (const sharer of sharers) rates.set(sharer, rounded(maximum * (benchCase.offered?.(sharer.params) ?? 1)));
    } catch (error) {
      if (isAborted()) break;
      if (!(error instanceof PeerError)) throw error;
      failures.push(error.message);
    }
  }
  return { rates, failures };
}

/** To be told in a few digits. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(3));
}
