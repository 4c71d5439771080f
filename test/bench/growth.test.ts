import { describe, expect, test } from 'vitest';

import { growth } from '../../bench/cases/messages.js';
import type { Params, SeriesResult, SubjectName } from '../../bench/model.js';
import { growthBlocks } from '../../bench/report/growth.js';
import { SUBJECTS } from '../../bench/subjects.js';

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

/** The table: the row's name, and its only cell. */
function growthOf(...results: SeriesResult[]): Readonly<Record<string, unknown>> | undefined {
  const [block] = growthBlocks({ lineup: SUBJECTS }, results);
  return block && Object.fromEntries(block.rows.map(({ name, cells }) => [name, cells[0]]));
}

describe('the growth', () => {
  const base = series({ connections: 16 }, [2, 4]);

  test('is told against 16 connections, within each round', () => {
    const many = series({ connections: 4096 }, [3, 4]);
    expect(growthOf(base, many, series({ connections: 256, idle: 8192 }, [2, 8]))).toMatchObject({
      '4096 connections cpu': '1.25x (1.00 to 1.50)',
      '256 connections, 8192 idle cpu': '1.50x (1.00 to 2.00)',
    });
  });

  test('has the round trip a connection, which stays the same where the cost does', () => {
    expect(growthOf(base, series({ connections: 4096 }, [2, 4]))).toMatchObject({
      '4096 connections p50': '256x',
      '4096 connections p50 / connections': '1.00x',
    });
  });

  test('is not told without anything to compare', () => {
    expect(growthOf(base)).toBeUndefined();
    expect(growthOf(series({ connections: 4096 }, [2, 4]), series({ connections: 256 }, [2, 4]))).toBeUndefined();
    // Idle ones make 16 another thing.
    expect(
      growthOf(series({ connections: 16, idle: 8192 }, [2, 4]), series({ connections: 1 }, [2, 4])),
    ).toBeUndefined();
  });
});
