/** What the rounds of a subject say of its figures' worth. */
import { describeParams } from './format.js';
import type { Sample, SeriesResult } from './model.js';

/** Names those that did not keep up with what was due, and those that were measured while they still became faster. */
export function sampleWarnings(results: readonly SeriesResult[]): string[] {
  return results.flatMap(({ series, samples }) =>
    series.subjects.flatMap((subject) => {
      const rounds = samples.filter((sample) => sample.subject === subject);
      const where = `${series.case.name} ${describeParams(series.params)} ${series.family} ${subject}`;
      const inRounds = (is: (sample: Sample) => boolean): { count: number; words: string } => {
        const count = rounds.filter(is).length;
        return { count, words: `in ${String(count)} of ${String(rounds.length)} rounds` };
      };
      // The length of a queue that grew is no latency.
      const late = inRounds(({ behind }) => behind === true);
      const cold = inRounds(({ warmUp }) => warmUp?.steady === false);
      return [
        ...(late.count > 0 ? [`${where} fell behind what was due ${late.words}`] : []),
        // Of single rounds chance says so: windows are short.
        ...(2 * cold.count > rounds.length
          ? [`${where} was still becoming faster after its warm-up ${cold.words}`]
          : []),
      ];
    }),
  );
}
