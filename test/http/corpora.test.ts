/**
 * The raw requests of other projects' tests, compared as our own vectors are: NEARWIRE_CORPORA is a folder with their
 * checkouts (test/README.md).
 */
import { describe, expect, it } from 'vitest';
import { subjects, type Family } from '../support/subjects.js';
import { corpus, CORPORA } from './corpora.js';
import { asNth } from './talk.js';
import { differences } from './vectors-compare.js';

const directory = process.env['NEARWIRE_CORPORA'];
const natives = subjects.filter(({ name }) => name === 'native');
const NTHS = [1, 2, 3];

/** node leaves what comes beyond it in the kernel, and its peer then meets a reset (docs/compatibility.md). */
const READ_BYTES = 65_536;

const FAMILIES: readonly Family[] = ['unix', 'tcp'];
const WAYS = CORPORA.flatMap((name) => FAMILIES.map((family) => ({ name, family })));

describe.skipIf(directory === undefined).each(natives)("others' requests: $name", (subject) => {
  it.each(WAYS)('$name over $family', async ({ name, family }) => {
    const vectors = corpus(directory ?? '', name);
    // A folder without them would pass.
    expect(vectors?.length, `${name} in ${String(directory)}`).toBeGreaterThan(10);
    const sent = (vectors ?? []).filter(({ bytes }) => bytes.length < READ_BYTES);
    const halves = sent.map((one) => ({ ...one, half: one.bytes.length >> 1 }));
    const scripts = halves.flatMap(({ name: of, bytes, half }) =>
      NTHS.flatMap((nth) => [
        asNth(nth, of, [bytes]),
        asNth(nth, `${of}, cut`, [bytes.slice(0, half), bytes.slice(half)]),
      ]),
    );
    for (const listens of [true, false]) {
      expect(await differences(subject, { family, listens }, scripts)).toEqual([]);
    }
    console.log(
      `${name}: ${String(sent.length)} of ${String(vectors?.length)} requests, ${String(2 * scripts.length)} conversations`,
    );
  });
});
