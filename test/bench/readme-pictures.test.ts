import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import type { CellResult, LatencyResult, RatioResult, SubjectName } from '../../bench/model.js';
import { linearTicks, logTicks, renderCharts } from '../../bench/readme/chart.js';
import { savedShare, GAIN_ROWS } from '../../bench/readme/first-page.js';
import type { BenchFile } from '../../bench/readme/load-picture.js';
import { BENCH_PAGES, takenOf } from '../../bench/readme/pages.js';
import { reasonsOf } from '../../bench/readme/quiet.js';
import { WIDTH } from '../../bench/readme/svg.js';
import { recordOf } from '../../bench/readme/tables.js';
import { pageInBrowser, type Scheme } from '../support/browser.js';
import { requireOrSkip } from '../support/requirements.js';

const FOLDER = new URL('../../docs/pictures/', import.meta.url);
const LOADS = [10, 25, 50, 75, 90];
const CONNECTIONS = [1, 16, 256, 4096];

function madeUp(over: Partial<BenchFile> = {}): BenchFile {
  return {
    schema: 1,
    host: { cpu: 'A "CPU" <&>', cores: 2, kernel: 'Linux 6.1', load: 0, sandbox: null },
    versions: { node: '24.0.0', nearwire: '0.1.0', commit: 'abc' },
    command: 'nearwire bench --json /home/me/x.json',
    started: '2026-01-02T03:04:05.000Z',
    seconds: 100,
    cells: [],
    ratios: [],
    ...over,
  };
}

function cell(name: string, subject: SubjectName, median: number, params: CellResult['params'] = {}): CellResult {
  const of = {
    case: name,
    params,
    family: 'unix',
    subject,
    measure: 'cpu',
    unit: 'us/request',
    better: 'lower',
  } as const;
  return { ...of, samples: [median], median };
}

function ratio(name: string, median: number, low: number, high: number): RatioResult {
  return {
    ...{ case: name, params: {}, family: 'unix', measure: 'cpu', subject: 'native', baseline: 'node:net' },
    ...{ median, low, high, rounds: 7 },
  };
}

function latency(subject: SubjectName, load: number, over: Partial<LatencyResult> = {}): LatencyResult {
  const p50 = (subject === 'native' ? 40 : 60) + load;
  return {
    ...{ case: 'load', params: { compute: 0, load }, family: 'unix', subject, offered: 1000 * load, rounds: 3 },
    ...{ percentiles: { p50, p99: p50 * load }, histogram: { count: 1, max: 1, steps: [[1, 1]] }, ...over },
  };
}

const ofReadme = madeUp({
  cells: ['http-close', 'http'].flatMap((name) => [cell(name, 'node:net', 40), cell(name, 'native', 20)]),
  ratios: [ratio('http-close', 0.5, 0.25, 0.75), ratio('http', 0.9, 0.8, 1.2)],
});
const ofLoad = madeUp({ latencies: LOADS.flatMap((load) => [latency('native', load), latency('node:net', load)]) });
const ofGrowth = madeUp({
  cells: CONNECTIONS.flatMap((connections) => [
    ...['c', 'channel', 'native', 'node:net'].map((name, at) => cell('growth', name, 2 + at, { connections })),
    cell('growth', 'native', 99, { connections, idle: 8192 }),
  ]),
});

function pictureOf(page: string, ...results: BenchFile[]): string {
  const taken = takenOf(BENCH_PAGES, results).find((of) => of.page === page);
  return taken?.render(taken.recorded) ?? '';
}

const on = (node: string, result: BenchFile): BenchFile => ({ ...result, versions: { ...result.versions, node } });
const twice = (result: BenchFile): BenchFile[] => [on('24.1.0', result), on('26.2.0', result)];

const committed = readdirSync(FOLDER).map((file) => [file, readFileSync(new URL(file, FOLDER), 'utf8')] as const);
const drawn: readonly (readonly [string, string])[] = [
  ...committed,
  ['load.svg, made up', pictureOf('docs/pictures/load.svg', ...twice(ofLoad))],
  ['growth.svg, made up', pictureOf('docs/pictures/growth.svg', ofGrowth)],
  ['saved.svg, made up', pictureOf('docs/pictures/saved.svg', ofReadme)],
];

/** Each tag that is opened is closed, in order, and nothing else has the marks of one. */
function openTags(xml: string): string[] {
  const open: string[] = [];
  const rest = xml.replaceAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>/g,
    (_, end, name: string, __, alone) => {
      if (end === '/') expect(open.pop()).toBe(name);
      else if (alone !== '/') open.push(name);
      return '';
    },
  );
  expect(rest).not.toMatch(/<|&(?!amp;|lt;|quot;)/);
  return open;
}

