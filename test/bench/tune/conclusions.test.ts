import { describe, expect, test } from 'vitest';

import type { BufferChoice, Conclusion } from '../../../bench/tune/model.js';
import { settingsFor } from '../../../bench/tune/settings.js';
import { foundOf, KIB, madeUpSweep, MIB, type MadeUp } from '../../support/sweeps.js';

function concludeFrom(...all: MadeUp[]): Conclusion {
  const [conclusion, ...more] = madeUpSweep(all).conclusions;
  expect(more).toEqual([]);
  if (!conclusion) throw new Error('no conclusion');
  return conclusion;
}

describe('the buffer to set', () => {
  const d = 'default';
  // Rates by buffer; what is concluded; and what the text has in it.
  test.each([
    [
      'where the curve bends: the smallest that is within the spread of the best',
      {
        default: [100, 104, 96, 100, 101],
        [256 * KIB]: [130, 134, 126, 131, 129],
        [512 * KIB]: [198, 202, 190, 200, 199],
        [MIB]: [200, 205, 191, 203, 202],
        [8 * MIB]: [204, 200, 195, 201, 199],
      },
      [512 * KIB, 'bend', MIB],
      "512 KiB: 1.98x (1.94 to 2.00) of the default's throughput, the best, 1 MiB, is no better",
    ],
    [
      'the best itself where all smaller ones are worse by more than anybody would miss',
      { default: [100, 100, 101], [256 * KIB]: [110, 111, 110], [MIB]: [150, 151, 149] },
      [MIB, 'bend', MIB],
      'the best result',
    ],
    [
      'none where the curve is flat, even if all rounds agree on a few per cent',
      { default: [100, 100, 100], [MIB]: [103, 103, 104] },
      [d, 'flat', MIB],
      'no change: the best, 1 MiB, gives 1.03x (1.03 to 1.04)',
    ],
    [
      'none where the default is the best',
      { default: [100, 101, 102], [MIB]: [50, 51, 52] },
      [d, 'flat', d],
      'no change: nothing is better than the default',
    ],
    [
      'none where the best is better in the median only',
      { default: [100, 100, 100, 100, 100], [MIB]: [160, 80, 150, 90, 155], [4 * MIB]: [95, 102, 99, 104, 98] },
      [d, 'noise', MIB],
      'within the noise of the best, 1 MiB with 1.50x (0.80',
    ],
    ['not told from two rounds', { default: [100, 100], [MIB]: [200, 200] }, [d, 'few', MIB], 'too few rounds'],
    [
      'the same on a machine that is slow in some rounds, for all alike',
      { default: [100, 20, 100, 50], [MIB]: [150, 30, 150, 75], [4 * MIB]: [151, 30.2, 151, 75.5] },
      [MIB, 'bend', 4 * MIB],
      '1 MiB: 1.50x of',
    ],
  ] as [string, Record<string, number[]>, [BufferChoice, string, BufferChoice], string][])(
    'is %s',
    (_, byBuffer, [buffer, reason, best], text) => {
      const madeUp = ([name, rates]: [string, number[]]): MadeUp => ({ buffer: name === d ? d : Number(name), rates });
      const conclusion = concludeFrom(...Object.entries(byBuffer).map(madeUp));
      expect(conclusion).toMatchObject({ buffer, reason, best: { buffer: best } });
      expect(conclusion.text).toContain(text);
    },
  );

  test('of two that the system has cut to the same is the one that was not', () => {
    const { takes, conclusions } = madeUpSweep([
      { buffer: 'default', rates: [100, 100, 100] },
      { buffer: 4 * MIB, rates: [150, 150, 150], limit: 4 * MIB },
      { buffer: 8 * MIB, rates: [151, 151, 151], limit: 4 * MIB },
    ]);
    expect(takes.map(({ clamped }) => clamped)).toEqual([false, false, true]);
    expect(conclusions).toMatchObject([{ buffer: 4 * MIB }]);
  });

  test('is told of each way and size, where there is something to compare', () => {
    const rates = [1, 2, 3];
    expect(madeUpSweep([{ buffer: 'default', rates }]).conclusions).toEqual([]);
    expect(madeUpSweep([{ buffer: MIB, rates }]).conclusions).toEqual([]);
    const both = (made: Omit<MadeUp, 'buffer' | 'rates'>): MadeUp[] =>
      (['default', MIB] as const).map((buffer) => ({ ...made, buffer, rates }));
    const { conclusions } = madeUpSweep([...both({}), ...both({ way: 'js', bytes: KIB }), ...both({ way: 'page' })]);
    const found = conclusions.map(({ way, bytes }) => `${way} ${String(bytes)}`);
    expect(found).toEqual([`native ${String(MIB)}`, `js ${String(KIB)}`, `page ${String(MIB)}`]);
  });
});

