import { describe, expect, test } from 'vitest';

import { growth } from '../bench/cases/growth.js';
import { describePoint, growthOf } from '../bench/growth.js';
import type { BenchResult, Params, SeriesResult, SubjectName } from '../bench/model.js';
import { SUBJECTS } from '../bench/subjects.js';

/** CPU a message of one subject in two rounds; latency is 10 us a connection in the first, 20 in the second. */
function series(params: Params, cpu: readonly [number, number]): SeriesResult {
  const subject: SubjectName = 'native';
  const connections = Number(params['connections']);
  return {
    series: { case: growth, params, family: 'unix', subjects: [subject], rounds: 2 },
    samples: cpu.map((value, round) => ({
      round,
      subject,
      values: { rate: 1e6 / value, cpu: value, p50: connections * 10 * (round + 1), p99: connections * 50 },
    })),
  };
}

function resultOf(...results: SeriesResult[]): BenchResult {
  return {
    host: { cpu: 'A CPU', cores: 2, kernel: 'Linux', load: 0, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    ...{ command: 'nearwire bench', started: '2026-01-02T03:04:05.000Z', seconds: 1, results, cells: [], ratios: [] },
    lineup: SUBJECTS,
    environment: {},
    ...{ latencies: [], warnings: [], skipped: [], failures: [], interrupted: false },
  };
}

describe('the growth', () => {
  const base = series({ connections: 16 }, [2, 4]);

  test('is told against 16 connections, within each round', () => {
    const found = growthOf(
      resultOf(base, series({ connections: 4096 }, [3, 4]), series({ connections: 256, idle: 8192 }, [2, 8])),
    );
    const cpu = found?.rows.filter(({ figure }) => figure === 'cpu') ?? [];
    expect(cpu.map(({ point }) => describePoint(point))).toEqual(['4096 connections', '256 connections, 8192 idle']);
    expect(cpu[0]?.ratios).toEqual([{ median: 1.25, low: 1, high: 1.5, rounds: 2 }]);
    expect(cpu[1]?.ratios).toEqual([{ median: 1.5, low: 1, high: 2, rounds: 2 }]);
  });

  test('has the round trip a connection, which stays the same where the cost does', () => {
    const found = growthOf(resultOf(base, series({ connections: 4096 }, [2, 4])));
    const rowOf = (name: string): unknown => found?.rows.find(({ figure }) => figure === name)?.ratios[0];
    expect(rowOf('p50')).toMatchObject({ median: 256 });
    expect(rowOf('p50 / connections')).toMatchObject({ median: 1 });
  });

  test('is not told without anything to compare', () => {
    expect(growthOf(resultOf(base))).toBeUndefined();
    expect(
      growthOf(resultOf(series({ connections: 4096 }, [2, 4]), series({ connections: 256 }, [2, 4]))),
    ).toBeUndefined();
    // Idle ones make 16 another thing.
    expect(
      growthOf(resultOf(series({ connections: 16, idle: 8192 }, [2, 4]), series({ connections: 1 }, [2, 4]))),
    ).toBeUndefined();
  });
});
