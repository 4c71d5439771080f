/**
 * Whole conversations of mutated requests, in memory. For long runs `npm run fuzz:http -- --connections`, which sets
 * NEARWIRE_FUZZ_CONVERSATIONS, _FIRST, _SEED and _SECONDS.
 */
import { describe, expect, it } from 'vitest';
import { reference, subjects } from '../support/subjects.js';
import { Mutator } from './fuzz-mutate.js';
import { mutatedScripts } from './fuzz-scripts.js';
import { MemoryComparison } from './memory-compare.js';
import type { Setting } from './talk.js';
import { differences, recordsOf } from './vectors-compare.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CONVERSATIONS'] ?? 2000);
/** The number of the first input, so that several processes share a seed. */
const FIRST = Number(process.env['NEARWIRE_FUZZ_FIRST'] ?? 0);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
const SECONDS = Number(process.env['NEARWIRE_FUZZ_SECONDS'] ?? Infinity);
/** Conversations of one setting, and between two looks at the clock. */
const BATCH = 400;
const MILLIS_EACH = 10;
const natives = subjects.filter(({ name }) => name === 'native');

const SETTINGS: readonly Setting[] = [
  { family: 'unix', listens: true },
  { family: 'unix', listens: false },
];

describe.each(natives)('mutated conversations in memory: $name', (subject) => {
  it(
    'mean the same as on node',
    async () => {
      const comparisons = SETTINGS.map((setting) => new MemoryComparison(setting));
      const mutator = new Mutator(SEED);
      const began = performance.now();
      const seconds = (): number => (performance.now() - began) / 1000;
      let done = 0;
      for (let batch = 0; done < CASES && seconds() < SECONDS; batch++) {
        const turn = batch % SETTINGS.length;
        const some = mutatedScripts(mutator, FIRST + done, Math.min(BATCH, CASES - done));
        const found = (await comparisons[turn]?.differences(some)) ?? [];
        const onSockets = found.length > 0 ? await differences(subject, SETTINGS[turn] as Setting, found) : [];
        expect({ found, onSockets }, `seed ${String(SEED)}, setting ${String(turn)}`).toEqual({ found: [], onSockets });
        done += some.length;
      }
      expect(done).toBeGreaterThan(0);
      if (CASES > 2000) console.log(`seed ${String(SEED)}: ${String(done)} conversations in ${seconds().toFixed(1)} s`);
    },
    60_000 + CASES * MILLIS_EACH,
  );

  it.each(SETTINGS)('are what they are on sockets, listening: $listens', async (setting) => {
    const some = mutatedScripts(new Mutator(SEED), FIRST, 400);
    const inMemory = await new MemoryComparison(setting).recordsOf(some);
    expect(inMemory).toEqual(await recordsOf([reference, subject], setting, some));
  });

  it('have differences that are noticed', async () => {
    const [one, other] = SETTINGS as [Setting, Setting];
    const some = mutatedScripts(new Mutator(SEED), 0, 400);
    expect((await new MemoryComparison(one, other).differences(some)).length).toBeGreaterThan(40);
    const lenient = { ...one, options: { requireHostHeader: false } };
    expect((await new MemoryComparison(one, lenient).differences(some)).length).toBeGreaterThan(0);
  });
});
