/** The words of the benchmark: what a case, a subject, a cell and a sample are. */
import type { LatencyHistogram, PercentileName } from './histogram.js';
import type { OtherNode } from './other-node.js';

/** What is compared: one of subjects.ts, or one that the user brought. */
export type SubjectName = string;

/** What the bytes go over; `none` is for work inside one process. */
export type Family = 'unix' | 'tcp' | 'none';

export type MeasureName =
  'rate' | 'cpu' | 'clientCpu' | 'inTime' | 'p50' | 'p99' | 'memory' | 'system' | 'held' | 'failed' | 'wait' | 'time';

/** `quick` is for a first look: fewer parameters, shorter stretches, fewer rounds. */
export type Mode = 'default' | 'quick';

/**
 * What a case is run with, `{ bytes: 64 }`. Names are those of the command words that the peers take, but for `load`: with
 * it requests are due on a schedule, at so many percent of the rate at which node:net answers at most (offered.ts).
 */
export type Params = Readonly<Record<string, number | string | boolean>>;

export interface Measure {
  readonly name: MeasureName;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** What the number says, for the reader of a report. */
  readonly meaning: string;
  /** NaN where it is not known. Absent of what is not seen from outside of a process. */
  of?(outcome: Outcome): number;
}

/** What a client tells at the end of its measured stretch. */
export interface LoadResult {
  /** The real length of the stretch. */
  readonly seconds: number;
  /** Messages, requests, connections or writes that were completed in it. */
  readonly operations: number;
  readonly bytes?: number;
  readonly latency?: LatencyHistogram;
  /** Of the connects, where failing is what is measured. */
  readonly failed?: number;
  /** Of the requests that were due in an open loop: those that were asked, and of them those that were answered in time. */
  readonly begun?: number;
  readonly inTime?: number;
  /** Those that were not asked, or not answered: they are errors too, and are charged with the time that they had waited. */
  readonly unsent?: number;
  readonly unanswered?: number;
  readonly errors: number;
  /** User and system time of the client in the stretch, microseconds. */
  readonly clientCpu: number;
}

/** Bytes: of the server, of what V8 accounts for there, on its heap and outside of it, and of the whole machine. */
export type Memory = Readonly<Partial<Record<'memory' | 'held' | 'system', number>>>;

/** Everything seen of one run of a server and its client. */
export interface Outcome {
  readonly params: Params;
  readonly load: LoadResult;
  /** User and system time of the server in the stretch, microseconds; NaN where it is not known. */
  readonly serverCpu: number;
  /** From the client's start until it was warm, its connections open. */
  readonly setupMs: number;
  /** Absent where one window of load is all of it. */
  readonly warmUp?: WarmUp;
  /** By how much memory grew, from before to after what `asksMemory` names. */
  readonly grown: Memory;
}

export type Values = Readonly<Partial<Record<MeasureName, number>>>;

/** Which parameters are run over which family. `quick` is the same as `default` where it is not there. */
export interface CasePlan {
  readonly default: FamilyPlan;
  readonly quick?: FamilyPlan;
}

export type FamilyPlan = Readonly<Partial<Record<Family, readonly Params[]>>>;

/** What the client alone is told: command words, and a body. */
export interface Request {
  readonly words?: Params;
  readonly body?: string | Buffer;
}

/** A server process and a client process, or work inside one. */
export interface BenchCase {
  readonly name: string;
  /** One line for the reader of a report. */
  readonly title: string;
  /**
   * Who makes the load: the subject itself, at both ends, or always the plain C program. `none`: there are no two ends, but
   * work inside one process, that of all subjects, timed by tinybench.
   */
  readonly client: 'subject' | 'floor' | 'none';
  readonly plan: CasePlan;
  /** Run instead where the case is asked for by name. */
  readonly namedPlan?: CasePlan;
  /** Run only where it is asked for by name. */
  readonly onlyNamed?: boolean;
  readonly measures: readonly Measure[];
  /** The measure that a reader in a hurry is told, of the first parameters; absent where that is not what it is about. */
  readonly headline?: MeasureName;
  /** At most this many rounds by default, for what is slow or hardly varies. */
  readonly rounds?: Readonly<Partial<Record<Mode, number>>>;
  /** Seconds of the stretch where it need not depend on the time budget. */
  readonly fixedSeconds?: number;
  /** Command words that are the same for every cell and so are no parameters. */
  readonly words?: Params;
  /**
   * Seconds of load before the stretch, about, in which V8 compiles what is hot: it ends when an operation's cost has stopped
   * falling (warm-up.ts). What makes and closes a connection for each operation takes longest: the CPU of a request still
   * falls by a third between 0.3 and 1 s. Absent: none.
   */
  readonly warmup?: Readonly<Record<Mode, number>>;
  /** Seconds that the client takes to set up, where they are many: for the plan of the first round. */
  readonly setupSeconds?: number;
  /** Bind both ends to one core, for work in which they only ever take turns. */
  readonly sharesCore?: boolean;
  /**
   * Ask the server for its memory: before the client is started and when all its connections are open, or before and
   * after the stretch. `crowd` is `connections`, and asks the system too.
   */
  readonly asksMemory?: 'connections' | 'stretch' | 'crowd';
  requestOf?(params: Params): Request;
  /** Of `bytes`: with less it is the same as another case. */
  readonly leastBytes?: number;
  /** The server is given a file of `bytes` bytes, which the plain C client knows. */
  readonly needsFile?: boolean;
}

