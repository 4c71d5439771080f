/** The page of `nearwire tune --html`: what was found, a heat map for each way, and the bench's own plots and tables. */
import { formatBytes, formatRatio, formatSpread, formatValue } from '../format.js';
import { htmlOf } from '../report/page.js';
import { escape } from '../page/parts.js';
import { nameOf } from './conclude.js';
import { waysOf, type SweepResult, type Way } from './model.js';
import {
  bytesPerSecond,
  conclusionRows,
  recommendation,
  takeRows,
  throughputOf,
  type Figure,
  type Rows,
} from './tables.js';

export function sweepHtmlOf(result: SweepResult): string {
  return htmlOf(result, {
    name: 'nearwire tune',
    style: STYLE,
    top: [
      section(
        'conclusions',
        'Which send buffer for which response',
        'The smallest within the spread of the best, if all rounds agree that it is better than the default',
        tableOf(conclusionRows(result, recommendation)),
      ),
      section(
        'takes',
        'What a send buffer takes',
        'The largest response that leaves the server though nobody reads it; in effect: SO_SNDBUF as it reads back',
        tableOf(takeRows(result)),
      ),
      settings(result),
      ...waysOf(result.takes).map((way) => heatMap(result, way)),
    ],
  });
}

function section(id: string, title: string, how: string, inside: string): string {
  return `<section id="${id}">
<h2>${escape(title)}</h2>
<p>${escape(how)}</p>
<div class="scroll">${inside}</div>
</section>`;
}

function tableOf([head = [], ...rows]: Rows): string {
  const cells = (row: readonly string[]): string => row.map((text) => `<td>${escape(text)}</td>`).join('');
  const body = rows.map(([name = '', ...row]) => `<tr><th>${escape(name)}</th>${cells(row)}</tr>`);
  return `<table><thead><tr>${head.map((text) => `<th>${escape(text)}</th>`).join('')}</tr></thead>
<tbody>${body.join('\n')}</tbody></table>`;
}

function settings({ settings: all }: SweepResult): string {
  const parts = all.map(
    ({ where, lines, note }) =>
      `<h3>${where}</h3><p>${escape(note)}</p>${lines.length > 0 ? `<pre>${escape(lines.join('\n'))}</pre>` : ''}`,
  );
  return parts.length === 0 ? '' : `<section id="settings"><h2>To set it</h2>${parts.join('\n')}</section>`;
}

/** Throughput: send buffers down, responses across. */
function heatMap(result: SweepResult, way: Way): string {
  const { sizes, rows } = throughputOf(result, way);
  if (sizes.length === 0) return '';
  const head = sizes.map((size) => `<th>${formatBytes(size)}</th>`).join('');
  const body = rows.map(({ buffer, figures }) => {
    const cells = sizes.map((size, at) => {
      const isToBeSet = result.conclusions.some(
        (found) => found.way === way.name && found.bytes === size && found.buffer === buffer,
      );
      return heatCell(figures[at], isToBeSet);
    });
    return `<tr><th>${nameOf(buffer)}</th>${cells.join('')}</tr>`;
  });
  const table = `<table class="heat"><thead><tr><th></th>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
  const how = `${way.title}: throughput, and the same against the default; without colour, the rounds do not agree on better or worse`;
  return section(`heat-${way.name}`, way.name, how, table);
}

/** This many times as good as the default is as warm as it gets. */
const HOTTEST = 3;

function heatCell(figure: Figure | undefined, isToBeSet: boolean): string {
  if (!figure) return '<td></td>';
  const { ratio, verdict } = figure;
  const heat = ratio && verdict !== '' ? Math.log(ratio.median) / Math.log(HOTTEST) : 0;
  const share = `${(Math.min(1, Math.abs(heat)) * 100).toFixed(0)}%`;
  const colour = `color-mix(in oklab,var(--${heat < 0 ? 'worse' : 'better'}) ${share},var(--raised))`;
  const against = ratio ? formatRatio(ratio.median, ratio.bound) : '';
  const title = ratio ? ` title="${escape(formatSpread(ratio))}"` : '';
  return `<td${isToBeSet ? ' class="set"' : ''} style="background:${colour}"${title}>${formatValue(bytesPerSecond(figure), 'bytes/s')}<small>${escape(against)}</small></td>`;
}

/** Blue is better and orange worse, which all eyes tell apart; what is to be set has a frame. */
const STYLE = `
:root { --better: #6ea8fe; --worse: #ffab6b; }
@media (prefers-color-scheme: dark) { :root { --better: #1d5bc0; --worse: #99480f; } }
.heat { border-collapse: separate; border-spacing: 3px; }
.heat td { border: 0; border-radius: 5px; padding: 5px 10px; text-align: center; }
.heat td small { display: block; margin: 0; color: inherit; }
.heat td.set { box-shadow: inset 0 0 0 2px var(--text); }
#settings p { margin: 2px 0 0; color: var(--muted); }
`;
