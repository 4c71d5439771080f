/** Pages of ours, opened in a browser. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';

const CHROMIUM_ARGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  ...['--disable-sync', '--no-first-run'],
];

/** Text that breaks out of a page whose maker forgot to escape it. */
export const HOSTILE = '</script><script>document.title = "broken"</script><!-- "&amp;';

export type Scheme = 'light' | 'dark';

export interface OpenedPage {
  readonly page: Page;
  /** What it said on the console, threw, or asked for besides itself. */
  readonly complaints: readonly string[];
}

export interface PageOptions {
  readonly width?: number;
  readonly scripts?: boolean;
}

/** For the `describe` that it is called in: a browser, and the page of a file with this HTML. */
export function pageInBrowser(
  executablePath: string | undefined,
  html: () => string,
): (scheme: Scheme, options?: PageOptions) => Promise<OpenedPage> {
  let folder = '';
  let url = '';
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
    const file = join(folder, 'page.html');
    writeFileSync(file, html());
    url = pathToFileURL(file).href;
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: CHROMIUM_ARGS });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  return async (colorScheme, { width = 1280, scripts = true } = {}) => {
    const viewport = { width, height: 800 };
    const page = await browser.newPage({ colorScheme, viewport, javaScriptEnabled: scripts });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(error.message));
    // Self-contained: it may ask for nothing but itself.
    page.on('request', (request) => {
      if (request.url() !== url) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    return { page, complaints };
  };
}

export interface SeenCanvas {
  readonly dataset: Readonly<Record<string, string>>;
  /** How many different colours stand on it. */
  readonly colours: number;
}

/** What stands on each canvas. Evaluated in the page. */
export function canvasesOf(page: Page): Promise<SeenCanvas[]> {
  return page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return { dataset: { ...canvas.dataset }, colours: colours.size };
  })`);
}

/** The first canvas. A change of the colour scheme is told to the page before its next frame. */
export function pictureOf(page: Page): Promise<string> {
  return page.evaluate(`new Promise((resolve) => {
    requestAnimationFrame(() => resolve(document.querySelector('canvas').toDataURL()));
  })`);
}

export interface SeenText {
  readonly text: string;
  readonly background: string;
  /** Of its text to its background, as WCAG has it: 4.5 is legible at normal size. */
  readonly contrast: number;
}

/** The elements of a selector. A canvas of one pixel turns whatever colour space the browser computes in into sRGB. */
export function textsOf(page: Page, selector: string): Promise<SeenText[]> {
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
    const backgroundOf = (element) => {
      const { backgroundColor } = getComputedStyle(element);
      return backgroundColor !== 'rgba(0, 0, 0, 0)' || !element.parentElement ? backgroundColor : backgroundOf(element.parentElement);
    };
    return [...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => {
      const background = backgroundOf(element);
      const [low, high] = [luminanceOf(background), luminanceOf(getComputedStyle(element).color)].sort((a, b) => a - b);
      return { text: element.innerText, background, contrast: (high + 0.05) / (low + 0.05) };
    });
  })()`);
}
