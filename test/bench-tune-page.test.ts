import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type * as HtmlModule from '../bench/tune/html.js';
import { SUBJECTS, type BufferChoice } from '../bench/tune/model.js';
import { requireOrSkip } from './support/requirements.js';
import { KIB, madeUpSweep, MEASURE_NAMES, MIB, type MadeUp } from './support/sweeps.js';

const CHROMIUM_ARGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  ...['--disable-sync', '--no-first-run'],
];
/** Text that breaks out of a page whose maker forgot to escape it. */
const HOSTILE = '</script><script>document.title = "broken"</script><!-- "&amp;';

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
  let folder = '';
  let file = '';
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
    file = join(folder, 'tune.html');
    writeFileSync(file, sweepHtmlOf(result));
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: CHROMIUM_ARGS });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function open(colorScheme: 'light' | 'dark'): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ colorScheme });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(error.message));
    // Self-contained: it may ask for nothing but itself.
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    return { page, complaints };
  }

  test.each(['light', 'dark'] as const)('draws a plot a size and is legible in every view, %s', async (scheme) => {
    const { page, complaints } = await open(scheme);
    const drawn = await drawnColours(page);
    expect(drawn).toHaveLength(SIZES.length);
    // Lines of four subjects, on a canvas that is not left as it was.
    for (const colours of drawn) expect(colours).toBeGreaterThan(SUBJECTS.length);
    for (const measure of MEASURE_NAMES) {
      await page.check(`#view-${measure}`);
      const cells = await heatCells(page);
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

/** How many different colours stand on each canvas. Evaluated in the page. */
function drawnColours(page: Page): Promise<number[]> {
  return page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return colours.size;
  })`);
}

interface SeenCell {
  readonly text: string;
  readonly background: string;
  /** Of its text to its background, as WCAG has it. */
  readonly contrast: number;
}

/** A canvas of one pixel turns whatever colour space the browser computes in into sRGB. */
function heatCells(page: Page): Promise<SeenCell[]> {
  return page.evaluate(`(() => {
    const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
    const luminanceOf = (colour) => {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    return [...document.querySelectorAll('.heat td.cell')].map((cell) => {
      const { backgroundColor: background, color } = getComputedStyle(cell);
      const [low, high] = [luminanceOf(background), luminanceOf(color)].sort((a, b) => a - b);
      return { text: cell.innerText, background, contrast: (high + 0.05) / (low + 0.05) };
    });
  })()`);
}

/** The first plot. A change of the colour scheme is told to the page before its next frame. */
function pictureOf(page: Page): Promise<string> {
  return page.evaluate(`new Promise((resolve) => {
    requestAnimationFrame(() => resolve(document.querySelector('canvas').toDataURL()));
  })`);
}
