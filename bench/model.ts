/** The data model of the benchmark: cases, subjects, cells and samples. */
import type { LatencyHistogram, PercentileName } from './histogram.js';
import type { OtherNode } from './other-node.js';

/** A subject of the comparison: one of subjects.ts, or one added by the user. */
export type SubjectName = string;

/** The socket family; `none` is for work inside one process. */
export type Family = 'unix' | 'tcp' | 'none';

export type MeasureName =
  'rate' | 'cpu' | 'clientCpu' | 'inTime' | 'p50' | 'p99' | 'memory' | 'system' | 'held' | 'failed' | 'wait' | 'time';

/** `quick` is for a first look: fewer parameters, shorter stretches, fewer rounds. */
export type Mode = 'default' | 'quick';

/**
 * The parameters of a case, such as `{ bytes: 64 }`. Names are those of the peers' command-line arguments, except
 * `load`: it makes requests due on a schedule, at this percentage of node:net's maximum rate (offered.ts).
 */
export type Params = Readonly<Record<string, number | string | boolean>>;

export interface Measure {
  readonly name: MeasureName;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** The meaning of the number, for the reader of a report. */
  readonly meaning: string;
  /** NaN if it is not known. Absent if it cannot be measured from outside of a process. */
  of?(outcome: Outcome): number;
}

/** The report of a client at the end of its measured stretch. */
export interface LoadResult {
  /** The actual length of the stretch. */
  readonly seconds: number;
  /** Messages, requests, connections or writes completed in it. */
  readonly operations: number;
  readonly bytes?: number;
  readonly latency?: LatencyHistogram;
  /** Failed connects, in cases that measure failures. */
  readonly failed?: number;
  /** In an open loop: requests that were sent, and those of them that were answered in time. */
  readonly begun?: number;
  readonly inTime?: number;
  /**
   * Requests that were not sent, or not answered: they also count as errors, and with the time that they had waited.
   */
  readonly unsent?: number;
  readonly unanswered?: number;
  readonly errors: number;
  /** The client's user and system time in the stretch, in microseconds. */
  readonly clientCpu: number;
}

/** In bytes: the server's memory, what V8 accounts for there on and outside its heap, and that of the whole machine. */
export type Memory = Readonly<Partial<Record<'memory' | 'held' | 'system', number>>>;

/** All measurements of one run of a server and its client. */
export interface Outcome {
  readonly params: Params;
  readonly load: LoadResult;
  /** The server's user and system time in the stretch, in microseconds; NaN if it is not known. */
  readonly serverCpu: number;
  /** From the client's start until it was warm and its connections were open. */
  readonly setupMs: number;
  /** Absent if the warm-up is a single window of load. */
  readonly warmUp?: WarmUp;
  /** The growth of memory between the two moments that `asksMemory` names. */
  readonly grown: Memory;
}

export type Values = Readonly<Partial<Record<MeasureName, number>>>;

/** Which parameters run over which family. `quick` defaults to `default`. */
export interface CasePlan {
  readonly default: FamilyPlan;
  readonly quick?: FamilyPlan;
}

export type FamilyPlan = Readonly<Partial<Record<Family, readonly Params[]>>>;

/** What only the client gets: command-line arguments, and a body. */
export interface Request {
  readonly words?: Params;
  readonly body?: string | Buffer;
}

/** A server process and a client process, or work inside one process. */
export interface BenchCase {
  readonly name: string;
  /** One line for the reader of a report. */
  readonly title: string;
  /**
   * The source of the load: the subject itself, at both ends, or always the plain C program. `none`: there are no two
   * ends, but work of all subjects inside one process, timed by tinybench.
   */
  readonly client: 'subject' | 'floor' | 'none';
  readonly plan: CasePlan;
  /** Replaces `plan` if the case is requested by name. */
  readonly namedPlan?: CasePlan;
  /** Runs only if it is requested by name. */
  readonly onlyNamed?: boolean;
  readonly measures: readonly Measure[];
  /** The most important measure, shown for the first parameters; absent if the case has none. */
  readonly headline?: MeasureName;
  /** The maximum number of rounds by default, for cases that are slow or hardly vary. */
  readonly rounds?: Readonly<Partial<Record<Mode, number>>>;
  /** Seconds of the stretch, if it does not depend on the time budget. */
  readonly fixedSeconds?: number;
  /** Arguments that are the same for every cell and thus not parameters. */
  readonly words?: Params;
  /**
   * Seconds of load before the stretch, approximately, in which V8 compiles hot code. It ends when an operation's cost
   * has stopped falling (warm-up.ts). Operations that each open and close a connection take longest: the CPU of a
   * request still falls by a third between 0.3 and 1 s. Absent: none.
   */
  readonly warmup?: Readonly<Record<Mode, number>>;
  /** Seconds of the client's setup, if it takes long: for planning the first round. */
  readonly setupSeconds?: number;
  /** Bind both ends to one core, for work in which they only ever alternate. */
  readonly sharesCore?: boolean;
  /**
   * Query the server's memory: before the client starts and when all its connections are open, or before and after the
   * stretch. `crowd` is `connections`, and queries the system too.
   */
  readonly asksMemory?: 'connections' | 'stretch' | 'crowd';
  requestOf?(params: Params): Request;
  /** A minimum for `bytes`: below it the case is the same as another one. */
  readonly leastBytes?: number;
  /** The server gets a file of `bytes` bytes, whose content the plain C client knows. */
  readonly needsFile?: boolean;
}

