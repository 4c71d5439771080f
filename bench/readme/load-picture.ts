/** Latency by offered load: a chart for each version of Node, and a result's curves for it. */
import { withoutFiles, type JsonResult } from '../json.js';
import type { LatencyResult, Params, SubjectName } from '../model.js';
import { logTicks, valuesOf, type Line } from './chart.js';
import type { Excerpt } from './figures.js';
import { renderPanels, renderPictureBlock, valuesOnX } from './panels.js';

type Curve = Omit<LatencyResult, 'histogram'>;

/** A file written by `--json`; older ones have no latencies. */
export interface BenchFile extends JsonResult {
  readonly latencies?: readonly Curve[];
}

export interface LoadExcerpt extends Excerpt {
  readonly latencies: readonly Curve[];
}

/** Fewer loads do not make a curve: a default run has two. */
const LEAST_LOADS = 3;
const SUBJECTS: readonly SubjectName[] = ['native', 'node:net'];
/** Of the handler that does nothing: the remaining time is the socket layer's, and that of Node's HTTP. */
const HANDLER = 0;

function isShown({
  case: name,
  params,
  family,
  subject,
}: Pick<Curve, 'case' | 'params' | 'family' | 'subject'>): boolean {
  return name === 'load' && family === 'unix' && SUBJECTS.includes(subject) && isPlain(params);
}

function isPlain(params: Params): boolean {
  return params['compute'] === HANDLER && params['arrival'] === undefined;
}

/** Undefined if the result lacks curves of both subjects. */
export function loadExcerptOf({ host, versions, command, started, ...of }: BenchFile): LoadExcerpt | undefined {
  const shown = (of.latencies ?? []).filter(isShown);
  if (SUBJECTS.some((name) => shown.filter(({ subject }) => subject === name).length < LEAST_LOADS)) return undefined;
  return {
    ...{ schema: 1, host, versions, command: withoutFiles(command), started, cells: [] },
    ratios: of.ratios.filter((ratio) => isShown(ratio) && ratio.measure === 'cpu'),
    latencies: shown.map(({ case: name, params, family, subject, offered, rounds, percentiles }) => ({
      ...{ case: name, params, family, subject, offered, rounds, percentiles },
    })),
  };
}

const TITLE = 'Latency of node:http by load';

const LINES = [
  { percentile: 'p50', subject: 'native', name: 'nearwire, p50', colour: 0, isDashed: true },
  { percentile: 'p99', subject: 'native', name: 'nearwire, p99', colour: 0 },
  { percentile: 'p50', subject: 'node:net', name: 'node:net, p50', colour: 2, isDashed: true },
  { percentile: 'p99', subject: 'node:net', name: 'node:net, p99', colour: 2 },
] as const;

function linesOf({ latencies }: LoadExcerpt): Line[] {
  return LINES.flatMap(({ percentile, subject, ...line }) => {
    const points = latencies
      .filter((latency) => latency.subject === subject)
      .flatMap(({ params, percentiles }) => {
        const y = percentiles[percentile];
        return y === undefined ? [] : [{ x: Number(params['load']), y }];
      })
      .toSorted((a, b) => a.x - b.x);
    return points.length === 0 ? [] : [{ ...line, points }];
  });
}

export function renderLoad(excerpts: readonly LoadExcerpt[]): string {
  return renderPanels(TITLE, excerpts, linesOf, (lines) => ({
    x: { title: 'load, % of the most that node:net answers', scale: 'linear', ticks: valuesOnX(lines) },
    y: { title: 'latency, us (log)', scale: 'log', ticks: logTicks(valuesOf(lines)) },
  }));
}

export function renderLoadBlock(excerpts: readonly LoadExcerpt[]): string {
  return renderPictureBlock('load.svg', TITLE, excerpts);
}
