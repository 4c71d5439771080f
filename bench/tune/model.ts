/** The words of the sweep: what it varies, and what it concludes. What it measures is the bench's. */
import type { BenchResult, Family as BenchFamily, SubjectName } from '../model.js';
import type { RatioSummary } from '../statistics.js';

export type WayName = 'native' | 'js' | 'file' | 'page';

/** How a response leaves the server: copied by either transport, or by reference from a file or a page. */
export interface Way {
  readonly name: WayName;
  readonly title: string;
  /** Of the bench. */
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

/** SO_SNDBUF as it is asked for, in bytes; `default`: it is left to the system, and to what the transport does by itself. */
export type BufferChoice = number | 'default';

/** What a send buffer takes of a response that nobody reads. */
export interface Take {
  readonly way: WayName;
  readonly buffer: BufferChoice;
  /** SO_SNDBUF in bytes as it reads back when a connection has been accepted. */
  readonly set: number;
  /** The same with such a response in it: larger where the transport, or TCP, has let it grow. */
  readonly effective: number;
  /** The system gave less than was asked for. */
  readonly clamped: boolean;
  /** The largest response that leaves the server whole. */
  readonly bytes: number;
  /** The largest that was tried. */
  readonly tried: number;
}

/**
 * Why a conclusion is what it is. `bend`: the smallest buffer within the spread of the best, in all rounds better than the default.
 * `flat`: nothing is noticeably better than the default. `noise`: something seems to be, but not in all rounds. `few`: too
 * few rounds to tell.
 */
export type Reason = 'bend' | 'flat' | 'noise' | 'few';

/** What to set for responses of one size that leave in one way. */
export interface Conclusion {
  readonly way: WayName;
  /** Of a response. */
  readonly bytes: number;
  /** `default`: no change. */
  readonly buffer: BufferChoice;
  readonly reason: Reason;
  /** Throughput of `buffer` against the default. */
  readonly gain: RatioSummary;
  readonly best: { readonly buffer: BufferChoice; readonly gain: RatioSummary };
  /** The default if it takes the response whole; else the smallest buffer that does; `null`: none that was tried. */
  readonly whole: BufferChoice | null;
  readonly text: string;
}

/** What the system lets be set. */
export interface Limits {
  /** Linux: net.core.wmem_max; macOS: kern.ipc.maxsockbuf. */
  readonly mostBuffer: number | null;
  /** The longest listen queue: net.core.somaxconn, kern.ipc.somaxconn. */
  readonly somaxconn: number | null;
}

/** Where a line of the advice is to be set. */
export interface Setting {
  readonly where: 'nearwire' | 'nginx' | 'sysctl';
  /** To be copied as they are. */
  readonly lines: readonly string[];
  readonly note: string;
}

/** What a sweep finds beside the bench's figures. */
export interface Findings {
  readonly conclusions: readonly Conclusion[];
  readonly settings: readonly Setting[];
  readonly limits: Limits;
  readonly takes: readonly Take[];
}

export interface SweepResult extends BenchResult, Findings {}

/** Those of these that there are, in the order of the reports. */
export function waysOf(found: readonly { readonly way: WayName }[]): Way[] {
  return WAYS.filter(({ name }) => found.some(({ way }) => way === name));
}

/** From the smallest on. */
export function sizesOf(found: readonly { readonly bytes: number }[]): number[] {
  return ordered(found.map(({ bytes }) => bytes));
}

export function ordered(values: readonly number[]): number[] {
  return distinct(values).sort((a, b) => a - b);
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
