import { describe, expect, test } from 'vitest';

import { conclude, rangesOf } from '../bench/tune/conclude.js';
import type { Conclusion, Limits, Setting } from '../bench/tune/model.js';
import { settingsFor } from '../bench/tune/settings.js';
import { KIB, madeUpCells, MIB, type MadeUp } from './support/sweeps.js';

const LIMITS: Limits = { mostBuffer: 4 * MIB, somaxconn: 4096 };

function concludeFrom(...all: MadeUp[]): Conclusion {
  const [conclusion, ...more] = conclude(madeUpCells(all));
  expect(more).toEqual([]);
  if (!conclusion) throw new Error('no conclusion');
  return conclusion;
}

describe('the buffer to set', () => {
  test('is where the curve bends: the smallest that is within the spread of the best', () => {
    const conclusion = concludeFrom(
      { buffer: 'default', rates: [100, 104, 96, 100, 101] },
      { buffer: 256 * KIB, rates: [130, 134, 126, 131, 129] },
      { buffer: 512 * KIB, rates: [198, 202, 190, 200, 199] },
      { buffer: 1 * MIB, rates: [200, 205, 191, 203, 202] },
      { buffer: 8 * MIB, rates: [204, 200, 195, 201, 199] },
    );
    expect(conclusion).toMatchObject({ buffer: 512 * KIB, reason: 'bend', best: { buffer: 1 * MIB } });
    expect(conclusion.gain.median).toBeCloseTo(1.98, 2);
    expect(conclusion.gain.low).toBeLessThanOrEqual(conclusion.gain.median);
    expect(conclusion.gain.high).toBeGreaterThanOrEqual(conclusion.gain.median);
    expect(conclusion.text).toMatch(
      /^512 KiB: 1\.98x \(1\.\d\d to .*\) of the default's throughput, .*1 MiB, is no better/,
    );
  });

  test('is the best itself where all smaller ones are worse by more than anybody would miss', () => {
    const conclusion = concludeFrom(
      { buffer: 'default', rates: [100, 100, 101] },
      { buffer: 256 * KIB, rates: [110, 111, 110] },
      { buffer: 1 * MIB, rates: [150, 151, 149] },
    );
    expect(conclusion).toMatchObject({ buffer: MIB, reason: 'bend' });
    expect(conclusion.text).toContain('the best there was');
  });

  test('is none where the curve is flat, even if all rounds agree on a few per cent', () => {
    const conclusion = concludeFrom(
      { buffer: 'default', rates: [100, 100, 100] },
      { buffer: 1 * MIB, rates: [103, 103, 104] },
    );
    expect(conclusion).toMatchObject({ buffer: 'default', reason: 'flat', best: { buffer: MIB } });
    expect(conclusion.text).toBe('no change: the best, 1 MiB, gives 1.03x (1.03 to 1.04)');
  });

  test('is none where the default is the best', () => {
    const conclusion = concludeFrom(
      { buffer: 'default', rates: [100, 101, 102] },
      { buffer: 64 * KIB, rates: [50, 51, 52] },
    );
    expect(conclusion).toMatchObject({ buffer: 'default', reason: 'flat', best: { buffer: 'default' } });
    expect(conclusion.text).toBe('no change: nothing is better than the default');
  });

  test('is none where the best is better in the median only', () => {
    const conclusion = concludeFrom(
      { buffer: 'default', rates: [100, 100, 100, 100, 100] },
      { buffer: 1 * MIB, rates: [160, 80, 150, 90, 155] },
      { buffer: 4 * MIB, rates: [95, 102, 99, 104, 98] },
    );
    expect(conclusion).toMatchObject({ buffer: 'default', reason: 'noise' });
    expect(conclusion.gain).toMatchObject({ median: 1 });
    expect(conclusion.text).toMatch(
      /^no change: the default is within the noise of the best, 1 MiB with 1\.50x \(0\.80/,
    );
  });

  test('is not told from two rounds', () => {
    const conclusion = concludeFrom({ buffer: 'default', rates: [100, 100] }, { buffer: 1 * MIB, rates: [200, 200] });
    expect(conclusion).toMatchObject({ buffer: 'default', reason: 'few' });
    expect(conclusion.text).toContain('too few rounds');
  });

  test('does not mind a machine that is slow in some rounds, for all alike', () => {
    const slow = [1, 0.2, 1, 0.5, 0.9];
    const conclusion = concludeFrom(
      { buffer: 'default', rates: slow.map((share) => 100 * share) },
      { buffer: 1 * MIB, rates: slow.map((share) => 150 * share) },
      { buffer: 4 * MIB, rates: slow.map((share) => 151 * share) },
    );
    expect(conclusion).toMatchObject({ buffer: MIB, reason: 'bend', gain: { median: 1.5, low: 1.5, high: 1.5 } });
  });

  test('of two that the system has cut to the same is the one that was not', () => {
    const cells = madeUpCells([
      { buffer: 'default', rates: [100, 100, 100] },
      { buffer: 4 * MIB, rates: [150, 150, 150], limit: 4 * MIB },
      { buffer: 8 * MIB, rates: [151, 151, 151], limit: 4 * MIB },
    ]);
    expect(cells.map(({ clamped }) => clamped)).toEqual([false, false, true]);
    expect(cells.map(({ memory, effective }) => memory / effective)).toEqual([1000, 1000, 1000]);
    expect(conclude(cells)).toMatchObject([{ buffer: 4 * MIB }]);
  });

  test('has no conclusion where there is nothing to compare', () => {
    expect(conclude(madeUpCells([{ buffer: 'default', rates: [1, 2, 3] }]))).toEqual([]);
    expect(conclude(madeUpCells([{ buffer: MIB, rates: [1, 2, 3] }]))).toEqual([]);
  });
});

describe('the buffer that takes a response whole', () => {
  const same = [100, 100, 100];

  test('is the smallest with which it has left before its reader began', () => {
    const { whole } = concludeFrom(
      { buffer: 'default', rates: same, held: 7000 },
      { buffer: 256 * KIB, rates: same, held: 6500 },
      { buffer: 512 * KIB, rates: same, held: 300 },
      { buffer: 2 * MIB, rates: same, held: 200 },
    );
    expect(whole).toBe(512 * KIB);
  });

  test('is the default where that does, though a smaller one would', () => {
    const { whole } = concludeFrom(
      { buffer: 'default', rates: same, held: 80 },
      { buffer: 64 * KIB, rates: same, held: 70 },
    );
    expect(whole).toBe('default');
  });

  test('may be none of them', () => {
    const { whole } = concludeFrom(
      { buffer: 'default', rates: same, held: 9000 },
      { buffer: 64 * KIB, rates: same, held: 8000 },
    );
    expect(whole).toBeNull();
  });
});

describe('the lines', () => {
  const cells = madeUpCells([
    { size: 64 * KIB, buffer: 'default', rates: [100, 100, 100], held: 100 },
    { size: 64 * KIB, buffer: MIB, rates: [100, 100, 100], held: 100 },
    { size: MIB, buffer: 'default', rates: [100, 100, 100] },
    { size: MIB, buffer: MIB, rates: [150, 150, 150], held: 100 },
  ]);
  const conclusions = conclude(cells);
  const linesOf = (settings: readonly Setting[], where: Setting['where']): string[] =>
    settings.filter((setting) => setting.where === where).flatMap(({ lines }) => lines);
  const notesOf = (settings: readonly Setting[], where: Setting['where']): string =>
    settings
      .filter((setting) => setting.where === where)
      .map(({ note }) => note)
      .join('\n');

  test('on Linux over UNIX: nearwire has one, nginx has none and says why, sysctl is not needed', () => {
    const settings = settingsFor({ cells, conclusions, limits: LIMITS, family: 'unix', platform: 'linux' });
    const line = 'createServer({ sendBuffer: 1048576 }) // 1 MiB, for native 1 MiB';
    // For throughput, and where readers lag.
    expect(linesOf(settings, 'nearwire')).toEqual([line, line]);
    expect(linesOf(settings, 'nginx')).toEqual([]);
    expect(notesOf(settings, 'nginx')).toMatch(/accepted UNIX connections do not take it over[^]*proxy_buffers/);
    expect(linesOf(settings, 'sysctl')).toEqual([]);
    expect(notesOf(settings, 'sysctl')).toContain('net.core.wmem_max must be 1048576 or more, here it is 4194304');
  });

  test('a buffer below the default is one that a server is to be told of', () => {
    const small = madeUpCells([
      { buffer: 'default', rates: [100, 100, 100], held: 100 },
      { buffer: 64 * KIB, rates: [150, 150, 150], held: 7000 },
    ]);
    const found = {
      cells: small,
      conclusions: conclude(small),
      limits: LIMITS,
      family: 'unix',
      platform: 'linux',
    } as const;
    expect(linesOf(settingsFor(found), 'nearwire')).toEqual([
      'createServer({ sendBuffer: 65536, allowSmallBuffers: true }) // 64 KiB, for native 1 MiB',
    ]);
  });

  test('over TCP nginx has one too', () => {
    const settings = settingsFor({ cells, conclusions, limits: LIMITS, family: 'tcp', platform: 'linux' });
    expect(linesOf(settings, 'nginx')).toEqual(['listen 127.0.0.1:8080 sndbuf=1m;']);
    expect(notesOf(settings, 'nearwire')).toContain('tcp_wmem');
  });

  test('on macOS the names are its own', () => {
    const limits = { mostBuffer: 512 * KIB, somaxconn: 128 };
    const settings = settingsFor({ cells, conclusions, limits, family: 'unix', platform: 'darwin' });
    expect(linesOf(settings, 'nginx')).toEqual(['listen unix:/tmp/nginx.sock sndbuf=1m;']);
    expect(linesOf(settings, 'sysctl')).toEqual([
      'sysctl -w net.local.stream.sendspace=1048576',
      'sysctl -w net.local.stream.recvspace=1048576',
      'sysctl -w kern.ipc.maxsockbuf=1048576',
      'sysctl -w kern.ipc.somaxconn=511',
    ]);
  });

  test('wmem_max is to be raised where it has cut what was the best', () => {
    const cut = madeUpCells([
      { buffer: 'default', rates: [100, 100, 100] },
      { buffer: 8 * MIB, rates: [150, 150, 150], limit: 208 * KIB },
    ]);
    const limits = { mostBuffer: 208 * KIB, somaxconn: 64 };
    const found = { cells: cut, conclusions: conclude(cut), limits, family: 'unix', platform: 'linux' } as const;
    const settings = settingsFor(found);
    expect(linesOf(settings, 'sysctl')).toEqual([
      'sysctl -w net.core.wmem_max=8388608',
      'sysctl -w net.core.somaxconn=511',
    ]);
    expect(notesOf(settings, 'sysctl')).toContain('8 MiB was cut to net.core.wmem_max, 212992 here');
    // What was measured is what the system gives.
    expect(linesOf(settings, 'nearwire')).toEqual([
      'createServer({ sendBuffer: 212992 }) // 208 KiB (8 MiB is cut to it), for native 1 MiB',
    ]);
  });

  test('where nothing is to be set, it is said', () => {
    const flat = madeUpCells([
      { buffer: 'default', rates: [100, 100, 100], held: 10 },
      { buffer: MIB, rates: [100, 100, 100], held: 10 },
    ]);
    const found = {
      cells: flat,
      conclusions: conclude(flat),
      limits: LIMITS,
      family: 'unix',
      platform: 'linux',
    } as const;
    const settings = settingsFor(found);
    expect(settings.flatMap(({ lines }) => lines)).toEqual([]);
    expect(notesOf(settings, 'nearwire')).toContain('for throughput nothing is to be set');
    const short = conclude(madeUpCells(['default' as const, MIB].map((buffer) => ({ buffer, rates: [100, 100] }))));
    expect(notesOf(settingsFor({ ...found, conclusions: short }), 'nearwire')).toContain('too few rounds to tell');
  });
});

test('sizes that follow each other are told as a range', () => {
  const all = [KIB, 4 * KIB, 16 * KIB, 64 * KIB, MIB];
  expect(rangesOf([KIB, 4 * KIB, 16 * KIB, MIB], all)).toBe('1 KiB to 16 KiB, 1 MiB');
  expect(rangesOf([64 * KIB], all)).toBe('64 KiB');
  expect(rangesOf(all, all)).toBe('1 KiB to 1 MiB');
  expect(rangesOf([], all)).toBe('');
});