describe.each(drawn)('%s', (_, svg) => {
  test('is well-formed, says what it shows, and asks for nothing', () => {
    expect(openTags(svg)).toEqual([]);
    expect(svg).toMatch(/^<svg [^>]*role="img" aria-labelledby="title desc">\n<title id="title">[^<]+<\/title>/);
    const [, description = ''] = /<desc id="desc">([^<]+)<\/desc>/.exec(svg) ?? [];
    expect(description).toMatch(/\d/);
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/href|url\(|https?:|NaN|Infinity|undefined/);
  });
});

describe('a page', () => {
  const pagesOf = (...results: BenchFile[]): string[] => [
    ...new Set(takenOf(BENCH_PAGES, results).map(({ page, block }) => [page, block].filter(Boolean).join(' '))),
  ];
  const README = ['README.md gains', 'README.md figures', 'docs/pictures/cpu.svg', 'docs/pictures/saved.svg'];

  test('is written of what a result has, and of nothing else', () => {
    expect(pagesOf(ofReadme)).toEqual([...README, 'docs/performance.md figures', 'docs/performance.md losses']);
    expect(pagesOf(ofLoad)).toEqual(['docs/pictures/load.svg', 'docs/performance.md load']);
    expect(pagesOf(ofGrowth)).toEqual(['docs/pictures/growth.svg', 'docs/performance.md growth']);
    expect(pagesOf(madeUp())).toEqual([]);
  });

  const short = ofLoad.latencies?.filter(({ params }) => [25, 75].includes(Number(params['load'])));
  const alone = (name: SubjectName) => (of: { subject: SubjectName }) => of.subject === name;

  test.each<[string, BenchFile]>([
    ['with the two loads of a default run', { ...ofLoad, latencies: short }],
    ['without node:net', { ...ofLoad, latencies: ofLoad.latencies?.filter(alone('native')) }],
    ['that is older than latencies', madeUp({ ratios: [ratio('load', 1, 1, 1)] })],
    [
      'of another handler',
      madeUp({
        latencies: LOADS.flatMap((load) =>
          ['native', 'node:net'].map((name) => latency(name, load, { params: { compute: 1, load } })),
        ),
      }),
    ],
    ['with the growth of nearwire alone', { ...ofGrowth, cells: ofGrowth.cells.filter(alone('native')) }],
  ])('has nothing of a result %s', (_, result) => {
    expect(pagesOf(result)).toEqual([]);
  });

  test('has a record without histograms, and paths of the machine', () => {
    const [taken] = takenOf(BENCH_PAGES, [ofLoad]);
    const [recorded] = taken?.recorded ?? [];
    expect(recorded).toMatchObject({ command: 'nearwire bench', cells: [] });
    expect(JSON.stringify(recorded)).not.toContain('histogram');
    expect(taken ? reasonsOf(taken.recorded) : ['nothing']).toEqual([]);
  });

  test('says on what and how its picture was measured, and why not to trust it', () => {
    const restless = { ...ofGrowth, ratios: [{ ...ratio('growth', 0.5, 0.2, 0.9), params: { connections: 16 } }] };
    const blockOf = (result: BenchFile): string => {
      const taken = takenOf(BENCH_PAGES, [result]).find(({ block }) => block === 'growth');
      return taken?.render(taken.recorded) ?? '';
    };
    expect(blockOf(ofGrowth)).toMatch(/^!\[[^\]]+\]\(pictures\/growth\.svg\)\n\n2026-01-02, .*\n.*`nearwire bench`\.$/);
    expect(blockOf(restless)).toMatch(/\*\*Not of a host at rest\*\*: the highest round of a ratio is 4\.50 times/);
  });
});

describe('what is saved', () => {
  test('is a share of what a request takes with its handler, and its band that of the rounds', () => {
    const [each, kept] = [GAIN_ROWS.each, GAIN_ROWS.kept].map((row) => savedShare(recordOf(ofReadme), row, 0.06));
    // 40 us on node:net, and 60 of the handler.
    expect(each).toEqual({ percent: 20, low: 10, high: 30 });
    expect(kept?.low).toBeCloseTo(-8);
    expect(savedShare(recordOf(madeUp()), GAIN_ROWS.each, 1)).toBeUndefined();
  });

  test('is the table of the README', () => {
    const svg = committed.find(([file]) => file === 'saved.svg')?.[1] ?? '';
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, each, kept] = /\| 0\.1 ms +\| ([\d.]+) % +\| ([\d.]+) % +\|/.exec(readme) ?? [];
    expect(each).toBeDefined();
    const shownAt = [...svg.matchAll(/([\d.]+) at 0\.1,/g)].map(([, value]) => value);
    expect(shownAt.slice(0, 2)).toEqual([each, kept]);
  });
});

