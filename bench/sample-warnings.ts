/** What the rounds of a subject say of its figures' worth. */
import { describeParams } from './format.js';
import type { Sample, SeriesResult } from './model.js';

/** Names those that did not keep up with what was due, and those that were measured while they still became faster. */
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
        // The length of a queue that grew is no latency.
        ...told(({ behind }) => behind === true, 0, 'fell behind what was due'),
        // Of single rounds chance says so: windows are short.
        ...told(
          ({ warmUp }) => warmUp?.steady === false,
          rounds.length / 2,
          'was still becoming faster after its warm-up',
        ),
      ];
    }),
  );
}
