/** The page of `nearwire tune --html`: the findings, a heat map for each way, and the bench's own plots and tables. */
import { escape } from '../page/parts.js';
import { htmlOf, sectionHtml } from '../report/page.js';
import { waysOf, type Setting, type SweepResult, type Way } from './model.js';
import { sectionsOf, throughputTable, type HeatCell } from './tables.js';

export function sweepHtmlOf(result: SweepResult): string {
  return htmlOf(result, {
    name: 'nearwire tune',
    style: STYLE,
    top: [
      ...sectionsOf(result).found.map(sectionHtml),
      settings(result.settings),
      ...waysOf(result.takes).map((way) => heatMap(result, way)),
    ],
  });
}

function settings(all: readonly Setting[]): string {
  const parts = all.map(
    ({ where, lines, note }) =>
      `<h3>${where}</h3><p>${escape(note)}</p>${lines.length > 0 ? `<pre>${escape(lines.join('\n'))}</pre>` : ''}`,
  );
  return `<section id="settings"><h2>To set it</h2>${parts.join('\n')}</section>`;
}

/** Throughput: rows are send buffers, columns are responses. */
function heatMap(result: SweepResult, way: Way): string {
  const { head, rows } = throughputTable(result, way);
  if (head.length === 0) return '';
  const body = rows.map(({ name, cells }) => `<tr><th>${name}</th>${cells.map(heatCell).join('')}</tr>`);
  return `<section id="heat-${way.name}">
<h2>${way.name}</h2>
<p>${escape(way.title)}: throughput, and its ratio to the default; without color, the rounds do not agree on better or worse</p>
<div class="scroll"><table class="heat"><thead><tr><th></th>${head.map((size) => `<th>${size}</th>`).join('')}</tr></thead>
<tbody>${body.join('\n')}</tbody></table></div>
</section>`;
}

/** The ratio to the default at which the colour is at its strongest. */
const HOTTEST = 3;

function heatCell(cell: HeatCell | ''): string {
  if (cell === '') return '<td></td>';
  const { text, ratio, isToBeSet } = cell;
  const heat = ratio && ratio.verdict !== '' ? Math.log(ratio.value) / Math.log(HOTTEST) : 0;
  const share = `${(Math.min(1, Math.abs(heat)) * 100).toFixed(0)}%`;
  const colour = `color-mix(in oklab,var(--${heat < 0 ? 'worse' : 'better'}) ${share},var(--raised))`;
  return `<td${isToBeSet ? ' class="set"' : ''} style="background:${colour}" title="${escape(ratio?.spread ?? '')}">${text}<small>${escape(ratio?.text ?? '')}</small></td>`;
}

/** Blue is better and orange is worse, which colour-blind readers can distinguish; recommended cells have a frame. */
const STYLE = `
:root { --better: #6ea8fe; --worse: #ffab6b; }
@media (prefers-color-scheme: dark) { :root { --better: #1d5bc0; --worse: #99480f; } }
.heat { border-collapse: separate; border-spacing: 3px; }
.heat td { border: 0; border-radius: 5px; padding: 5px 10px; text-align: center; }
.heat td small { display: block; margin: 0; color: inherit; }
.heat td.set { box-shadow: inset 0 0 0 2px var(--text); }
#settings p { margin: 2px 0 0; color: var(--muted); }
`;
