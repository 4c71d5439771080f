/** The results for a limit. */
import type { RunRecord } from '../../model.js';

export interface Limit {
  readonly name: 'queue-unix' | 'queue-tcp' | 'ports' | 'proxy-buffers' | 'send-buffer';
  readonly title: string;
  /** What is done until it is exhausted. */
  readonly drive: string;
  /** What `gaveOut` and `driven` count: `connections`. */
  readonly unit: string;
  /** With the defaults, and then with one setting at a time. Empty: not tried. */
  readonly readings: readonly Reading[];
  /** How to observe it on another host, before it is exhausted. */
  readonly watch: string;
  /** Why it could not be driven on this host. */
  readonly notTried?: string | undefined;
}

export interface Reading extends Outcome {
  /** As it is written in a configuration, and where. */
  readonly setting: string;
}

export interface Outcome {
  /** The most that succeeded; null: all of `driven` did. */
  readonly gaveOut: number | null;
  readonly driven: number;
  /** The number of requests that ended with each status. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** Milliseconds, exceeded by one request in a hundred. */
  readonly p99?: number;
  /** Bytes of the response that the application still holds, out of `driven`. */
  readonly kept?: number;
  /** The first matching line of nginx's error log, verbatim; null: there is none. */
  readonly logged: string | null;
}

export interface LimitsResult extends RunRecord {
  /** The version of the `--json` format: raised when a field changes its meaning or is removed; fields may be added. */
  readonly schema: 1;
  readonly nginx: string;
  readonly limits: readonly Limit[];
  readonly notes: readonly string[];
  /** Limits that could not be driven, with the errors. */
  readonly failures: readonly string[];
  /** Ended by a signal: contains what had been driven by then. */
  readonly interrupted: boolean;
}
