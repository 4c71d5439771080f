/**
 * Sweeps over everything that is measured: one short slice of each, in a different order each time.
 *
 * Influences of the host (another load, a neighbour, heat) last longer than a sweep, and thus affect all its slices
 * alike: they cancel out in the differences.
 */

import { balancedOrders } from '../orders.js';
import { isAborted } from './aborted.js';

/** Something that a sweep has one slice of. */
export interface Lane {
  readonly name: string;
  /** Microseconds per request. */
  slice(): Promise<number>;
}

export interface SweepOptions {
  readonly sweeps: number;
  /** The number of the first one, as each block continues the orders where the previous block ended. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** Called after each. */
  onSweep(): void;
  /** From now on the lane is left out, and has no values. */
  onFailure(lane: string, error: unknown): void;
}

/** For each lane a value of each sweep. Ends early, with whole sweeps, when the signal is aborted. */
export async function sweep(lanes: readonly Lane[], options: SweepOptions): Promise<ReadonlyMap<string, number[]>> {
  const { sweeps, from, signal, onSweep, onFailure } = options;
  const orders = balancedOrders(lanes.length);
  const values = new Map<string, number[]>(lanes.map(({ name }) => [name, []]));
  for (let done = 0; done < sweeps; done++) {
    const taken = new Map<string, number>();
    for (const place of orders[(from + done) % orders.length] ?? []) {
      const lane = lanes[place];
      if (isAborted(signal)) return values;
      if (lane === undefined || !values.has(lane.name)) continue;
      try {
        taken.set(lane.name, await lane.slice());
      } catch (error) {
        if (isAborted(signal)) return values;
        values.delete(lane.name);
        onFailure(lane.name, error);
      }
    }
    for (const [name, value] of taken) values.get(name)?.push(value);
    onSweep();
  }
  return values;
}
