/**
 * The micro cases: `main.js --operation NAME --subjects A,B --seconds S` tells the time of one operation in nanoseconds
 * for each of the subjects that can do it, measured by tinybench one after the other in this process.
 */
import { parseArgs } from 'node:util';

import { Bench } from 'tinybench';

import { tell } from '../work/control.js';
import { headParsing } from './head-parsing.js';
import { headSerialising } from './head-serialising.js';
import type { Rivals } from './operation.js';
import { writingOf } from './writing.js';

const OPERATIONS: Readonly<Record<string, (size: number) => Rivals>> = {
  'parse head': headParsing,
  'serialise head': headSerialising,
  write: writingOf,
};
/** Milliseconds, in which V8 compiles what is hot. */
const WARMUP = 100;
const NS_A_MS = 1e6;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { operation: text, headers: text, bytes: text, subjects: text, seconds: text },
});
const make = OPERATIONS[values.operation ?? ''];
if (make === undefined) throw new TypeError(`--operation is one of ${Object.keys(OPERATIONS).join(', ')}`);
const rivals = make(Number(values.headers ?? values.bytes));
const bench = new Bench({ time: Number(values.seconds) * 1e3, warmupTime: WARMUP, throws: true });
const batches = new Map<string, number>();
for (const subject of values.subjects?.split(',') ?? []) {
  const operation = rivals[subject]?.();
  if (!operation) continue;
  batches.set(subject, operation.batch);
  bench.add(subject, () => {
    operation.run();
  });
}
const results = bench.runSync().map(({ name, result }) => {
  if (result.state !== 'completed') throw new Error(`tinybench did not complete ${name}`);
  const { p50, rme } = result.latency;
  return [name, { time: (p50 * NS_A_MS) / (batches.get(name) ?? NaN), rme }];
});
tell({ result: Object.fromEntries(results) as unknown });
