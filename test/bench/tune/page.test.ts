import { describe, expect, test } from 'vitest';

import type * as HtmlModule from '../../../bench/tune/html.js';
import { WAYS, type BufferChoice } from '../../../bench/tune/model.js';
import { renderSweep } from '../../../bench/tune/report.js';
import { HOSTILE, pageInBrowser, textsOf } from '../../support/browser.js';
import { requireOrSkip } from '../../support/requirements.js';
import { KIB, madeUpSweep, MIB } from '../../support/sweeps.js';

/** The page's script is there in compiled form only. */
const { sweepHtmlOf } = (await import(
  new URL('../../../bench/dist/tune/html.js', import.meta.url).href
)) as typeof HtmlModule;

const BUFFERS: readonly BufferChoice[] = ['default', 64 * KIB, MIB, 8 * MIB];
const SIZES = [64 * KIB, MIB];

/** From a fifth of the default to five times as good; in one way the buffer makes no difference. */
const result = madeUpSweep(
  WAYS.flatMap(({ name }) =>
    SIZES.flatMap((bytes) =>
      BUFFERS.map((buffer, at) => {
        const level = name === 'js' ? 1 : ([1, 0.2, 1.6, 5][at] ?? 1);
        const rates = [1.0, 1.01, 0.99].map((noise) => (noise * level * 1e9) / bytes);
        return { way: name, bytes, buffer, rates, takes: at > 1 ? 16 * MIB : 200 * KIB, limit: 4 * MIB };
      }),
    ),
  ),
  HOSTILE,
);
const LINE =
  'createServer({ sendBufferSize: 4194304 }) // 4 MiB (8 MiB is cut to it), for native 64 KiB, 1 MiB; file 64 KiB, 1 MiB; page';

describe('the report', () => {
  const text = renderSweep(result, 120);

  test('says what to set, what not, and what a buffer takes', () => {
    expect(text).toMatch(/│ 1 MiB +│ +8 MiB: │/);
    expect(text).toContain('native 1 MiB: 8 MiB: 5.00x');
    expect(text).toContain(LINE);
    expect(text).toMatch(/│ default +│ +208 KiB │ +203 MiB │ +200 KiB │/);
    expect(text).toMatch(/│ 8 MiB \(cut\) +│ +8\.00 MiB │ +7\.81 GiB │ +>= 16\.0 MiB │/);
    expect(text).toContain('(4194304 is the most it takes)');
    expect(text).toContain('warning: ');
  });

  test('has throughput, and what it is against the default, within 120 columns', () => {
    expect(text).toMatch(/^native {2}response\.end\(buffer\)/m);
    expect(text).toMatch(/│ 1 MiB +│ 1\.60 GB\/s {2}1\.60x │ 1\.60 GB\/s {2}1\.60x │/);
    const tables = text.split('\n').filter((line) => /^[│┌├└]/.test(line));
    expect(Math.max(...tables.map(({ length }) => length))).toBeLessThanOrEqual(120);
  });
});

/** WCAG's, for text of normal size. */
const LEGIBLE = 4.5;

const executablePath = requireOrSkip('chromium');

describe.skipIf(executablePath === undefined)('the page', () => {
  const open = pageInBrowser(executablePath, () => sweepHtmlOf(result));

  test.each(['light', 'dark'] as const)('has heat maps that are legible, %s', async (scheme) => {
    const { page, complaints } = await open(scheme);
    const cells = await textsOf(page, '.heat td');
    expect(cells).toHaveLength(WAYS.length * SIZES.length * BUFFERS.length);
    for (const { text, contrast } of cells) expect(contrast, text).toBeGreaterThanOrEqual(LEGIBLE);
    // Worse, alike, better, much better: told apart by their colours.
    expect(new Set(cells.map(({ background }) => background)).size).toBeGreaterThanOrEqual(4);
    const rows = await page.locator('#heat-native tbody tr').allInnerTexts();
    expect(rows[0]).toMatch(/^default\s+1\.00 GB\/s/);
    expect(rows[1]).toMatch(/^64 KiB\s+200 MB\/s\s*0\.20x/);
    expect(await page.locator('#heat-native td.set').allInnerTexts()).toEqual(
      SIZES.map(() => expect.stringContaining('5.00x') as unknown as string),
    );
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says what to set, how, and shows text as text', async () => {
    const { page } = await open('light');
    expect(await page.locator('#conclusions tbody tr').first().innerText()).toMatch(/^64 KiB\s+8 MiB: 5\.00x/);
    expect(await page.locator('#takes tbody tr').first().innerText()).toMatch(/^default\s+208 KiB\s+203 MiB\s+200 KiB/);
    expect(await page.locator('#settings').innerText()).toContain(LINE);
    expect(await page.locator('.notes').innerText()).toContain(HOSTILE);
    expect(await page.title()).toContain('nearwire tune');
    await page.close();
  });
});
