/**
 * Mutated requests to the scanner alone. For long runs `npm run fuzz:http`, which sets NEARWIRE_FUZZ_CASES, _SEED and
 * _SECONDS.
 */
import { expect, it } from 'vitest';
import { ScannerFuzz, type Sabotage } from './fuzz-scanner.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CASES'] ?? 200_000);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
const SECONDS = Number(process.env['NEARWIRE_FUZZ_SECONDS'] ?? Infinity);
/** Between two looks at the clock. */
const BATCH = 100_000;
const MILLIS_EACH = 1;

it(
  'takes nothing for plain that means something else to node',
  () => {
    const fuzz = new ScannerFuzz(SEED);
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    for (let first = 0; first < CASES && seconds() < SECONDS; first += BATCH) {
      expect(fuzz.run(first, Math.min(BATCH, CASES - first)), `seed ${String(SEED)}`).toBeUndefined();
    }
    const { inputs, plain, bodies, knownNames } = fuzz.tally;
    // Otherwise nothing would have been compared.
    expect(plain / inputs).toBeGreaterThan(0.05);
    expect(bodies).toBeGreaterThan(0);
    expect(knownNames).toBeGreaterThan(0);
    if (CASES > BATCH * 2)
      console.log(`seed ${String(SEED)}: ${JSON.stringify(fuzz.tally)} in ${seconds().toFixed(1)} s`);
  },
  60_000 + CASES * MILLIS_EACH,
);

it.each<[Sabotage, RegExp]>([
  ['length', /a body of another length/],
  ['keepAlive', /keep-alive/],
  ['header', /another header/],
])('notices another %s', (sabotage, wrong) => {
  expect(new ScannerFuzz(SEED, sabotage).run(0, 1000)).toMatch(wrong);
});
