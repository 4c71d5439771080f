/** Formats numbers and parameters for readers. */
import type { Bound, Family, Params, RatioResult } from './model.js';

const KIB = 1024;
const MIB = KIB * KIB;

/** Three significant digits. */
export function digits(value: number): string {
  const decimals = [2, 1, 0].find((count) => Math.abs(Number(value.toFixed(count))) < 10 ** (3 - count));
  return value.toFixed(decimals ?? 0);
}

const PREFIXES = ['', 'k', 'M', 'G'];

/** `612 k/s`, `3.90 GB/s`, `9.83 us`, `5.20 KiB`, `227 B`. What is counted or timed is stated elsewhere. */
export function formatValue(value: number, unit: string): string {
  if (unit.endsWith('/s')) {
    let step = 0;
    let scaled = value;
    for (; scaled >= 1000 && step < PREFIXES.length - 1; step++) scaled /= 1000;
    return `${digits(scaled)} ${PREFIXES[step] ?? ''}${unit === 'bytes/s' ? 'B' : ''}/s`;
  }
  if (unit.startsWith('bytes')) return value < KIB ? `${value.toFixed(0)} B` : `${digits(value / KIB)} KiB`;
  // A count is whole, except for the median of an even number of them.
  if (unit === 'connections') return String(value);
  return `${digits(value)} ${unit.split('/')[0] ?? ''}`;
}

/** `38.1 us`, `1.42 ms`. */
export function formatTime(micros: number): string {
  return Math.abs(micros) < 1000 ? `${digits(micros)} us` : `${digits(micros / 1000)} ms`;
}

/** `0.51x`, or `>= 4.19x` if only a bound is known. */
export function formatRatio(ratio: number, bound?: Bound): string {
  return `${bound === undefined ? '' : `${bound} `}${digits(ratio)}x`;
}

export type Spread = Pick<RatioResult, 'median' | 'low' | 'high' | 'bound'>;

/** `0.51x (0.50 to 0.62)`, without the extremes if there is only one round. */
export function formatSpread({ median, low, high, bound }: Spread): string {
  const ratio = formatRatio(median, bound);
  return low === high ? ratio : `${ratio} (${digits(low)} to ${digits(high)})`;
}

export function formatBytes(bytes: number): string {
  if (bytes >= MIB && bytes % MIB === 0) return `${String(bytes / MIB)} MiB`;
  if (bytes >= KIB && bytes % KIB === 0) return `${String(bytes / KIB)} KiB`;
  return `${String(bytes)} B`;
}

/** Parameters whose name and value do not explain themselves. */
const PARAM_WORDS: Readonly<Record<string, (value: Params[string]) => string>> = {
  bytes: (value) => formatBytes(Number(value)),
  body: (value) => `${formatBytes(Number(value))} body`,
  window: (value) => `window ${String(value)}`,
  every: (value) => `one of ${String(value)}`,
  compute: (value) => (value === 0 ? 'no work' : `${String(value)} ms of work`),
  arrival: (value) => `in ${String(value)}s`,
  json: (value) => `JSON of ${formatBytes(Number(value))}`,
  heap: (value) => `${String(value)} MB of live objects`,
  load: (value) => `at ${String(value)} %`,
  keepAlive: (value) => (value === true ? 'keep-alive' : 'close'),
};

/** `{ bytes: 65536, way: 'upload' }` as `64 KiB upload`. */
export function describeParams(params: Params): string {
  return Object.entries(params)
    .map(
      ([name, value]) => PARAM_WORDS[name]?.(value) ?? `${String(value)}${typeof value === 'number' ? ` ${name}` : ''}`,
    )
    .join(' ');
}

/** A series in short: its family, and its parameters if the case has more than one set of them. */
export function describeSeries(params: Params, family: Family, paramsVary: boolean): string {
  return [family === 'none' ? '' : family, paramsVary ? describeParams(params) : ''].filter(Boolean).join(' ');
}

/** `83 s`, `7 min 12 s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 100 ? `${String(whole)} s` : `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
}
