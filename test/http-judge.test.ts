/**
 * node:http over nearwire against node:http itself: cases made from a seed, compared event by event and byte by byte. For
 * long runs: NEARWIRE_JUDGE_CASES, the number of cases, and NEARWIRE_JUDGE_SEED.
 */
import { describe, expect, it } from 'vitest';
import { makeCase, randomFrom } from './support/http-judge/cases.js';
import { judge } from './support/http-judge/judge.js';
import { noteThrown, strays } from './support/http-judge/trial.js';
import { subjects } from './support/subjects.js';
import { onUncaught } from './support/uncaught.js';

const CASES = Number(process.env['NEARWIRE_JUDGE_CASES'] ?? 1000);
const SEED = Number(process.env['NEARWIRE_JUDGE_SEED'] ?? 1);
/** Served at once. */
const BATCH = 50;
const MILLIS_EACH = 100;

// node:http itself is among them: that shows that what is seen does not depend on chance.
describe.each(subjects)('judged by node:http: $name', (subject) => {
  it(
    'makes the same of every case',
    async () => {
      onUncaught(noteThrown);
      const random = randomFrom(SEED);
      for (let left = CASES; left > 0; left -= BATCH) {
        const cases = Array.from({ length: Math.min(BATCH, left) }, () => makeCase(random));
        const [first] = await judge(cases, subject);
        expect(first?.told, JSON.stringify(first?.one)).toEqual(first?.expected);
        expect(strays).toEqual([]);
      }
    },
    30_000 + CASES * MILLIS_EACH,
  );
});
