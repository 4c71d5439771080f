/** Warnings about the reliability of a subject's numbers, from its rounds. */
import { describeParams } from './format.js';
import type { Sample, SeriesResult } from './model.js';

/**
 * Lists the subjects that did not keep up with the requests due, and those that were still getting faster while being
 * measured.
 */
export function sampleWarnings(results: readonly SeriesResult[]): string[] {
  return results.flatMap(({ series, samples }) =>
    series.subjects.flatMap((subject) => {
      const rounds = samples.filter((sample) => sample.subject === subject);
      const where = `${series.case.name} ${describeParams(series.params)} ${series.family} ${subject}`;
      const told = (is: (sample: Sample) => boolean, least: number, what: string): string[] => {
        const count = rounds.filter(is).length;
        return count > least ? [`${where} ${what} in ${String(count)} of ${String(rounds.length)} rounds`] : [];
      };
      return [
        // The length of a growing queue is not a latency.
        ...told(({ behind }) => behind === true, 0, 'fell behind what was due'),
        // In single rounds it happens by chance, because windows are short.
        ...told(
          ({ warmUp }) => warmUp?.steady === false,
          rounds.length / 2,
          'was still becoming faster after its warm-up',
        ),
      ];
    }),
  );
}
