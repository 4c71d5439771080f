/** The file of `--json`: a contract with whoever reads it, so no field comes or goes unnoticed. */
import { broughtSubjects, type BroughtSubject } from './brought.js';
import type { Steps } from './histogram.js';
import type {
  BenchResult,
  CellResult,
  Family,
  LatencyResult,
  Params,
  RatioResult,
  RunNotes,
  RunRecord,
  Sample,
  SeriesResult,
} from './model.js';

/** A round of a subject. Its latencies are with those of all rounds. */
export interface SampleJson extends Omit<Sample, 'latency'> {
  readonly latency?: undefined;
  readonly case: string;
  readonly params: Params;
  readonly family: Family;
}

export interface LatencyJson extends Omit<LatencyResult, 'histogram'> {
  readonly count: number;
  /** Microseconds. */
  readonly max: number;
  /** bench/README.md says what a step is. */
  readonly steps: Steps;
}

/** What tables and checks are made of; older files have no more. */
export interface JsonResult extends RunRecord {
  readonly schema: 1;
  /** Those that took part and are not built in: what they were. Older results lack this, and what follows. */
  readonly brought?: readonly BroughtSubject[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
}

export interface JsonFile extends JsonResult, RunNotes {
  readonly latencies: readonly LatencyJson[];
  readonly samples: readonly SampleJson[];
}

export function jsonOf(result: BenchResult): JsonFile {
  const { host, versions, environment, command, started, seconds, cells, ratios } = result;
  const { warnings, skipped, failures, interrupted } = result;
  return {
    ...{ schema: 1, host, versions, brought: broughtSubjects(result), environment, command, started, seconds },
    ...{ cells, ratios, warnings, skipped, failures, interrupted },
    latencies: result.latencies.map(latencyJsonOf),
    samples: result.results.flatMap(samplesOf),
  };
}

function latencyJsonOf({ histogram, ...rest }: LatencyResult): LatencyJson {
  return { ...rest, ...histogram };
}

function samplesOf({ series, samples }: SeriesResult): SampleJson[] {
  const { params, family } = series;
  // undefined is no JSON: the latency is left out.
  return samples.map((sample) => ({ case: series.case.name, params, family, ...sample, latency: undefined }));
}

/** A command as others may give it too: without the files that it wrote. */
export function withoutFiles(command: string): string {
  return command.replace(/ --(?:json|html|hdr)[ =]\S+/g, '');
}
