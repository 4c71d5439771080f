/** The data model of the sweep: what it varies, and what it concludes. Measurements are the bench's. */
import type { BenchResult, Family as BenchFamily, SubjectName } from '../model.js';
import type { RatioSummary } from '../statistics.js';

export type WayName = 'native' | 'js' | 'file' | 'page';

/** How a response leaves the server: copied by either transport, or by reference from a file or a page. */
export interface Way {
  readonly name: WayName;
  readonly title: string;
  /** The bench's case. */
  readonly case: string;
  readonly subject: SubjectName;
}

export const WAYS: readonly Way[] = [
  { name: 'native', title: 'response.end(buffer) on the native transport', case: 'http-same', subject: 'native' },
  { name: 'js', title: 'response.end(buffer) on node:net', case: 'http-same', subject: 'node:net' },
  { name: 'file', title: 'sendFile(response, path), by reference', case: 'file', subject: 'native' },
  { name: 'page', title: 'response.end(page), by reference', case: 'page', subject: 'native' },
];

export type Family = Exclude<BenchFamily, 'none'>;

/** The requested SO_SNDBUF, in bytes; `default`: left to the system, and to the transport's own adjustments. */
export type BufferChoice = number | 'default';

/** How much of an unread response a send buffer takes. */
export interface Take {
  readonly way: WayName;
  readonly buffer: BufferChoice;
  /** SO_SNDBUF in bytes as it reads back when a connection has been accepted. */
  readonly set: number;
  /** The same with such a response in it: larger if the transport, or TCP, has let it grow. */
  readonly effective: number;
  /** The system granted less than requested. */
  readonly clamped: boolean;
  /** The largest response that leaves the server completely. */
  readonly bytes: number;
  /** The largest that was tried. */
  readonly tried: number;
}

/**
 * The reason of a conclusion. `bend`: the smallest buffer within the spread of the best, better than the default in all
 * rounds. `flat`: nothing is noticeably better than the default. `noise`: something seems to be, but not in all rounds.
 * `few`: too few rounds to tell.
 */
export type Reason = 'bend' | 'flat' | 'noise' | 'few';

/** The recommendation for responses of one size that leave in one way. */
export interface Conclusion {
  readonly way: WayName;
  /** The size of a response. */
  readonly bytes: number;
  /** `default`: no change. */
  readonly buffer: BufferChoice;
  readonly reason: Reason;
  /** Throughput of `buffer` relative to the default. */
  readonly gain: RatioSummary;
  readonly best: { readonly buffer: BufferChoice; readonly gain: RatioSummary };
  /**
   * The default if it takes the whole response, otherwise the smallest buffer that does; `null`: none that was tried.
   */
  readonly whole: BufferChoice | null;
  readonly text: string;
}

/** The system's limits for these settings. */
export interface Limits {
  /** Linux: net.core.wmem_max; macOS: kern.ipc.maxsockbuf. */
  readonly mostBuffer: number | null;
  /** The longest listen queue: net.core.somaxconn, kern.ipc.somaxconn. */
  readonly somaxconn: number | null;
}

/** Where a line of the advice belongs. */
export interface Setting {
  readonly where: 'nearwire' | 'nginx' | 'sysctl';
  /** To be copied verbatim. */
  readonly lines: readonly string[];
  readonly note: string;
}

/** The findings of a sweep in addition to the bench's figures. */
export interface Findings {
  readonly conclusions: readonly Conclusion[];
  readonly settings: readonly Setting[];
  readonly limits: Limits;
  readonly takes: readonly Take[];
}

export interface SweepResult extends BenchResult, Findings {}

/** The ways that occur, in the order of the reports. */
export function waysOf(found: readonly { readonly way: WayName }[]): Way[] {
  return WAYS.filter(({ name }) => found.some(({ way }) => way === name));
}

/** In ascending order. */
export function sizesOf(found: readonly { readonly bytes: number }[]): number[] {
  return ordered(found.map(({ bytes }) => bytes));
}

export function ordered(values: readonly number[]): number[] {
  return distinct(values).sort((a, b) => a - b);
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
