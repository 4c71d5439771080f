/**
 * Mutated requests, and with NEARWIRE_CORPORA those of other projects' tests, on strict servers: each is refused, or is as
 * without `strict`.
 */
import { describe, expect, it } from 'vitest';
import { strictWays, type StrictWay } from '../support/strict.js';
import { corpus, CORPORA } from './corpora.js';
import { Mutator, ROOM } from './fuzz-mutate.js';
import { asNth, PLAIN, type Script } from './talk.js';
import { differences, type Difference } from './vectors-compare.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CONNECTIONS'] ?? 400);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
const BATCH = 400;
const MILLIS_EACH = 20;
const directory = process.env['NEARWIRE_CORPORA'];
const READ_BYTES = 65_536;

const memory = Buffer.alloc(ROOM);

function mutated(mutator: Mutator, first: number, count: number): Script[] {
  return Array.from({ length: count }, (_, i) => {
    const text = memory.toString('latin1', 0, mutator.make(first + i, memory)) + (mutator.below(4) === 0 ? PLAIN : '');
    const cut = mutator.below(2) === 0 ? text.length : mutator.below(text.length + 1);
    return asNth(1 + mutator.below(3), `input ${String(first + i)}`, [text.slice(0, cut), text.slice(cut)]);
  });
}

const includes = (record: readonly string[], text: string): boolean => record.some((line) => line.includes(text));

/**
 * What a strict server refuses, if it comes to that: node answers invalid bytes behind a connection's last request in the
 * place of that request; a strict server answers the request, closes, and has nobody to tell.
 */
function isRefused({ told, expected }: Difference): boolean {
  if (includes(told, '"code":"ERR_NEARWIRE_HTTP_STRICT"')) return true;
  return includes(expected, '"code":"HPE_') && !includes(told, 'clientError') && includes(told, '<end><close>|');
}

async function unlike({ strict, lax }: StrictWay, scripts: readonly Script[]): Promise<Difference[]> {
  const found = await differences(strict, { family: 'unix', listens: true }, scripts, lax);
  // Both kinds must be among them.
  expect(found.length).toBeLessThan(scripts.length);
  return found.filter((one) => !isRefused(one));
}

describe.each(strictWays)('strict, at random: $name', (way) => {
  it(
    'mutated requests',
    async () => {
      const mutator = new Mutator(SEED);
      for (let first = 0; first < CASES; first += BATCH) {
        const some = mutated(mutator, first, Math.min(BATCH, CASES - first));
        expect(await unlike(way, some), `seed ${String(SEED)}`).toEqual([]);
      }
    },
    60_000 + CASES * MILLIS_EACH,
  );

  it.skipIf(directory === undefined).each(CORPORA)('requests of %s', async (name) => {
    const vectors = corpus(directory ?? '', name) ?? [];
    const sent = vectors.filter(({ bytes }) => bytes.length < READ_BYTES);
    expect(sent.length, `${name} in ${String(directory)}`).toBeGreaterThan(10);
    const scripts = sent.flatMap(({ name: of, bytes }) => {
      const half = bytes.length >> 1;
      return [asNth(1, of, [bytes]), asNth(2, `${of}, cut`, [bytes.slice(0, half), bytes.slice(half)])];
    });
    expect(await unlike(way, scripts)).toEqual([]);
  });
});
