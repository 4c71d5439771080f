/**
 * What the host's speed does to a measure, learnt from the run itself, and taken out of it. A neighbour on the processor's
 * other hardware thread may cost a measure a third, and comes and goes within a run: rounds would tell more of the neighbour
 * than of the stacks. So the measure of a stack is held against the speed that the host had at the time, over all rounds
 * and stacks: value ~ speed ^ exponent (analysis of covariance, on logarithms; each stack and work has a level of its own,
 * the exponent is one for all). By that exponent each value is brought to the speed that the host had for half of the run.
 * Another run may find it at any other of the speeds that it has shown. Where the host's speed does not change, or changes
 * nothing, the exponent does not matter or is 0.
 */
import { median } from '../statistics.js';

/** One stack and work, or one part: its values, which are over 0, with the host's speeds. */
export type SpeedSeries = readonly { readonly value: number; readonly hostSpeed: number }[];

export interface Correction {
  /** Negative for times and CPU, positive for rates, or 0. */
  readonly exponent: number;
  /** How far off it is as a rule. */
  readonly error: number;
}

export const NO_CORRECTION: Correction = { exponent: 0, error: 0 };

/** Of all series together, at least: fewer tell more of chance than of the host. */
const LEAST_FREEDOM = 12;
/** Of the speed, relative; of a host that is as steady there is nothing to learn, and nothing to correct. */
const LEAST_SPREAD = 0.02;

/** `sign`: that of an exponent that makes sense, for a slower host makes nothing better. */
export function correctionOf(all: readonly SpeedSeries[], sign: 1 | -1): Correction {
  let freedom = -1;
  let [xx, xy, yy] = [0, 0, 0];
  for (const series of all) {
    const points = series.filter(({ value, hostSpeed }) => value > 0 && hostSpeed > 0);
    if (points.length < 2) continue;
    freedom += points.length - 1;
    const [xs, ys] = [centred(points.map((point) => point.hostSpeed)), centred(points.map((point) => point.value))];
    for (const [i, x] of xs.entries()) {
      const y = ys[i] ?? 0;
      xx += x * x;
      xy += x * y;
      yy += y * y;
    }
  }
  if (freedom < LEAST_FREEDOM || xx < freedom * LEAST_SPREAD ** 2) return NO_CORRECTION;
  const exponent = xy / xx;
  if (exponent * sign <= 0) return NO_CORRECTION;
  return { exponent, error: Math.sqrt(Math.max(0, yy - exponent * xy) / freedom / xx) };
}

function centred(values: readonly number[]): number[] {
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return logs.map((log) => log - mean);
}

/** The speeds that the host has shown. */
export interface HostLevel {
  /** For half of the run it was slower. */
  readonly usual: number;
  /** Standard deviation, relative. */
  readonly spread: number;
}

export function levelOf(speeds: readonly number[]): HostLevel {
  const known = speeds.filter((speed) => speed > 0);
  if (known.length < 2) return { usual: known[0] ?? 0, spread: 0 };
  const squares = centred(known).reduce((sum, log) => sum + log * log, 0);
  return { usual: median(known), spread: Math.sqrt(squares / (known.length - 1)) };
}

/** The value as it would have been at the usual speed. */
export function atUsualSpeed(value: number, hostSpeed: number, { usual }: HostLevel, { exponent }: Correction): number {
  return hostSpeed > 0 && usual > 0 ? value * (usual / hostSpeed) ** exponent : value;
}

/**
 * How far a series is off as a rule, relative to its level, as all of the run are: by the exponent's error, and if the
 * next run finds the host at another speed.
 */
export function shiftOf(series: SpeedSeries, { usual, spread }: HostLevel, { exponent, error }: Correction): number {
  const logs = series.filter(({ hostSpeed }) => hostSpeed > 0).map(({ hostSpeed }) => Math.log(usual / hostSpeed));
  const mean = logs.length === 0 ? 0 : logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return Math.sign(exponent) * Math.hypot(error * mean, exponent * spread);
}