test.each([
  { takes: [200 * KIB, 400 * KIB, MIB, 4 * MIB], whole: MIB },
  { takes: [MIB, MIB, MIB, MIB], whole: 'default' },
  { takes: [0, 0, 0, MIB - 1], whole: null },
])('the buffer that takes a response whole is the default or the smallest that does: $whole', ({ takes, whole }) => {
  const buffers = ['default', 256 * KIB, MIB, 4 * MIB] as const;
  const rates = [100, 100, 100];
  const all = buffers.map((buffer, at) => ({ buffer, rates, takes: takes[at] ?? 0 }));
  expect(concludeFrom(...all).whole).toBe(whole);
});

describe('the lines', () => {
  const same = [100, 100, 100];
  const better = [150, 150, 150];
  const d = 'default';
  const usual: MadeUp[] = [
    { bytes: 64 * KIB, buffer: d, rates: same, takes: 200 * KIB },
    { bytes: 64 * KIB, buffer: MIB, rates: same, takes: 2 * MIB },
    { buffer: d, rates: same },
    { buffer: MIB, rates: better },
  ];
  const small = [1, 4, 16, 64, 1024].flatMap((size): MadeUp[] => [
    { bytes: size * KIB, buffer: d, rates: same, takes: MIB },
    { bytes: size * KIB, buffer: 64 * KIB, rates: size === 64 ? same : better },
  ]);
  const cut: MadeUp[] = [
    { buffer: d, rates: same },
    { buffer: 8 * MIB, rates: better, limit: 208 * KIB },
  ];
  const alike = (rates: number[]): MadeUp[] => ([d, MIB] as const).map((buffer) => ({ buffer, rates, takes: MIB }));
  const line = 'createServer({ sendBufferSize: 1048576 }) // 1 MiB, for native 1 MiB';

  // What is made up, and what else there is; the lines; and what the notes have in them.
  test.each([
    [
      'on Linux over UNIX are of nearwire, for throughput and where readers lag; nginx has none, sysctl needs none',
      foundOf(usual),
      [line, line],
      [
        'accepted UNIX connections do not inherit it',
        'proxy_buffers',
        'wmem_max must be 1048576 or more, 4194304 here',
      ],
    ],
    [
      'over TCP are of nginx too',
      foundOf(usual, { family: 'tcp' }),
      [line, line, 'listen 127.0.0.1:8080 sndbuf=1048576;'],
      ['tcp_wmem', 'proxy_buffers'],
    ],
    [
      'on macOS are of nginx too, and sysctl has names of its own',
      foundOf(usual, { platform: 'darwin', limits: { mostBuffer: 8 * MIB, somaxconn: 128 } }),
      [
        ...[line, line, 'listen unix:/tmp/nginx.sock sndbuf=1048576;'],
        ...['sysctl -w net.local.stream.sendspace=1048576', 'sysctl -w net.local.stream.recvspace=1048576'],
        'sysctl -w kern.ipc.somaxconn=511',
      ],
      ['8,192 on an unchanged macOS'],
    ],
    [
      'say that a buffer below the default is meant, and which sizes it is for',
      foundOf(small),
      [
        'createServer({ sendBufferSize: 65536, allowSmallBuffers: true }) // 64 KiB, for native 1 KiB, 4 KiB, 16 KiB, 1 MiB',
      ],
      ['for throughput'],
    ],
    [
      'raise wmem_max where it has cut what was the best, and set what was measured, which is what the system gives',
      foundOf(cut, { limits: { mostBuffer: 208 * KIB, somaxconn: 64 } }),
      [
        'createServer({ sendBufferSize: 212992 }) // 208 KiB (8 MiB is cut to it), for native 1 MiB',
        ...['sysctl -w net.core.wmem_max=8388608', 'sysctl -w net.core.somaxconn=511'],
      ],
      ['8 MiB was cut to net.core.wmem_max, 212992 here'],
    ],
    ['are none where nothing is better', foundOf(alike(same)), [], ['for throughput nothing is to be set']],
    ['are none after two rounds', foundOf(alike([100, 100])), [], ['too few rounds to tell']],
  ])('%s', (_, found, lines, notes) => {
    const settings = settingsFor(found);
    expect(settings.flatMap((setting) => setting.lines)).toEqual(lines);
    const text = settings.map(({ note }) => note).join('\n');
    for (const note of notes) expect(text).toContain(note);
  });
});
