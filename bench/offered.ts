/** The rates that the open loops of a run offer: a share of node:net's maximum, in this run and on this machine. */
import type { Mode, Params, Series } from './model.js';

export const OFFERED_BY = 'node:net';
/** Enough for a share of a rate: a few tenths of a second are accurate within a few percent. */
export const MAXIMUM_SECONDS: Readonly<Record<Mode, number>> = { default: 0.5, quick: 0.3 };

export function isOpenLoop({ params }: Series): boolean {
  return 'load' in params;
}

/** One maximum, and the series that are offered a share of it. */
export interface Maximum {
  readonly series: Series;
  readonly sharers: readonly Series[];
}

/** All maxima that must be measured. */
export function maximaOf(series: readonly Series[]): Maximum[] {
  const maxima = new Map<string, { series: Series; sharers: Series[] }>();
  for (const entry of series.filter(isOpenLoop)) {
    const params = workOf(entry.params);
    const key = JSON.stringify([entry.case.name, entry.family, params]);
    const maximum = maxima.get(key) ?? { series: { ...entry, params }, sharers: [] };
    maximum.sharers.push(entry);
    maxima.set(key, maximum);
  }
  return [...maxima.values()];
}

/** The parameters that affect the server's work: the arrival of requests does not change the cost of one. */
export function workOf(params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([name]) => name !== 'arrival' && name !== 'load'));
}

/** The offered rate in requests per second, rounded to a few digits for reports. */
export function offeredTo({ params }: Series, maximum: number): number {
  return Number(((maximum * Number(params['load'])) / 100).toPrecision(3));
}
