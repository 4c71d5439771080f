/** How many rounds a run has, and how long it may take. */
import type { Mode } from './model.js';

export interface Pace {
  readonly rounds: number;
  /** TCP is there to be compared with UNIX; its ratios need no acceptance. */
  readonly tcpRounds: number;
  /** Seconds for everything: under the two and ten minutes that are promised, with room for a slow start. */
  readonly budget: number;
  /** Seconds of a measured stretch: short ones are noise, long ones add little. */
  readonly shortest: number;
  readonly longest: number;
}

export const PACES: Readonly<Record<Mode, Pace>> = {
  default: { rounds: 7, tcpRounds: 3, budget: 574, shortest: 0.15, longest: 0.8 },
  quick: { rounds: 3, tcpRounds: 2, budget: 114, shortest: 0.1, longest: 0.4 },
};
