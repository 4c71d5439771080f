/** The words of the sweep: what it varies, what it measures, and what it concludes. */
import type { RunNotes, RunRecord } from '../model.js';
import type { RatioSummary } from '../statistics.js';

/** How a response leaves the server: copied by either transport, or by reference from a file or a page. */
export type SubjectName = 'native' | 'js' | 'file' | 'page';

export type Family = 'unix' | 'tcp';

export type Mode = 'default' | 'quick';

/** SO_SNDBUF as it is asked for, in bytes; `default`: it is left to the system, and to what the transport does by itself. */
export type BufferChoice = number | 'default';

export type MeasureName = 'rate' | 'p50' | 'p99' | 'cpu' | 'held';

export interface Measure {
  readonly name: MeasureName;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly meaning: string;
}

/** Milliseconds for which the reader of `held` does not read. */
export const STALL_MS = 6;

export const MEASURES: readonly Measure[] = [
  { name: 'rate', unit: 'bytes/s', better: 'higher', meaning: 'throughput, the next responses already asked for' },
  { name: 'p50', unit: 'us', better: 'lower', meaning: 'from a request to the last byte of its response, median' },
  { name: 'p99', unit: 'us', better: 'lower', meaning: 'the same, 99th percentile' },
  { name: 'cpu', unit: 'us/MiB', better: 'lower', meaning: 'CPU of the sender for a MiB' },
  {
    name: 'held',
    unit: 'us',
    better: 'lower',
    meaning: `until the response has left the process, when its reader begins ${String(STALL_MS)} ms late`,
  },
];

export interface Subject {
  readonly name: SubjectName;
  readonly title: string;
}

export const SUBJECTS: readonly Subject[] = [
  { name: 'native', title: 'socket.write(buffer) on the native transport' },
  { name: 'js', title: 'socket.write(buffer) on node:net' },
  { name: 'file', title: 'socket.sendFile(path) on the native transport, by reference' },
  { name: 'page', title: 'socket.write(page) on the native transport, by reference' },
];

/** What is measured together: one response size from one subject with one send buffer. */
export interface SweepCell {
  readonly subject: SubjectName;
  /** Bytes of a response. */
  readonly size: number;
  readonly buffer: BufferChoice;
}

export type Values = Readonly<Record<MeasureName, number>>;

/** What one round of one cell gave. */
export interface Sample extends SweepCell {
  readonly round: number;
  readonly values: Values;
  /** SO_SNDBUF as it reads back from an accepted connection. */
  readonly set: number;
  /** The same after the responses: larger where the transport, or TCP, has let it grow. */
  readonly effective: number;
}

export interface Figure {
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** One for each of the cell's rounds. */
  readonly samples: readonly number[];
  readonly median: number;
}

/** A cell over all rounds: an entry of `cells` in the JSON file. */
export interface CellResult extends SweepCell {
  /** In which the cell was measured, from 0. */
  readonly rounds: readonly number[];
  /** SO_SNDBUF in bytes as the kernel has it when a connection has been accepted. */
  readonly set: number;
  /** The same after the responses: the transport lets its default grow, and so does TCP. */
  readonly effective: number;
  /** The system gave less than was asked for. */
  readonly clamped: boolean;
  /** What 1,000 connections may have the kernel hold, in its own accounting: bytes. */
  readonly memory: number;
  readonly measures: Readonly<Record<MeasureName, Figure>>;
  /** Throughput against that of the default buffer, taken within each round. */
  readonly relative: RatioSummary | null;
}

/**
 * Why a conclusion is what it is. `bend`: the smallest buffer within the spread of the best, in all rounds better than the default.
 * `flat`: nothing is noticeably better than the default. `noise`: something seems to be, but not in all rounds. `few`: too
 * few rounds to tell.
 */
export type Reason = 'bend' | 'flat' | 'noise' | 'few';

/** What to set for responses of one size from one subject. */
export interface Conclusion {
  readonly subject: SubjectName;
  readonly size: number;
  /** `default`: no change. */
  readonly buffer: BufferChoice;
  readonly reason: Reason;
  /** Throughput of `buffer` against the default. */
  readonly gain: RatioSummary;
  readonly best: { readonly buffer: BufferChoice; readonly gain: RatioSummary };
  /**
   * The default if it takes the response whole, so that the sender is through with it before a slow reader has begun; else the
   * smallest buffer that does; `null`: none that was tried.
   */
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

export interface SweepResult extends RunRecord, RunNotes {
  readonly family: Family;
  readonly platform: NodeJS.Platform;
  readonly subjects: readonly SubjectName[];
  readonly sizes: readonly number[];
  readonly buffers: readonly BufferChoice[];
  /** Rounds that were begun. */
  readonly rounds: number;
  readonly limits: Limits;
  readonly cells: readonly CellResult[];
  readonly conclusions: readonly Conclusion[];
  readonly settings: readonly Setting[];
}
