/** Work inside one process, measured by tinybench: all subjects one after the other. */
import { Bench } from 'tinybench';

import type { Words } from '../work/words.js';
import { headParsing } from './head-parsing.js';
import { headSerialising } from './head-serialising.js';
import type { Operation, Rivals } from './operation.js';
import { servingHttp, servingUwsgi } from './serving.js';
import { writingOf } from './writing.js';

const OPERATIONS: Readonly<Record<string, (size: number) => Rivals>> = {
  'parse head': headParsing,
  'serialise head': headSerialising,
  'serve request': servingHttp,
  'serve uwsgi request': servingUwsgi,
  write: writingOf,
};
/** Milliseconds, in which V8 compiles hot code. */
const WARMUP = 100;
const NS_A_MS = 1e6;

/** The time of one operation in nanoseconds, by subject, for those that support it. */
export function timeOperation({ operation: name, headers, bytes, subjects, seconds }: Words): object {
  const rivals = OPERATIONS[name]?.(headers || bytes) ?? {};
  const operations = new Map<string, Operation>();
  const bench = new Bench({ time: seconds * 1e3, warmupTime: WARMUP, throws: true });
  for (const subject of subjects.split(',')) {
    const operation = rivals[subject]?.();
    if (!operation) continue;
    operations.set(subject, operation);
    bench.add(subject, () => {
      operation.run();
    });
  }
  const results = bench.runSync().map(({ name: subject, result }) => {
    if (result.state !== 'completed') throw new Error(`tinybench did not complete ${subject}`);
    const { p50, rme } = result.latency;
    return [subject, { time: (p50 * NS_A_MS) / (operations.get(subject)?.batch ?? NaN), rme }];
  });
  return Object.fromEntries(results) as object;
}
