/** The page of `nearwire tune --html`: one file with everything in it. Heat maps and tables stand without scripts. */
import { formatBytes, formatRatio, formatSpread, formatValue } from '../format.js';
import { escape, pageHeader, wholePage } from '../page/parts.js';
import { nameOf } from './conclude.js';
import { heatOf, type HeatCell } from './heat.js';
import { MEASURES, SUBJECTS, type Conclusion, type SubjectName, type SweepResult } from './model.js';
import { curvesOf } from './page/curves.js';
import { SWEEP_STYLE } from './page/style.js';
import { formatMemory } from './report.js';

export function sweepHtmlOf(result: SweepResult): string {
  const { host, family, rounds, warnings, skipped, failures, interrupted } = result;
  const notes = [
    ...(interrupted ? ['interrupted: these are the rounds until then'] : []),
    ...warnings,
    ...skipped,
    ...failures.map((failure) => `failed: ${failure}`),
  ];
  const over = family === 'unix' ? 'a UNIX socket' : 'TCP';
  return wholePage({
    title: `nearwire tune, ${host.cpu}`,
    style: SWEEP_STYLE,
    main: [
      pageHeader('nearwire tune', result, notes, [`${String(rounds)} rounds over ${over}`]),
      conclusions(result),
      views(),
      ...result.subjects.map((subject) => heatMap(result, subject)),
      plots(result),
      settings(result),
    ],
    drawn: { data: { curves: curvesOf(result) }, script: new URL('page/client.js', import.meta.url) },
  });
}

function conclusions({ conclusions: all, sizes, subjects }: SweepResult): string {
  if (all.length === 0) return '';
  const rowsOf = (cellOf: (conclusion: Conclusion) => string): string =>
    sizes
      .map((size) => {
        const cells = subjects.map((subject) => {
          const found = all.find((entry) => entry.subject === subject && entry.size === size);
          return found ? cellOf(found) : '<td></td>';
        });
        return `<tr><th>${formatBytes(size)}</th>${cells.join('')}</tr>`;
      })
      .join('\n');
  const head = `<thead><tr><th>response</th>${subjects.map((name) => `<th>${name}</th>`).join('')}</tr></thead>`;
  return `<section id="conclusions">
<h2>Which send buffer for which response</h2>
<p>The smallest within the spread of the best, if all rounds agree that it is better than the default</p>
<div class="scroll"><table>${head}<tbody>${rowsOf(recommendation)}</tbody></table></div>
</section>
<section id="whole">
<h2>Which takes a response whole</h2>
<p>The smallest with which the sender is through before a slow reader has begun</p>
<div class="scroll"><table>${head}<tbody>${rowsOf(({ whole }) => `<td>${whole === null ? 'none' : nameOf(whole)}</td>`)}</tbody></table></div>
</section>`;
}

function recommendation({ buffer, reason, gain, best, text }: Conclusion): string {
  const title = ` title="${escape(text)}"`;
  if (buffer !== 'default') {
    return `<td class="change"${title}>${nameOf(buffer)}<small class="why">${formatSpread(gain)}</small></td>`;
  }
  const word = reason === 'few' ? 'too few rounds' : 'no change';
  const why = best.buffer === 'default' ? 'default is best' : `best ${formatSpread(best.gain)}`;
  return `<td${title}>${word}<small class="why">${why}</small></td>`;
}

function views(): string {
  const radios = MEASURES.map(
    ({ name, meaning }, index) =>
      `<label title="${escape(meaning)}"><input type="radio" name="view" id="view-${name}" value="${name}"${index === 0 ? ' checked' : ''}> ${VIEW_NAMES[name]}</label>`,
  );
  const hints = MEASURES.map(
    ({ name, meaning, better }) => `<p class="how view ${name}">${escape(`${meaning}; ${better} is better`)}</p>`,
  );
  return `<div class="bar"><fieldset>${radios.join('\n')}</fieldset></div>
${hints.join('\n')}
<p class="how">Send buffers down, responses across; medians of the rounds. The small figure is that against the default buffer:
<span class="scale">a third <i></i> three times as good</span> Without colour, the rounds do not agree on better or worse. A frame marks the buffer to set, or the first that takes all of the
response; an asterisk one that the system has cut.</p>`;
}

const VIEW_NAMES = {
  rate: 'throughput',
  p50: 'time, p50',
  p99: 'time, p99',
  cpu: 'CPU a MiB',
  held: 'sender held',
} as const;

function heatMap(result: SweepResult, subject: SubjectName): string {
  const { sizes, rows } = heatOf(result, subject);
  if (rows.length === 0) return '';
  const title = SUBJECTS.find(({ name }) => name === subject)?.title ?? '';
  const head = sizes.map((size) => `<th>${formatBytes(size)}</th>`).join('');
  const body = rows.map(({ buffer, effective, clamped, memory, cells }) => {
    const name = `<span${clamped ? ' class="clamped"' : ''}>${nameOf(buffer)}</span>`;
    return `<tr><th>${name}<small>${escape(effective)}</small></th>${cells.map(heatCell).join('')}<td class="memory">${formatMemory(memory)}</td></tr>`;
  });
  return `<section id="heat-${subject}">
<h2>${subject}</h2>
<p>${escape(title)}</p>
<div class="scroll"><table class="heat"><thead><tr><th></th>${head}<th>1,000 connections</th></tr></thead>
<tbody>${body.join('\n')}</tbody></table></div>
</section>`;
}

function heatCell(cell: HeatCell | undefined): string {
  if (!cell) return '<td></td>';
  const style = cell.figures.map(({ measure, heat }) => `--of-${measure}:${colourOf(heat)}`).join(';');
  const marks = `${cell.isToBeSet ? ' set' : ''}${cell.isFirstWhole ? ' whole' : ''}`;
  const spans = cell.figures.map(
    ({ measure, value, unit, ratio }) =>
      `<span class="${measure}"${ratio === null ? '' : ` title="${formatSpread(ratio)}"`}>${formatValue(value, unit)}<small>${ratio === null ? 'default' : formatRatio(ratio.median)}</small></span>`,
  );
  return `<td class="cell${marks}" style="${style}">${spans.join('')}</td>`;
}

/** From -1, a third as good as the default or worse, to 1, three times as good or better. */
function colourOf(heat: number): string {
  const share = `${(Math.abs(heat) * 100).toFixed(0)}%`;
  return `color-mix(in oklab,var(--${heat < 0 ? 'worse' : 'better'}) ${share},var(--raised))`;
}

function plots(result: SweepResult): string {
  const charts = curvesOf(result).map(
    ({ size, title }) =>
      `<div class="chart"><canvas data-size="${String(size)}" role="img" aria-label="${escape(title)}"></canvas></div>`,
  );
  if (charts.length === 0) return '';
  const legend = result.subjects.map((name) => `<span><i style="background: var(--${name})"></i>${name}</span>`);
  return `<section id="curves-of-sizes">
<h2>Where the curve bends</h2>
<p>Throughput over the send buffer: medians of the rounds, with their lowest and highest</p>
<div class="legend">${legend.join('')}</div>
<div class="charts">${charts.join('\n')}</div>
</section>`;
}

function settings({ settings: all }: SweepResult): string {
  if (all.length === 0) return '';
  const parts = all.map(
    ({ where, lines, note }) =>
      `<h3>${where}</h3><p>${escape(note)}</p>${lines.length > 0 ? `<pre>${escape(lines.join('\n'))}</pre>` : ''}`,
  );
  return `<section class="settings" id="settings"><h2>To set it</h2>${parts.join('\n')}</section>`;
}