/** One case with one set of parameters over one family: the unit in which all subjects are compared. */
export interface Series {
  readonly case: BenchCase;
  readonly params: Params;
  readonly family: Family;
  readonly subjects: readonly SubjectName[];
  /** The number of rounds in which it runs. */
  readonly rounds: number;
}

/** The result of one round of one subject in one series. */
export interface Sample {
  readonly round: number;
  readonly subject: SubjectName;
  readonly values: Values;
  /** Share of one core that the client and the server used in the stretch; absent if there is only one process. */
  readonly clientShare?: number;
  readonly serverShare?: number;
  /** In an open loop: the last responses came long after the last request was due, or never. */
  readonly behind?: boolean;
  /** For work inside one process: tinybench's relative margin of error of the mean, in percent. */
  readonly rme?: number;
  /** The latencies of all operations of the stretch, if they are measured. */
  readonly latency?: LatencyHistogram;
  readonly warmUp?: WarmUp;
}

export interface SeriesResult {
  readonly series: Series;
  readonly samples: readonly Sample[];
  /** Requests due per second, if the subjects do not determine the rate. */
  readonly offered?: number;
}

/** One subject in one series. */
interface Place {
  readonly case: string;
  readonly params: Params;
  readonly family: Family;
  readonly subject: SubjectName;
}

/** One measure of one subject in one series, over all rounds: an entry of `cells` in the JSON file. */
export interface CellResult extends Place {
  readonly measure: MeasureName;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly samples: readonly number[];
  readonly median: number;
  /** The load generator was the limit, not the server: the number says nothing about the subject. */
  readonly limitedBy?: 'generator';
  /**
   * For work inside one process: the relative margin of error within a round, in percent; the median over the rounds.
   */
  readonly rme?: number;
}

/** The latencies of one subject in one series, merged over all rounds: percentiles are of all requests. */
export interface LatencyResult extends Place {
  /** Requests due per second, in an open loop. */
  readonly offered?: number;
  readonly rounds: number;
  /** Microseconds; only those with enough requests. */
  readonly percentiles: Readonly<Partial<Record<PercentileName, number>>>;
  readonly histogram: LatencyHistogram;
}

/**
 * Subject divided by baseline for one measure: the ratio is taken within each round; then the median and the extremes
 * over the rounds.
 */
export interface RatioResult extends Place {
  readonly measure: MeasureName;
  readonly baseline: SubjectName;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
  /**
   * The load generator limited one side: the true ratio is at least, or at most, this. If it limited both, there is no
   * ratio.
   */
  readonly bound?: Bound;
}

export type Bound = '>=' | '<=';

export interface Host {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  /** The one-minute load average before the start. */
  readonly load: number;
  /** The name of an emulated kernel (gVisor), `null` on a real one. */
  readonly sandbox: string | null;
}

export interface Versions {
  readonly node: string;
  readonly nearwire: string;
  readonly commit: string;
}

/** What was run, where and when. */
export interface RunRecord {
  readonly host: Host;
  readonly versions: Versions;
  readonly command: string;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
}

/** What deviated from the request. */
export interface RunNotes {
  /** What makes the numbers less reliable. */
  readonly warnings: readonly string[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  /** Cells that failed; they have no sample of that round. */
  readonly failures: readonly string[];
  readonly interrupted: boolean;
}

export interface BenchResult extends RunRecord, RunNotes {
  /** All possible participants, in the order of the reports. */
  readonly lineup: readonly Subject[];
  /** The environment variables affecting the work that were passed on to the measured processes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly results: readonly SeriesResult[];
  readonly latencies: readonly LatencyResult[];
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
}

export interface AttachedServer {
  /** In the format that clients take. */
  readonly address: string;
  /** Additional command-line arguments for its clients. */
  readonly words: Params;
  /** `cpu`: microseconds used by its processes so far, NaN if they are not known. */
  ask(word: string): Promise<number>;
}

export interface Subject {
  readonly name: SubjectName;
  readonly title: string;
  /**
   * The program of its servers (and, if the case says so, of its clients): plain C, a Node worker, nginx, which a
   * worker starts and stops, or a running server, whose clients are plain C.
   */
  readonly program: 'floor' | 'worker' | 'nginx' | 'attached';
  /** Command-line arguments of its servers, and of its clients if they are workers. */
  readonly words?: Params;
  /** The name of the subject that is passed to its workers, if it differs. */
  readonly worker?: SubjectName;
  /** The Node that its workers run on, if not the bench's. */
  readonly node?: OtherNode;
  readonly server?: AttachedServer;
  /** The baseline of its ratios in addition to plain C, if not node:net. */
  readonly baseline?: SubjectName;
  readonly needsAddon?: boolean;
  readonly cases: readonly string[];
  /** Only over these, unless families are requested by name. */
  readonly families?: readonly Family[];
  /** The maximum number of rounds by default. */
  readonly rounds?: Readonly<Partial<Record<Mode, number>>>;
}

/** The result of a server's warm-up. */
export interface WarmUp {
  readonly windows: number;
  /** False: a request's cost was still falling. */
  readonly steady: boolean;
}
