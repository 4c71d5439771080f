/** A measurement as slices of a moment each, with a look at the host's speed between them. */
import type { HostSpeed } from './host-speed.js';
import type { LoadGenerator } from './load.js';

/** One after the other: on which processor a connection's ends come to lie is luck, and stays so for its time. */
const GENERATORS = 2;

export interface Slices<T> {
  readonly values: readonly T[];
  /** The mean of the looks before, between and after them. */
  readonly hostSpeed: number;
}

/** `take` measures for a moment, `count` times. */
export async function takeSlices<T>(
  host: Pick<HostSpeed, 'look'>,
  count: number,
  take: () => Promise<T>,
): Promise<Slices<T>> {
  const values: T[] = [];
  let speeds = await host.look();
  for (let i = 0; i < count; i++) {
    values.push(await take());
    speeds += await host.look();
  }
  return { values, hostSpeed: speeds / (count + 1) };
}

/** The same with load, `count` times of each of several generators. */
export async function takeLoadedSlices<T>(
  host: Pick<HostSpeed, 'look'>,
  count: number,
  open: () => Promise<LoadGenerator>,
  take: (generator: LoadGenerator) => Promise<T>,
): Promise<Slices<T>> {
  const taken: Slices<T>[] = [];
  for (let i = 0; i < GENERATORS; i++) {
    const generator = await open();
    try {
      taken.push(await takeSlices(host, count, () => take(generator)));
    } finally {
      await generator.stop();
    }
  }
  const speeds = taken.reduce((sum, { hostSpeed }) => sum + hostSpeed, 0);
  return { values: taken.flatMap(({ values }) => values), hostSpeed: speeds / GENERATORS };
}
