import { describe, expect, test } from 'vitest';

import { SUBJECTS, type BufferChoice } from '../bench/tune/model.js';
import { formatMemory, formatTime, renderSweep } from '../bench/tune/report.js';
import { KIB, madeUpSweep, MIB } from './support/sweeps.js';

const BUFFERS: readonly BufferChoice[] = ['default', 64 * KIB, 512 * KIB, 8 * MIB];
const SIZES = [KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 16 * MIB];

const result = madeUpSweep(
  SUBJECTS.flatMap(({ name }) =>
    SIZES.flatMap((size) =>
      BUFFERS.map((buffer, index) => ({
        ...{ subject: name, size, buffer, limit: 4 * MIB, held: index > 1 ? 500 : 7000 },
        rates: [1, 1.01, 0.99].map((noise) => noise * (name === 'js' ? 3.21e9 : 1.23e9 * (index + 1))),
      })),
    ),
  ),
  'of no machine',
);

describe('the report', () => {
  test.each([80, 120, 200])('has its tables within %d columns, with all sizes', (columns) => {
    const lines = renderSweep(result, columns).split('\n');
    const tables = lines.filter((line) => /^[│┌├└]/.test(line));
    expect(Math.max(...tables.map(({ length }) => length))).toBeLessThanOrEqual(columns);
    const heads = tables.filter((line) => line.includes('send buffer'));
    for (const size of ['1 KiB', '16 KiB', '64 KiB', '256 KiB', '1 MiB', '16 MiB']) {
      const having = heads.filter((line) => line.split('│').some((text) => text.trim() === size));
      expect(having, size).toHaveLength(SUBJECTS.length);
    }
  });

  test('has figures, what they are against the default, and what was cut', () => {
    const text = renderSweep(result, 1000);
    expect(text).toMatch(/default +│ +208 KiB │ +203 MiB │ +1\.23 GB\/s │/);
    expect(text).toMatch(/64 KiB +│ +128 KiB │ +125 MiB │ +2\.46 GB\/s 2\.00x │/);
    expect(text).toMatch(/8 MiB\* +│ +8\.00 MiB │ +7\.81 GiB │/);
    expect(text).toContain('(4194304 is the most it takes)');
  });

  test('says what to set, and what not', () => {
    const text = renderSweep(result, 1000);
    expect(text).toMatch(/│ 1 MiB +│ +8 MiB │ no change │ +8 MiB │ +8 MiB │/);
    expect(text).toMatch(/│ 1 MiB +│ 512 KiB │ 512 KiB │ 512 KiB │ 512 KiB │/);
    expect(text).toContain('native 1 MiB: 8 MiB: 4.00x');
    expect(text).toContain(
      'createServer({ sendBuffer: 4194304 }) // 4 MiB (8 MiB is cut to it), for native, file, page',
    );
    expect(text).toContain('warning: of no machine');
  });
});

test('sizes and times are in the unit that suits them', () => {
  expect([512, 212_992, MIB, 999 * MIB, 1000 * MIB, 8000 * MIB].map(formatMemory)).toEqual([
    ...['0.50 KiB', '208 KiB', '1.00 MiB', '999 MiB', '0.98 GiB', '7.81 GiB'],
  ]);
  expect([0.5, 42, 999, 1000, 123_456].map(formatTime)).toEqual(['0.50us', '42.0us', '999us', '1.00ms', '123ms']);
});