/** One case with one set of parameters over one family: what all subjects are compared in. */
export interface Series {
  readonly case: BenchCase;
  readonly params: Params;
  readonly family: Family;
  readonly subjects: readonly SubjectName[];
  /** In how many of the rounds it is run. */
  readonly rounds: number;
}

/** What one round of one subject in one series gave. */
export interface Sample {
  readonly round: number;
  readonly subject: SubjectName;
  readonly values: Values;
  /** Share of one core that the client and the server used in the stretch; absent where there is one process only. */
  readonly clientShare?: number;
  readonly serverShare?: number;
  /** Of an open loop: the last answers came long after the last request was due, or never. */
  readonly behind?: boolean;
  /** Of work inside one process: tinybench's relative margin of error of the mean, in percent. */
  readonly rme?: number;
  /** Of all operations of the stretch, where their latency is taken. */
  readonly latency?: LatencyHistogram;
  readonly warmUp?: WarmUp;
}

export interface SeriesResult {
  readonly series: Series;
  readonly samples: readonly Sample[];
  /** Requests that were due a second, where that is not up to the subjects. */
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
  /** The load generator, not the server, was at its limit: the number says nothing of the subject. */
  readonly limitedBy?: 'generator';
  /** Of work inside one process: the relative margin of error within a round, in percent; the median of the rounds. */
  readonly rme?: number;
}

/** The latencies of one subject in one series, of all rounds together: percentiles come of all requests. */
export interface LatencyResult extends Place {
  /** Requests that were due a second, of an open loop. */
  readonly offered?: number;
  readonly rounds: number;
  /** Microseconds; those that there are enough requests for. */
  readonly percentiles: Readonly<Partial<Record<PercentileName, number>>>;
  readonly histogram: LatencyHistogram;
}

/** Subject / baseline of one measure: taken within each round, then the median and the extremes of the rounds. */
export interface RatioResult extends Place {
  readonly measure: MeasureName;
  readonly baseline: SubjectName;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
  /** The load generator held one side back: the true ratio is at least, or at most, this. With both held back there is none. */
  readonly bound?: Bound;
}

export type Bound = '>=' | '<=';

export interface Host {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  /** The load average of one minute, before the start. */
  readonly load: number;
  /** The name of a kernel that is not the real thing (gVisor), `null` on a real one. */
  readonly sandbox: string | null;
}

export interface Versions {
  readonly node: string;
  readonly nearwire: string;
  readonly commit: string;
}

/** What was run, on what and when. */
export interface RunRecord {
  readonly host: Host;
  readonly versions: Versions;
  readonly command: string;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
}

/** What did not go as it was asked for. */
export interface RunNotes {
  /** What makes the numbers less trustworthy. */
  readonly warnings: readonly string[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  /** Cells that failed; they have no sample of that round. */
  readonly failures: readonly string[];
  readonly interrupted: boolean;
}

export interface BenchResult extends RunRecord, RunNotes {
  /** All that could take part, in the order of the reports. */
  readonly lineup: readonly Subject[];
  /** What of the environment was handed on to the processes that were measured, of what changes how they work. */
  readonly environment: Readonly<Record<string, string>>;
  readonly results: readonly SeriesResult[];
  readonly latencies: readonly LatencyResult[];
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
}

export interface AttachedServer {
  /** As clients are told it. */
  readonly address: string;
  /** Command words of its clients besides those of all. */
  readonly words: Params;
  /** `cpu`: microseconds of its processes so far, NaN where they are not known. */
  ask(word: string): Promise<number>;
}

export interface Subject {
  readonly name: SubjectName;
  readonly title: string;
  /**
   * The program of its servers (and, where the case says so, of its clients): plain C, a Node worker, nginx, which a
   * worker starts and ends, or a server that runs already, whose clients are plain C.
   */
  readonly program: 'floor' | 'worker' | 'nginx' | 'attached';
  /** Command words of its servers, and of its clients if they are workers. */
  readonly words?: Params;
  /** What its workers are told to be, if that is not its name. */
  readonly worker?: SubjectName;
  /** What its workers run on, if not the Node of the bench. */
  readonly node?: OtherNode;
  readonly server?: AttachedServer;
  /** What its ratios are taken to besides plain C, if not node:net. */
  readonly baseline?: SubjectName;
  readonly needsAddon?: boolean;
  readonly cases: readonly string[];
  /** Only over these, unless families are asked for by name. */
  readonly families?: readonly Family[];
  /** At most this many rounds by default. */
  readonly rounds?: Readonly<Partial<Record<Mode, number>>>;
}

/** How a server came to be warm. */
export interface WarmUp {
  readonly windows: number;
  /** False: a request's cost was still falling. */
  readonly steady: boolean;
}
