/**
 * Our vectors on strict servers: what RFC 9110 and RFC 9112 have a server refuse is refused, and all else is as without
 * `strict`; as the first, second and third request of a connection, whole and cut at every second byte, or at every one with
 * NEARWIRE_VECTORS_ALL=1.
 */
import { describe, expect, it } from 'vitest';
import { strictWays } from '../support/strict.js';
import { acceptedVectors, refusedVectors, UNKNOWN_NAMES, type RefusedVector } from './strict-vectors.js';
import { asNth, type Script, type Setting } from './talk.js';
import { differences, recordsOf } from './vectors-compare.js';
import { LONGEST_CUT, type Vector } from './vectors.js';

const NTHS = [1, 2, 3];
/** Between cuts, in bytes: each of them takes as long as a whole conversation. */
const CUT_STEP = process.env['NEARWIRE_VECTORS_ALL'] === '1' ? 1 : 2;

const SETTINGS: Readonly<Record<string, Setting>> = {
  'a program that listens to all, over unix': { family: 'unix', listens: true },
  "node's answers, over unix": { family: 'unix', listens: false },
};

interface Sent<V> {
  readonly vector: V;
  readonly nth: number;
  readonly isCut: boolean;
  readonly script: Script;
}

function wholes<V extends Vector>(vectors: readonly V[]): Sent<V>[] {
  return vectors.flatMap((vector) =>
    NTHS.map((nth) => ({ vector, nth, isCut: false, script: asNth(nth, vector.name, [vector.bytes]) })),
  );
}

function cuts<V extends Vector>(vectors: readonly V[]): Sent<V>[] {
  return vectors
    .filter(({ bytes }) => bytes.length <= LONGEST_CUT)
    .flatMap((vector, i) => {
      // Half of the vectors at even places, half at odd ones.
      const first = 1 + (i % CUT_STEP);
      const length = Math.max(0, Math.ceil((vector.bytes.length - first) / CUT_STEP));
      return Array.from({ length }, (_, count) => {
        const at = first + count * CUT_STEP;
        const nth = NTHS[count % NTHS.length] as number;
        const pieces = [vector.bytes.slice(0, at), vector.bytes.slice(at)];
        return { vector, nth, isCut: true, script: asNth(nth, `${vector.name}, cut at ${String(at)}`, pieces) };
      });
    });
}

const OWN_CODE = '"code":"ERR_NEARWIRE_HTTP_STRICT"';

/** What is not as it should be, of what was seen of a request that is to be refused. */
function faults({ vector, nth, isCut }: Sent<RefusedVector>, record: readonly string[], listens: boolean): string[] {
  const of = (name: string): string => record.find((line) => line.startsWith(`${name}: `)) ?? '';
  const seen = record.filter((line) => /^request \d+:/.test(line)).length;
  const expected = nth - 1 + vector.served;
  const found: string[] = [];
  // Its first piece may end before the program can see anything of it.
  if (seen !== expected) found.push(`${String(seen)} requests, not ${String(expected)}`);
  const client = of('client');
  const answers = [...client.matchAll(/HTTP\/1\.1 (\d+) (\w+)/g)];
  const [, status, word] = answers.at(-1) ?? [];
  const isRefused = listens ? word === 'Own' : status === String(vector.status) || (isCut && status === '400');
  if (!isRefused) found.push(`answered ${String(status)} ${String(word)}`);
  // The parser may have seen the beginning of the line, and refuses that.
  if (listens && !of('server').includes(OWN_CODE) && !(isCut && of('server').includes('HPE_')))
    found.push(of('server'));
  if (!client.includes('<close>')) found.push('left open');
  return found;
}

describe.each(strictWays)('strict: $name', ({ lax, strict }) => {
  it('has a verdict for each name', () => {
    expect(UNKNOWN_NAMES).toEqual([]);
    expect(refusedVectors(true).length).toBeGreaterThan(100);
  });

  it.each(Object.entries(SETTINGS))('leaves the rest as it is: %s', async (_, setting) => {
    const sent = wholes(acceptedVectors(setting.listens)).map(({ script }) => script);
    expect(await differences(strict, setting, sent, lax)).toEqual([]);
  });

  it('leaves the rest as it is, cut', async () => {
    const sent = cuts(acceptedVectors(true)).map(({ script }) => script);
    expect(await differences(strict, { family: 'unix', listens: true }, sent, lax)).toEqual([]);
  });

  it.each(Object.entries(SETTINGS))('refuses: %s', async (_, setting) => {
    const refused = refusedVectors(setting.listens);
    const sent = [...wholes(refused), ...(setting.listens ? [] : cuts(refused))];
    const [records = []] = await recordsOf(
      [strict],
      setting,
      sent.map(({ script }) => script),
    );
    const wrong = sent.flatMap((one, i) => {
      const found = faults(one, records[i] ?? [], setting.listens);
      return found.length === 0 ? [] : [{ ...one.script, found, record: records[i] }];
    });
    expect(wrong).toEqual([]);
  });
});
