/**
 * Whole conversations of mutated requests, in memory. For long runs `npm run fuzz:http -- --connections`, which sets
 * NEARWIRE_FUZZ_CONVERSATIONS, _FIRST, _SEED and _SECONDS.
 */
import { describe, expect, it } from 'vitest';
import { reference, subjects } from '../support/subjects.js';
import { Mutator } from './fuzz-mutate.js';
import { mutatedScripts } from './fuzz-scripts.js';
import { SETTINGS } from './fuzz-settings.js';
import { MemoryComparison } from './memory-compare.js';
import type { Setting } from './talk.js';
import { differences, recordsOf } from './vectors-compare.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CONVERSATIONS'] ?? 3000);
/** The number of the first input, so that several processes share a seed. */
const FIRST = Number(process.env['NEARWIRE_FUZZ_FIRST'] ?? 0);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
/** Of few conversations, in which each kind of difference is known to be. */
const SMALL_SEED = 1;
const SECONDS = Number(process.env['NEARWIRE_FUZZ_SECONDS'] ?? Infinity);
/** Conversations of one setting, and between two looks at the clock. */
const BATCH = 100;
/** Conversations of a setting, where that is enough. */
const SOME = 100;
const MILLIS_EACH = 10;
const natives = subjects.filter(({ name }) => name === 'native');

const settings = Object.entries(SETTINGS);

describe.each(natives)('mutated conversations in memory: $name', (subject) => {
  it(
    'mean the same as on node',
    async () => {
      const comparisons = settings.map(([name, setting]) => ({ name, setting, memory: new MemoryComparison(setting) }));
      const mutator = new Mutator(SEED);
      const began = performance.now();
      const seconds = (): number => (performance.now() - began) / 1000;
      let done = 0;
      while (done < CASES && seconds() < SECONDS) {
        for (const { name, setting, memory } of comparisons) {
          const some = mutatedScripts(mutator, FIRST + done, Math.min(BATCH, CASES - done));
          const found = await memory.differences(some);
          const onSockets = found.length > 0 ? await differences(subject, setting, found) : [];
          expect({ found, onSockets }, `seed ${String(SEED)}, ${name}`).toEqual({ found: [], onSockets });
          done += some.length;
        }
      }
      expect(done).toBeGreaterThan(0);
      if (CASES > 3000) console.log(`seed ${String(SEED)}: ${String(done)} conversations in ${seconds().toFixed(1)} s`);
    },
    60_000 + CASES * MILLIS_EACH,
  );

  it.each(settings)('are what they are on sockets: a server that %s', async (_, setting) => {
    const some = mutatedScripts(new Mutator(SEED), FIRST, SOME);
    const inMemory = await new MemoryComparison(setting).recordsOf(some);
    expect(inMemory).toEqual(await recordsOf([reference, subject], setting, some));
  });

  it('have differences that are noticed', async () => {
    const noticed = async (ours: string): Promise<number> => {
      const comparison = new MemoryComparison(SETTINGS['listens to all'] as Setting, SETTINGS[ours]);
      return (await comparison.differences(mutatedScripts(new Mutator(SMALL_SEED), 0, 2 * SOME))).length;
    };
    expect(await noticed('listens to requests')).toBeGreaterThan(SOME / 10);
    expect(await noticed('requires no Host')).toBeGreaterThan(0);
  });
});