describe('an axis', () => {
  test.each<[number[], number[]]>([
    [
      [0, 31],
      [0, 10, 20, 30, 40],
    ],
    [
      [-8, 33],
      [-10, 0, 10, 20, 30, 40],
    ],
    [[0.3], [0, 0.1, 0.2, 0.3]],
    [[0], [0, 0.1]],
  ])('from what %j reach, linear, is %j', (values, ticks) => {
    expect(linearTicks(values)).toEqual(ticks);
  });

  test.each<[number[], number[]]>([
    [
      [1.5, 28],
      [1, 2, 5, 10, 20, 50],
    ],
    [
      [20, 50],
      [20, 50],
    ],
    [[3], [2, 5]],
    [[5], [5, 10]],
    [
      [0.04, 0.3],
      [0.02, 0.05, 0.1, 0.2, 0.5],
    ],
  ])('from what %j reach, logarithmic, is %j', (values, ticks) => {
    expect(logTicks(values)).toEqual(ticks);
  });

  test('has its title and unit, and values of thousands with a comma', () => {
    const x = { title: 'requests', scale: 'linear', ticks: [0, 1] } as const;
    const y = { title: 'time, us', scale: 'log', ticks: [1, 10_000] } as const;
    const points = [
      { x: 0, y: 1234.5 },
      { x: 0.5, y: 20 },
      { x: 1, y: 20 },
    ];
    const svg = renderCharts('A chart', [{ title: 'of', x, y, lines: [{ name: 'line', colour: 0, points }] }], 'notes');
    for (const text of ['requests', 'time, us', '10,000', '1,235', '20.0']) expect(svg).toContain(`>${text}</text>`);
    expect(svg).toContain('line: 1,235 at 0, 20.0 at 1. notes</desc>');
    expect(svg.match(/<circle/g)).toHaveLength(2);
  });
});

interface SeenPicture {
  readonly width: number;
  /** Of all text, pixels. */
  readonly smallest: number;
  /** Text that leaves the picture or lies on other text. */
  readonly misplaced: readonly string[];
  /** Of all text and lines, to the background. */
  readonly contrast: number;
}

/** Evaluated in the page. */
const SEEN = `(() => {
  const luminanceOf = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = luminanceOf(getComputedStyle(document.body).backgroundColor);
  const contrastOf = (colour) => {
    const [low, high] = [background, luminanceOf(colour)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  return [...document.querySelectorAll('svg')].map((svg) => {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map((text) => ({ text, box: text.getBoundingClientRect() }));
    const misplaced = texts.filter(({ text, box }) =>
      box.left < frame.left - 0.5 || box.right > frame.right + 0.5 || box.bottom > frame.bottom + 0.5 ||
      texts.some((other) => other.text !== text && box.left < other.box.right && other.box.left < box.right &&
        // A line's height has room above and below its letters.
        box.top + 4 < other.box.bottom && other.box.top + 4 < box.bottom));
    const drawn = [...svg.querySelectorAll('text, rect, polyline')].map((one) => {
      const { fill, stroke } = getComputedStyle(one);
      return contrastOf(one.tagName === 'polyline' ? stroke : fill);
    });
    return {
      width: frame.width,
      smallest: Math.min(...texts.map(({ text }) => parseFloat(getComputedStyle(text).fontSize) * frame.width / svg.viewBox.baseVal.width)),
      misplaced: misplaced.map(({ text }) => text.textContent),
      contrast: Math.min(...drawn),
    };
  });
})()`;

const executablePath = requireOrSkip('chromium');

describe.skipIf(executablePath === undefined)('in a browser', () => {
  const style = `body { margin: 0; background: #ffffff } svg { display: block; max-width: 100%; height: auto }
    @media (prefers-color-scheme: dark) { body { background: #0d1117 } }`;
  const open = pageInBrowser(
    executablePath,
    () => `<!doctype html><meta charset="utf-8"><style>${style}</style>${drawn.map(([, svg]) => svg).join('')}`,
  );

  test.each<[Scheme, number]>([
    ['light', 1280],
    ['dark', 1280],
    ['light', 400],
    ['dark', 400],
  ])('all are legible, %s, %i pixels wide', async (scheme, width) => {
    const { page, complaints } = await open(scheme, { width });
    const seen = await page.evaluate<SeenPicture[]>(SEEN);
    expect(seen).toHaveLength(drawn.length);
    for (const [at, picture] of seen.entries()) {
      expect(picture.width).toBe(Math.min(width, WIDTH));
      expect(picture.misplaced, drawn[at]?.[0]).toEqual([]);
      expect(picture.smallest).toBeGreaterThanOrEqual(10);
      // As WCAG has it, of what is no text.
      expect(picture.contrast).toBeGreaterThan(3);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('all are XML, of one picture each', async () => {
    const { page } = await open('light');
    const found = await page.evaluate<string[]>(`${JSON.stringify(drawn.map(([, svg]) => svg))}.map((svg) => {
      const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
      return parsed.querySelector('parsererror')?.textContent ?? parsed.documentElement.tagName;
    })`);
    expect(found).toEqual(drawn.map(() => 'svg'));
    await page.close();
  });
});
