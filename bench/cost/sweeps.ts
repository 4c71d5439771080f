/**
 * Sweeps over all that is measured: one short slice of each, in an order that is another one each time.
 *
 * What the host does to figures (another load, a neighbour, heat) lasts for longer than a sweep, and so is the same for all
 * slices of one: it is gone from their differences.
 */

import { balancedOrders } from '../orders.js';
import { isAborted } from './aborted.js';

/** What a sweep has a slice of. */
export interface Lane {
  readonly name: string;
  /** Microseconds a request. */
  slice(): Promise<number>;
}

export interface SweepOptions {
  readonly sweeps: number;
  /** The number of the first one, as blocks go on with the orders where the one before has ended. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** Told behind each. */
  onSweep(): void;
  /** A lane is left out from here on, and has no values. */
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
