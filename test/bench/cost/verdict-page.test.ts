/** The page of the verdict: what it draws, and that it can be read anywhere. */
import { describe, expect, test } from 'vitest';

import { verdictPageOf } from '../../../bench/cost/verdict-page.js';
import { HOSTILE, pageInBrowser, textsOf } from '../../support/browser.js';
import { requireOrSkip } from '../../support/requirements.js';
import { measured, resultOf, WORKS } from '../../support/verdicts.js';

const executablePath = requireOrSkip('chromium');
/** WCAG's, for text of normal size. */
const LEGIBLE = 4.5;

describe.skipIf(executablePath === undefined)("the verdict's page", () => {
  const open = pageInBrowser(executablePath, () =>
    verdictPageOf(resultOf(measured(WORKS), { notes: [HOSTILE], command: `nearwire cost --app ${HOSTILE}` })),
  );

  test.each(['light', 'dark'] as const)('tells all, legibly, without a script, %s', async (scheme) => {
    const { page, complaints } = await open(scheme, { scripts: false });
    const texts = await textsOf(page, 'td, th, p, li, h1, h2, figcaption, .name, .figure');
    expect(texts.length).toBeGreaterThan(30);
    for (const { text, contrast } of texts) expect(contrast, text).toBeGreaterThanOrEqual(LEGIBLE);
    const all = texts.map(({ text }) => text).join('\n');
    expect(all).toContain('Is the hop the bottleneck? No.');
    expect(all).toContain(HOSTILE);
    expect(complaints).toEqual([]);
    expect(await page.title()).toContain('nearwire cost');
    await page.close();
  });

  test('draws layers as long as they are', async () => {
    const { page } = await open('light');
    const bars = await page.evaluate<number[][]>(
      "[...document.querySelectorAll('.whole')].map((bar) => [...bar.children].map((part) => part.getBoundingClientRect().width))",
    );
    expect(bars).toHaveLength(3);
    const [layers = [], tcp = [], nearwire = []] = bars;
    const unit = (layers[0] ?? 0) / 19;
    expect(layers.map((width) => width / unit).map(Math.round)).toEqual([19, 21, 17]);
    expect(tcp.map((width) => width / unit).map(Math.round)).toEqual([19, 50]);
    expect(nearwire.map((width) => width / unit).map(Math.round)).toEqual([19, 27]);
    // One behind the other, on one line.
    const tops = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.whole')].map((bar) => new Set([...bar.children].map((part) => part.getBoundingClientRect().top)).size)",
    );
    expect(tops).toEqual([1, 1, 1]);
    const tree = await page.locator('main').ariaSnapshot();
    expect(tree).toContain('img "as it is: nginx itself 19.0 us');
    await page.close();
  });

  test.each([360, 1280])('is no wider than a window of %i pixels', async (width) => {
    const { page } = await open('light', { width });
    const widths = await page.evaluate<{ content: number; window: number }>(
      '({ content: document.documentElement.scrollWidth, window: document.documentElement.clientWidth })',
    );
    expect(widths.content).toBeLessThanOrEqual(widths.window);
    await page.close();
  });
});
