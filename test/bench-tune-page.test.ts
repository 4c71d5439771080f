import { describe, expect, test } from 'vitest';

import type * as HtmlModule from '../bench/tune/html.js';
import { SUBJECTS, type BufferChoice } from '../bench/tune/model.js';
import { canvasesOf, HOSTILE, pageInBrowser, pictureOf, textsOf } from './support/browser.js';
import { requireOrSkip } from './support/requirements.js';
import { KIB, madeUpSweep, MEASURE_NAMES, MIB, type MadeUp } from './support/sweeps.js';

/** The page's script is there in compiled form only. */
const { sweepHtmlOf } = (await import(
  new URL('../dist/bench/tune/html.js', import.meta.url).href
)) as typeof HtmlModule;

const BUFFERS: readonly BufferChoice[] = ['default', 64 * KIB, MIB, 8 * MIB];
const SIZES = [64 * KIB, MIB];

/** From a third as good as the default to five times. */
function madeUpCell(subject: MadeUp['subject'], size: number, buffer: BufferChoice): MadeUp {
  const level = [1, 0.2, 1.6, 5][BUFFERS.indexOf(buffer)] ?? 1;
  const rates = [1.0, 1.01, 0.99].map((noise) => noise * level * 1e9);
  return { subject, size, buffer, rates, held: level > 1 ? 90 : 7000, limit: 4 * MIB };
}

const result = madeUpSweep(
  SUBJECTS.flatMap(({ name }) => SIZES.flatMap((size) => BUFFERS.map((buffer) => madeUpCell(name, size, buffer)))),
  HOSTILE,
);

/** WCAG's, for text of normal size. */
const LEGIBLE = 4.5;

const executablePath = requireOrSkip('chromium');

describe.skipIf(executablePath === undefined)('the page', () => {
  const open = pageInBrowser(executablePath, () => sweepHtmlOf(result));

  test.each(['light', 'dark'] as const)('draws a plot a size and is legible in every view, %s', async (scheme) => {
    const { page, complaints } = await open(scheme);
    const drawn = await canvasesOf(page);
    expect(drawn).toHaveLength(SIZES.length);
    // Lines of four subjects, on a canvas that is not left as it was.
    for (const { colours } of drawn) expect(colours).toBeGreaterThan(SUBJECTS.length);
    for (const measure of MEASURE_NAMES) {
      await page.check(`#view-${measure}`);
      const cells = await textsOf(page, '.heat td.cell');
      expect(cells).toHaveLength(SUBJECTS.length * SIZES.length * BUFFERS.length);
      for (const { text, contrast } of cells) {
        expect(text, measure).toMatch(/\d/);
        expect(contrast, `${measure} ${text}`).toBeGreaterThanOrEqual(LEGIBLE);
      }
      // Worse, alike, better, much better: told apart by their colours.
      expect(new Set(cells.map(({ background }) => background)).size, measure).toBeGreaterThanOrEqual(
        measure === 'held' ? 2 : 4,
      );
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('the heat map has the figures, what they are against the default, and marks what to set', async () => {
    const { page } = await open('light');
    const map = page.locator('#heat-native');
    const rows = await map.locator('tbody tr').allInnerTexts();
    expect(rows).toHaveLength(BUFFERS.length);
    const row = (name: string): string => rows.find((text) => text.startsWith(name)) ?? '';
    expect(row('default')).toMatch(/1\.00 GB\/s\s*default/);
    expect(row('64 KiB')).toMatch(/128 KiB in effect[^]*200 MB\/s\s*0\.20x[^]*125 MiB/);
    expect(row('1 MiB')).toMatch(/1\.60 GB\/s\s*1\.60x/);
    // What was cut by the system is marked.
    expect(await map.locator('.clamped').allInnerTexts()).toEqual(['8 MiB']);
    expect(await map.locator('td.set').allInnerTexts()).toEqual(
      SIZES.map(() => expect.stringContaining('5.00x') as unknown as string),
    );
    await page.check('#view-held');
    expect(await map.locator('td.whole').allInnerTexts()).toEqual(
      SIZES.map(() => expect.stringContaining('90.0 us') as unknown as string),
    );
    await page.check('#view-p50');
    expect((await map.locator('tbody tr').first().innerText()).replace(/\s+/g, ' ')).toContain('1000 us default');
    await page.close();
  });

  test('says what to set, how, and shows text as text', async () => {
    const { page } = await open('light');
    const conclusions = await page.locator('#conclusions tbody tr').allInnerTexts();
    expect(conclusions).toHaveLength(SIZES.length);
    expect(conclusions[0]).toMatch(/^64 KiB\s+8 MiB\s*5\.00x/);
    expect(await page.locator('#whole tbody tr').first().innerText()).toMatch(/64 KiB\s+1 MiB/);
    expect(await page.locator('#settings').innerText()).toContain(
      'createServer({ sendBuffer: 4194304 }) // 4 MiB (8 MiB is cut to it), for native, js, file, page 64 KiB to 1 MiB',
    );
    expect(await page.locator('.notes').innerText()).toContain(HOSTILE);
    expect(await page.title()).toContain('nearwire tune');
    await page.close();
  });

  test('plots are drawn anew in the colours of the other scheme when it changes', async () => {
    const { page, complaints } = await open('light');
    const light = await pictureOf(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => pictureOf(page)).not.toBe(light);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(() => pictureOf(page)).toBe(light);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

test('the page holds all it needs', () => {
  const html = sweepHtmlOf(result);
  expect(html).not.toMatch(/<(?:link|img|iframe)\b|<script[^>]+src=/);
  expect(html).not.toContain('sourceMappingURL');
  // A colour for each subject, in both schemes.
  for (const { name } of SUBJECTS) expect(html.match(new RegExp(`--${name}: #[0-9a-f]{6}`, 'g')), name).toHaveLength(2);
});
