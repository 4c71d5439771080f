/**
 * Whole conversations of mutated requests with strict servers, in memory: what a strict server takes it serves as node does,
 * and where it refuses, all before that is served as by node, and nothing after it is.
 */
import { describe, expect, it } from 'vitest';
import { subjects } from '../support/subjects.js';
import { Mutator } from './fuzz-mutate.js';
import { mutatedScripts } from './fuzz-scripts.js';
import { SETTINGS } from './fuzz-settings.js';
import { MemoryComparison } from './memory-compare.js';
import { brokenInvariant, isRefused } from './strict-invariants.js';
import type { Setting } from './talk.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CONVERSATIONS'] ?? 3000);
/** The number of the first input, so that several processes share a seed. */
const FIRST = Number(process.env['NEARWIRE_FUZZ_FIRST'] ?? 0);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
/** Of few conversations, in which each kind of difference is known to be. */
const SMALL_SEED = 1;
const SECONDS = Number(process.env['NEARWIRE_FUZZ_SECONDS'] ?? Infinity);
/** Conversations of one setting, and between two looks at the clock. */
const BATCH = 100;
const MILLIS_EACH = 10;
const natives = subjects.filter(({ name }) => name === 'native');

function strictly(setting: Setting): Setting {
  const options = { ...setting.options, strict: true };
  return { ...setting, options };
}

describe.each(natives)('mutated conversations with strict servers in memory: $name', () => {
  it(
    'are served as by node up to what is refused, and no further',
    async () => {
      const comparisons = Object.entries(SETTINGS).map(([name, setting]) => ({
        name,
        memory: new MemoryComparison(setting, strictly(setting)),
      }));
      const mutator = new Mutator(SEED);
      const began = performance.now();
      const seconds = (): number => (performance.now() - began) / 1000;
      let [done, refused] = [0, 0];
      while (done < CASES && seconds() < SECONDS) {
        for (const { name, memory } of comparisons) {
          const some = mutatedScripts(mutator, FIRST + done, Math.min(BATCH, CASES - done));
          const found = await memory.differences(some);
          const broken = found.flatMap((one) => {
            const rule = brokenInvariant(one);
            return rule === undefined ? [] : [{ rule, ...one }];
          });
          expect(broken, `seed ${String(SEED)}, ${name}`).toEqual([]);
          done += some.length;
          refused += found.filter(isRefused).length;
        }
      }
      expect(refused).toBeGreaterThan(done / 100);
      expect(refused).toBeLessThan(done / 2);
      if (CASES > 3000)
        console.log(
          `seed ${String(SEED)}: ${String(done)} conversations, ${String(refused)} refused, in ${seconds().toFixed(1)} s`,
        );
    },
    60_000 + CASES * MILLIS_EACH,
  );

  it('have differences that are noticed', async () => {
    const all = SETTINGS['listens to all'] as Setting;
    const some = mutatedScripts(new Mutator(SMALL_SEED), 0, 2 * BATCH);
    const silent = await new MemoryComparison(all, strictly(SETTINGS['listens to requests'] as Setting)).differences(
      some,
    );
    expect(silent.map(brokenInvariant)).toContain('what is not refused is served as by node');
    const refused = (await new MemoryComparison(all, strictly(all)).differences(some)).filter(isRefused);
    const altered = refused.map((one) => ({ ...one, told: one.told.map((line) => line.replace('200 OK', '201 OK')) }));
    expect(altered.map(brokenInvariant)).toContain('the answers before are the same bytes');
    const open = refused.map((one) => ({ ...one, told: one.told.map((line) => line.replace('<close>', '')) }));
    expect(open.map(brokenInvariant)).toContain('the connection closes');
  });
});
