import { describe, expect, test } from 'vitest';

import { CASES } from '../../bench/cases/index.js';
import type { LatencyHistogram } from '../../bench/histogram.js';
import type { BenchResult, Measure, Sample, SeriesResult } from '../../bench/model.js';
import type * as PlanModule from '../../bench/plan.js';
import type * as PageModule from '../../bench/report/page.js';
import type * as StatisticsModule from '../../bench/statistics.js';
import { SUBJECTS } from '../../bench/subjects.js';
import { canvasesOf, HOSTILE, pageInBrowser, pictureOf } from '../support/browser.js';
import { requireOrSkip } from '../support/requirements.js';

/** The page's script is there in compiled form only. */
const built = (file: string): string => new URL(`../../bench/dist/${file}.js`, import.meta.url).href;
const { htmlOf } = (await import(built('report/page'))) as typeof PageModule;
const { makePlan } = (await import(built('plan'))) as typeof PlanModule;
const { cellsOf, latenciesOf, ratiosOf } = (await import(built('statistics'))) as typeof StatisticsModule;

/** All cases, with made-up samples. */
function madeUpResult(): BenchResult {
  const plan = makePlan(
    { mode: 'default', cases: CASES.map(({ name }) => name) },
    { missing: {}, descriptors: 20_000 },
  );
  const results = plan.series.map((series): SeriesResult => ({
    series,
    samples: [0, 1, 2].flatMap((round) =>
      series.subjects.map((subject, index): Sample => {
        const value = ({ better }: Measure): number =>
          (better === 'higher' ? 60 - 10 * index : 20 + 10 * index) + round;
        const values = Object.fromEntries(series.case.measures.map((measure) => [measure.name, value(measure)]));
        // The first, plain C, outruns its generator.
        const histogram: LatencyHistogram = { count: 20_000, max: 9_000, steps: [[1000 + 50 * index + round, 20_000]] };
        const latency = series.case.name === 'load' ? { latency: histogram } : {};
        return { round, subject, values, clientShare: 0.99, serverShare: index === 0 ? 0.5 : 1, ...latency };
      }),
    ),
  }));
  return {
    host: { cpu: `A CPU ${HOSTILE}`, cores: 2, kernel: 'Linux 6.1', load: 0.1, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    command: `nearwire bench ${HOSTILE}`,
    started: '2026-01-02T03:04:05.000Z',
    seconds: 83,
    lineup: plan.lineup,
    environment: {},
    results,
    cells: results.flatMap(cellsOf),
    ratios: results.flatMap((result) => ratiosOf(result, plan.lineup)),
    latencies: results.flatMap(latenciesOf),
    warnings: [HOSTILE],
    skipped: [],
    failures: [],
    interrupted: false,
  };
}

const executablePath = requireOrSkip('chromium');

describe.skipIf(executablePath === undefined)('the page', () => {
  const result = madeUpResult();
  const open = pageInBrowser(executablePath, () => htmlOf(result));

  test.each(['light', 'dark'] as const)(
    'draws every measure of every case, %s, without a complaint',
    async (scheme) => {
      const { page, complaints } = await open(scheme);
      const drawn = (await canvasesOf(page)).map(({ dataset, colours }) => ({ name: dataset['chart'], colours }));
      const expected = new Set(
        result.results
          .filter(({ series }) => series.case.name !== 'load')
          .flatMap(({ series }) => series.case.measures.map(({ name }) => `${series.case.name}-${name}`)),
      );
      // And as lines, how the growth grows, and what each handler's load costs.
      for (const name of ['cpu', 'p50']) expected.add(`growth-lines-${name}`);
      for (const handler of [0, 1, 2, 3, 4]) {
        for (const name of ['p50', 'p99', 'p99.9', 'cpu']) expected.add(`load-${String(handler)}-${name}`);
      }
      expect(new Set(drawn.map(({ name }) => name))).toEqual(expected);
      expect(drawn).toHaveLength(expected.size);
      // Bars of at least two colours, on a canvas that is not left as it was.
      for (const { name, colours } of drawn) expect(colours, name).toBeGreaterThan(2);
      expect(complaints).toEqual([]);
      expect(await page.title()).toContain('nearwire bench');
      await page.close();
    },
  );

  test('is drawn anew in the colours of the other scheme when it changes, and as ratios when asked', async () => {
    const { page, complaints } = await open('light');
    const light = await pictureOf(page);
    // The page hears of a change some time after the browser has made it.
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => pictureOf(page)).not.toBe(light);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(() => pictureOf(page)).toBe(light);
    await page.check('input[value=ratios]');
    await expect.poll(() => pictureOf(page)).not.toBe(light);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('shows the numbers in tables, and text as text', async () => {
    const { page } = await open('light');
    const rows = await page.locator('#http tbody tr').allInnerTexts();
    expect(rows.some((row) => row.includes('unix cpu'))).toBe(true);
    expect(rows.some((row) => row.includes('99 %'))).toBe(true);
    expect(await page.locator('#http').innerText()).toContain('*');
    expect(await page.locator('.notes').innerText()).toContain(HOSTILE);
    const growth = await page.locator('#growth tbody tr').allInnerTexts();
    expect(growth.some((row) => row.startsWith('256 connections, 8192 idle cpu'))).toBe(true);
    const load = await page.locator('#load').innerText();
    expect(load).toMatch(/JSON of 1 KiB, unix/);
    expect(load).toMatch(/at 75 % of node:net's maximum p99 is [\d.]+ [um]s \(native\), .* against/);
    // What a tile's ratio is of.
    expect(await page.locator('.tile').first().innerText()).toContain('64 B');
    await page.close();
  });

  test('fits a phone', async () => {
    const { page, complaints } = await open('dark', { width: 390 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

test('the page holds all it needs, and a colour for each subject in both schemes, for those that were brought too', () => {
  const result = madeUpResult();
  const brought = ['native@24', 'node:net@24', 'mine'].map((name) => ({
    ...{ name, title: name, program: 'worker' as const, needsAddon: false, cases: [] },
  }));
  const html = htmlOf({ ...result, lineup: [...result.lineup, ...brought] });
  expect(html).not.toMatch(/<(?:link|img|iframe)\b|<script[^>]+src=/);
  expect(html).not.toContain('sourceMappingURL');
  const coloursOf = (name: string): string[] =>
    [...html.matchAll(new RegExp(`--${name.replace(/\W/g, '-')}: ([^;]+);`, 'g'))].map(([, colour = '']) => colour);
  for (const { name } of [...SUBJECTS, ...brought]) expect(coloursOf(name), name).toHaveLength(2);
  expect(new Set(brought.map(({ name }) => coloursOf(name)[0])).size).toBe(brought.length);
});
