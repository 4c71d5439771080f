/** The format of `--json` files: a contract with their readers. */
import { broughtSubjects, type BroughtSubject } from './brought.js';
import type { LatencyHistogram } from './histogram.js';
import type { BenchResult, CellResult, LatencyResult, RatioResult, RunNotes, RunRecord, Sample } from './model.js';

/** One round of a subject. Its latencies are merged with those of all rounds. */
export interface SampleJson extends Omit<Sample, 'latency'>, Pick<CellResult, 'case' | 'params' | 'family'> {
  readonly latency?: undefined;
}

/** bench/README.md explains the steps. */
export type LatencyJson = Omit<LatencyResult, 'histogram'> & LatencyHistogram;

/** What tables and checks are built from; older files have nothing else. */
export interface JsonResult extends RunRecord {
  readonly schema: 1;
  /** The subjects that took part and are not built in. Older results lack this and the next field. */
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
      // JSON omits undefined: the latency is left out.
      samples.map((sample) => ({ case: benchCase.name, params, family, ...sample, latency: undefined })),
    ),
  };
}

/** The command without its output files, so that others can run it too. */
export function withoutFiles(command: string): string {
  return command.replace(/ --(?:json|html|hdr)[ =]\S+/g, '');
}
