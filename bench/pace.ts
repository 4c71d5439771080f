/** How many rounds a run has, and how long it may take. */
import type { Mode } from './model.js';

export interface Pace {
  readonly rounds: number;
  /** TCP is only for comparison with UNIX; its ratios are not judged. */
  readonly tcpRounds: number;
  /** Seconds for everything: below the promised two and ten minutes, with room for a slow start. */
  readonly budget: number;
  /** Seconds of a measured stretch: shorter ones are noise, longer ones add little. */
  readonly shortest: number;
  readonly longest: number;
}

export const PACES: Readonly<Record<Mode, Pace>> = {
  default: { rounds: 7, tcpRounds: 3, budget: 574, shortest: 0.15, longest: 0.8 },
  quick: { rounds: 3, tcpRounds: 2, budget: 114, shortest: 0.1, longest: 0.4 },
};
