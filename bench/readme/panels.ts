/** Pictures with a chart for each version of Node, on the same axes. */
import { renderCharts, type Chart, type Line } from './chart.js';
import { describeRun, nodeOf, type Excerpt } from './figures.js';
import { describeUnrest } from './quiet.js';

export function renderPanels<Of extends Excerpt>(
  title: string,
  excerpts: readonly Of[],
  linesOf: (excerpt: Of) => Line[],
  axesOf: (lines: readonly Line[]) => Pick<Chart, 'x' | 'y'>,
): string {
  const panels = excerpts.map((excerpt) => ({
    title: nodeOf(excerpt, excerpts) || `Node ${excerpt.versions.node}`,
    lines: linesOf(excerpt),
  }));
  const axes = axesOf(panels.flatMap(({ lines }) => lines));
  const charts = panels.filter(({ lines }) => lines.length > 0).map((panel) => ({ ...panel, ...axes }));
  return renderCharts(title, charts, excerpts.flatMap(describeRun).join(' '));
}

/** The x values of the lines, in order. */
export function valuesOnX(lines: readonly Line[]): number[] {
  return [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].toSorted((a, b) => a - b);
}

/** A picture in a page: its alternative text, and the conditions of the measurement. */
export function renderPictureBlock(picture: string, alt: string, excerpts: readonly Excerpt[]): string {
  return [
    `![${alt}](pictures/${picture})`,
    '',
    ...excerpts.flatMap((excerpt) => [...describeRun(excerpt), '']),
    ...describeUnrest(excerpts).filter(Boolean),
  ]
    .join('\n')
    .trimEnd();
}
