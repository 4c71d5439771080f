/** The file of `--json`: a contract with whoever reads it. */
import { broughtSubjects, type BroughtSubject } from './brought.js';
import type { LatencyHistogram } from './histogram.js';
import type { BenchResult, CellResult, LatencyResult, RatioResult, RunNotes, RunRecord, Sample } from './model.js';

/** A round of a subject. Its latencies are with those of all rounds. */
export interface SampleJson extends Omit<Sample, 'latency'>, Pick<CellResult, 'case' | 'params' | 'family'> {
  readonly latency?: undefined;
}

/** bench/README.md says what a step is. */
export type LatencyJson = Omit<LatencyResult, 'histogram'> & LatencyHistogram;

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

export function jsonOf({ lineup, results, latencies, ...rest }: BenchResult): JsonFile {
  return {
    ...{ schema: 1, ...rest, brought: broughtSubjects({ lineup, cells: rest.cells }) },
    latencies: latencies.map(({ histogram, ...of }) => ({ ...of, ...histogram })),
    samples: results.flatMap(({ series: { case: benchCase, params, family }, samples }) =>
      // undefined is no JSON: the latency is left out.
      samples.map((sample) => ({ case: benchCase.name, params, family, ...sample, latency: undefined })),
    ),
  };
}

/** A command as others may give it too: without the files that it wrote. */
export function withoutFiles(command: string): string {
  return command.replace(/ --(?:json|html|hdr)[ =]\S+/g, '');
}
