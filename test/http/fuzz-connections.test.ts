/**
 * Mutated requests over the kernel's connections. For long runs `npm run fuzz:http -- --sockets`, which sets
 * NEARWIRE_FUZZ_CONNECTIONS, _SEED and _SECONDS.
 */
import { describe, expect, it } from 'vitest';
import { subjects, type Family } from '../support/subjects.js';
import { Mutator } from './fuzz-mutate.js';
import { mutatedScripts } from './fuzz-scripts.js';
import { differences } from './vectors-compare.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CONNECTIONS'] ?? 400);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
/** For all families together. */
const SECONDS = Number(process.env['NEARWIRE_FUZZ_SECONDS'] ?? Infinity);
const BATCH = 400;
const MILLIS_EACH = 20;
const FAMILIES: readonly Family[] = ['unix', 'tcp'];
const natives = subjects.filter(({ name }) => name === 'native');

describe.each(natives)('mutated requests: $name', (subject) => {
  it.each(FAMILIES)(
    'mean the same as on node, over %s',
    async (family) => {
      const mutator = new Mutator(SEED);
      const began = performance.now();
      for (
        let first = 0;
        first < CASES && performance.now() - began < (SECONDS / FAMILIES.length) * 1000;
        first += BATCH
      ) {
        const some = mutatedScripts(mutator, first, Math.min(BATCH, CASES - first));
        const listens = (first / BATCH) % 2 === 0;
        const found = await differences(subject, { family, listens }, some);
        expect(found, `seed ${String(SEED)}`).toEqual([]);
      }
    },
    60_000 + CASES * MILLIS_EACH,
  );
});
