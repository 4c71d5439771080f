/** Mutated requests over connections. For long runs `npm run fuzz:http -- --connections`: NEARWIRE_FUZZ_CONNECTIONS, _SEED. */
import { describe, expect, it } from 'vitest';
import { subjects, type Family } from '../support/subjects.js';
import { Mutator, ROOM } from './fuzz-mutate.js';
import { asNth, differences, PLAIN, type Script } from './vectors-compare.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CONNECTIONS'] ?? 400);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
const SECONDS = Number(process.env['NEARWIRE_FUZZ_SECONDS'] ?? Infinity);
const BATCH = 400;
const MILLIS_EACH = 20;
const FAMILIES: readonly Family[] = ['unix', 'tcp'];
const natives = subjects.filter(({ name }) => name === 'native');

const memory = Buffer.alloc(ROOM);

function scripts(mutator: Mutator, first: number, count: number): Script[] {
  return Array.from({ length: count }, (_, i) => {
    const text = memory.toString('latin1', 0, mutator.make(first + i, memory)) + (mutator.below(4) === 0 ? PLAIN : '');
    const cut = mutator.below(2) === 0 ? text.length : mutator.below(text.length + 1);
    return asNth(1 + mutator.below(3), `input ${String(first + i)}`, [text.slice(0, cut), text.slice(cut)]);
  });
}

describe.each(natives)('mutated requests: $name', (subject) => {
  it.each(FAMILIES)(
    'mean the same as on node, over %s',
    async (family) => {
      const mutator = new Mutator(SEED);
      const began = performance.now();
      for (let first = 0; first < CASES && performance.now() - began < SECONDS * 1000; first += BATCH) {
        const some = scripts(mutator, first, Math.min(BATCH, CASES - first));
        const listens = (first / BATCH) % 2 === 0;
        const found = await differences(subject, { family, listens }, some);
        expect(found, `seed ${String(SEED)}`).toEqual([]);
      }
    },
    60_000 + CASES * MILLIS_EACH,
  );
});
