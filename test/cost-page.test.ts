/** The page of `nearwire cost`: what is drawn, what stands in tables, and that it can be read anywhere. */
import { describe, expect, test } from 'vitest';

import type * as HtmlModule from '../bench/cost/html.js';
import { canvasesOf, HOSTILE, pageInBrowser, pictureOf, textsOf } from './support/browser.js';
import { MADE_UP_STACKS, madeUpCost } from './support/costs.js';
import { requireOrSkip } from './support/requirements.js';

/** The page's script is there in compiled form only. */
const { costHtmlOf } = (await import(new URL('../dist/bench/cost/html.js', import.meta.url).href)) as typeof HtmlModule;

const result = madeUpCost(HOSTILE);
/** WCAG's, for text of normal size. */
const LEGIBLE = 4.5;
/** Of a plot that is drawn: its ground, its lines and text, and what it shows. */
const DRAWN_COLOURS = 6;

const executablePath = requireOrSkip('chromium');

describe.skipIf(executablePath === undefined)('the page', () => {
  const open = pageInBrowser(executablePath, () => costHtmlOf(result));

  test.each(['light', 'dark'] as const)('draws every plot, legibly and without a complaint, %s', async (scheme) => {
    const { page, complaints } = await open(scheme);
    const drawn = await canvasesOf(page);
    expect(drawn.map(({ dataset }) => dataset['plot'])).toEqual([
      ...['layers-python-time', 'layers-python-cpu', 'layers-node-time', 'layers-node-cpu'],
      ...['pair-nginx-uwsgi-unix', 'pair-nginx-nearwire-unix-close', 'pair-nginx-nearwire-unix-keep'],
      'curve-python-hello',
    ]);
    for (const { dataset, colours } of drawn) expect(colours, dataset['plot']).toBeGreaterThan(DRAWN_COLOURS);
    const texts = await textsOf(page, 'td, th, p, li, summary, label, h2, h3, small');
    expect(texts.length).toBeGreaterThan(100);
    for (const { text, contrast } of texts) expect(contrast, text).toBeGreaterThanOrEqual(LEGIBLE);
    expect(complaints).toEqual([]);
    expect(await page.title()).toContain('nearwire cost');
    await page.close();
  });

  test.each([360, 1280])('is no wider than a window of %i pixels', async (width) => {
    const { page } = await open('light', { width });
    const widths = await page.evaluate<{ content: number; window: number }>(
      '({ content: document.documentElement.scrollWidth, window: document.documentElement.clientWidth })',
    );
    expect(widths.content).toBeLessThanOrEqual(widths.window);
    for (const { width: drawn } of await page.evaluate<{ width: number }[]>(
      "[...document.querySelectorAll('canvas')].map((canvas) => ({ width: canvas.getBoundingClientRect().width }))",
    )) {
      expect(drawn).toBeGreaterThan(width / 4);
      expect(drawn).toBeLessThan(width);
    }
    await page.close();
  });

  test('the work that is chosen is what the plots and the tables show', async () => {
    const { page, complaints } = await open('light');
    const hello = await pictureOf(page);
    expect(await page.locator('.of-work.hello').first().isVisible()).toBe(true);
    expect(await page.locator('.of-work.download').first().isVisible()).toBe(false);
    await page.check('#work-download');
    await expect.poll(() => pictureOf(page)).not.toBe(hello);
    expect(await page.locator('.of-work.hello').first().isVisible()).toBe(false);
    expect(await page.locator('.of-work.download').first().isVisible()).toBe(true);
    await page.check('#work-hello');
    await expect.poll(() => pictureOf(page)).toBe(hello);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => pictureOf(page)).not.toBe(hello);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('names what it draws for those who do not see it', async () => {
    const { page } = await open('light');
    const tree = await page.locator('main').ariaSnapshot();
    for (const name of ['Python: time of a lone request, us', 'Node: CPU a request, of all processes, us']) {
      expect(tree).toContain(`img "${name}"`);
    }
    expect(tree).toContain('group "what is asked for"');
    expect(tree).toContain('radio "hello world" [checked]');
    expect(
      await page.locator('table:not(:has(caption)):not(.answer table):not(.prose):not(#programs table)').count(),
    ).toBe(0);
    await page.close();
  });

  test('without scripts the answers, all tables and the choice of a work are there', async () => {
    const { page } = await open('light', { scripts: false });
    const answers = await page.locator('.answer').allInnerTexts();
    expect(answers[0]).toContain('the hop over a UNIX socket is 30.0 us of it (30 %)');
    const rows = await page.locator('#stacks-node .of-work.hello table').first().locator('tbody tr').allInnerTexts();
    expect(rows).toHaveLength(MADE_UP_STACKS.filter(({ language }) => language === 'node').length);
    expect(rows[0]).toContain('nginx -> node:http by nearwire over UNIX, close');
    expect(rows[0]).toMatch(/38\.5 k\/s\s*36\.5 to 42\.3 k\/s/);
    await page.locator('#work-json').check();
    expect(await page.locator('#stacks-python .of-work.json').first().isVisible()).toBe(true);
    await page.close();
  });

  test('has the layers with their derivation, the collapse, the limits, what is missing, and text as text', async () => {
    const { page } = await open('light');
    const layers = page.locator('#stacks-python .of-work.hello table').nth(1);
    expect(await layers.locator('td').first().getAttribute('title')).toContain('nginx-uwsgi-unix - nginx');
    expect(await layers.locator('td.noise').first().innerText()).toContain('inside the noise');
    const curve = await page.locator('#curves tbody tr').allTextContents();
    expect(curve.map((row) => /(does not hold|holds)/.exec(row)?.[1])).toEqual([
      ...['holds', 'holds', 'holds', 'holds', 'does not hold'],
      ...['holds', 'holds', 'holds', 'does not hold', 'does not hold'],
    ]);
    expect(await page.locator('#curves').innerText()).toContain('at least 97 % of what was offered was served in time');
    const legend = await page.evaluate<string[]>(
      "[...document.querySelectorAll('#curves .legend i')].map((swatch) => swatch.className)",
    );
    expect(legend).toEqual(['line hollow', 'line dashed hollow']);
    const limits = await page.locator('#overloads tbody tr').innerText();
    expect(limits).toContain('(11: Resource temporarily unavailable)');
    expect(limits).toContain('129 of 128 connections');
    expect(limits).toContain('did not break at 4,690 requests/s');
    await page.setViewportSize({ width: 360, height: 800 });
    // On a phone each cell stands below the other, with the name of its column.
    const cell = await page.evaluate<{ width: number; name: string }>(
      `(() => {
        const cell = document.querySelector('#overloads tbody td:last-child');
        return { width: cell.getBoundingClientRect().width, name: getComputedStyle(cell, '::before').content };
      })()`,
    );
    expect(cell.width).toBeGreaterThan(300);
    expect(cell.name).toBe('"what moves it"');
    const [calls] = await page.locator('#system-calls tbody tr').allTextContents();
    expect(calls).toContain('epoll_wait 2.5, recvfrom 2, writev 2, connect 1');
    expect(calls).toContain(`w${HOSTILE} 1`);
    expect(await page.locator('#missing').innerText()).toContain('not installed: apt-get install yaws');
    expect(await page.locator('.notes').innerText()).toContain(HOSTILE);
    await page.close();
  });
});

test('the page holds all it needs, and shows an empty result too', () => {
  const html = costHtmlOf(result);
  expect(html).not.toMatch(/<(?:link|img|iframe)\b|<script[^>]+src=/);
  expect(html).not.toContain('sourceMappingURL');
  const empty = costHtmlOf({ ...result, rows: [], splits: [], curves: [], overloads: [], answers: [], stacks: [] });
  expect(empty).not.toContain('<canvas');
  expect(empty).toContain('not installed: apt-get install yaws');
});
