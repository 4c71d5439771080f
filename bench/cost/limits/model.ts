/** What is found out of a limit. */
import type { RunRecord } from '../../model.js';

export interface Limit {
  readonly name: 'queue-unix' | 'queue-tcp' | 'ports' | 'proxy-buffers' | 'send-buffer';
  readonly title: string;
  /** What is done, until it gives out. */
  readonly drive: string;
  /** What `gaveOut` and `driven` count: `connections`. */
  readonly unit: string;
  /** With nothing set, and then with one thing set at a time. Empty: not tried. */
  readonly readings: readonly Reading[];
  /** How it is seen on another host, before it gives out. */
  readonly watch: string;
  /** Why it could not be driven on this host. */
  readonly notTried?: string | undefined;
}

export interface Reading extends Outcome {
  /** As it is written, and where. */
  readonly setting: string;
}

export interface Outcome {
  /** The most that went well; null: all of `driven` did. */
  readonly gaveOut: number | null;
  readonly driven: number;
  /** How many requests ended with each status. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** Milliseconds, which one request in a hundred exceeded. */
  readonly p99?: number;
  /** Bytes of the answer that the application could not get rid of, of `driven`. */
  readonly kept?: number;
  /** The first line about it in nginx's error log, as it stands there; null: there is none. */
  readonly logged: string | null;
}

export interface LimitsResult extends RunRecord {
  /** Of the file of `--json`: raised when a field changes its meaning or goes; new ones may come. */
  readonly schema: 1;
  readonly nginx: string;
  readonly limits: readonly Limit[];
  readonly notes: readonly string[];
  /** Limits that were to be driven, and what failed. */
  readonly failures: readonly string[];
  /** Ended by a signal: what had been driven by then. */
  readonly interrupted: boolean;
}
