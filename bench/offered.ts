/** What the open loops of a run offer: a share of what node:net answers at most, in this run and on this machine. */
import type { Mode, Params, Series } from './model.js';

export const OFFERED_BY = 'node:net';
/** A share of a rate needs no more: what a few tenths of a second show is right by some percent. */
export const MAXIMUM_SECONDS: Readonly<Record<Mode, number>> = { default: 0.5, quick: 0.3 };

export function isOpenLoop({ params }: Series): boolean {
  return 'load' in params;
}

/** One maximum, and the series that are offered a share of it. */
export interface Maximum {
  readonly series: Series;
  readonly sharers: readonly Series[];
}

/** All that are to be measured. */
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

/** The server's part of the parameters: when requests come is no part of what one takes. */
export function workOf(params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([name]) => name !== 'arrival' && name !== 'load'));
}

/** Of a maximum, requests a second: to be told in a few digits. */
export function offeredTo({ params }: Series, maximum: number): number {
  return Number(((maximum * Number(params['load'])) / 100).toPrecision(3));
}
