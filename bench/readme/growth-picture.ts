/** CPU time per message by the number of busy connections: a chart for each version of Node. */
import type { JsonResult } from '../json.js';
import type { CellResult, SubjectName } from '../model.js';
import { logTicks, valuesOf, type Line } from './chart.js';
import { excerptOf, type Excerpt, type Row } from './figures.js';
import { renderPanels, renderPictureBlock, valuesOnX } from './panels.js';

const ROW: Row = { title: 'CPU of the server a message', case: 'growth', measure: 'cpu' };

const TITLE = 'CPU of a message by the number of connections';

const LINES = [
  { subject: 'node:net', name: 'node:net', colour: 2 },
  { subject: 'native', name: 'nearwire', colour: 0 },
  { subject: 'channel', name: 'nearwire/channel', colour: 1 },
  { subject: 'c', name: 'plain C', colour: 3 },
] as const;

/** The subjects that the picture needs. */
const NEEDED: readonly SubjectName[] = ['native', 'node:net'];
/** Fewer points do not show growth. */
const LEAST_POINTS = 3;

function pointsOf(cells: readonly CellResult[], subject: SubjectName): Line['points'] {
  return (
    cells
      // Additional silent connections are a different question.
      .filter((cell) => cell.subject === subject && cell.params['idle'] === undefined)
      .map(({ params, median }) => ({ x: Number(params['connections']), y: median }))
      .toSorted((a, b) => a.x - b.x)
  );
}

/** Undefined if the result lacks the case for native or node:net. */
export function growthExcerptOf(result: JsonResult): Excerpt | undefined {
  const excerpt = excerptOf(
    result,
    [ROW],
    LINES.map(({ subject }) => subject),
  );
  return NEEDED.every((name) => pointsOf(excerpt.cells, name).length >= LEAST_POINTS) ? excerpt : undefined;
}

function linesOf({ cells }: Excerpt): Line[] {
  return LINES.flatMap(({ subject, ...line }) => {
    const points = pointsOf(cells, subject);
    return points.length === 0 ? [] : [{ ...line, points }];
  });
}

export function renderGrowth(excerpts: readonly Excerpt[]): string {
  return renderPanels(TITLE, excerpts, linesOf, (lines) => ({
    x: { title: 'connections, each with one message of 64 B outstanding', scale: 'log', ticks: valuesOnX(lines) },
    y: { title: 'CPU of the server, us a message (log)', scale: 'log', ticks: logTicks(valuesOf(lines)) },
  }));
}

export function renderGrowthBlock(excerpts: readonly Excerpt[]): string {
  return renderPictureBlock('growth.svg', TITLE, excerpts);
}
