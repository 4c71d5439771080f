import { describe, expect, test } from 'vitest';

import type { RatioResult } from '../bench/model.js';
import type { Excerpt } from '../bench/readme/excerpt.js';
import { refusalOf, unrestOf } from '../bench/readme/quiet.js';
import { renderBlock } from '../bench/readme/table.js';

function ratio(high: number, rounds = 7): RatioResult {
  return {
    ...{ case: 'fanin', params: {}, family: 'unix', measure: 'cpu', subject: 'native', baseline: 'node:net' },
    ...{ median: 0.5, low: 0.5, high, rounds },
  };
}

function excerpt(load: number, ratios: readonly RatioResult[]): Excerpt {
  return {
    schema: 1,
    host: { cpu: 'A CPU', cores: 2, kernel: 'Linux 6.1', load, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    ...{ command: 'nearwire bench', started: '2026-01-02T03:04:05.000Z', ratios },
    cells: [
      {
        ...{ case: 'fanin', params: {}, family: 'unix', subject: 'native', measure: 'cpu', unit: 'us/message' },
        ...{ better: 'lower', samples: [], median: 2 },
      },
    ],
  };
}

describe('a result', () => {
  test('of a host at rest, of all rounds, which agree, is fit for the README, and its block says nothing of it', () => {
    const quiet = excerpt(0.5, [ratio(0.55), ratio(0.6), ratio(5)]);
    expect(unrestOf(quiet)).toEqual([]);
    expect(renderBlock([quiet])).not.toContain('Not of a host at rest');
  });

  test.each([
    ['a load', excerpt(0.51, [ratio(0.5)]), 'the load was 0.51 on 2 cores before the start'],
    ['fewer rounds', excerpt(0, [ratio(0.5), ratio(0.5, 6)]), '1 of 2 ratios are of fewer rounds than planned'],
    [
      'rounds that differ',
      excerpt(0, [ratio(0.5), ratio(0.7), ratio(0.7)]),
      'the highest round of a ratio is 1.40 times its lowest, in the median',
    ],
  ])('of %s is not, and its block says why', (_, restless, reason) => {
    expect(unrestOf(restless)).toEqual([reason]);
    expect(renderBlock([restless])).toContain(`**Not of a host at rest**: ${reason}.`);
  });

  test('of a case that has fewer rounds by plan is fit with these', () => {
    const few = { ...ratio(0.5, 3), case: 'retained' };
    expect(unrestOf(excerpt(0, [few]))).toEqual([]);
    expect(unrestOf(excerpt(0, [{ ...few, rounds: 2 }]))).toHaveLength(1);
  });

  test('that is not fit is refused, with the way round', () => {
    expect(refusalOf([excerpt(0.5, [ratio(0.5)])])).toBeUndefined();
    expect(refusalOf([excerpt(1.66, [ratio(0.5)])])).toMatch(/--anyway[\s\S]*the load was 1.66 on 2 cores/);
  });

  test('of each version of Node is to be fit, and of the same host and commit', () => {
    const of = (node: string, load = 0, commit = 'abc'): Excerpt => {
      const one = excerpt(load, [ratio(0.5)]);
      return { ...one, versions: { ...one.versions, node, commit } };
    };
    expect(refusalOf([of('24.1.0'), of('26.1.0')])).toBeUndefined();
    expect(refusalOf([of('24.1.0'), of('26.1.0', 1.66)])).toContain('Node 26: the load was 1.66');
    expect(refusalOf([of('24.1.0'), of('26.1.0', 0, 'def')])).toContain('different commits');
    expect(refusalOf([of('24.1.0'), of('24.1.0')])).toContain('one version of Node');
    const elsewhere = { ...of('26.1.0'), host: { ...of('26.1.0').host, cpu: 'Another CPU' } };
    expect(refusalOf([of('24.1.0'), elsewhere])).toContain('different hosts');
  });
});
