/** The page of `--html`: a self-contained file. Its tables need no scripts; scripts draw the plots. */
import { broughtLines } from '../brought.js';
import type { BenchResult } from '../model.js';
import { escape, pageHeader, wholePage } from '../page/parts.js';
import { colourName, coloursOf } from '../page/style.js';
import { reportOf } from './build.js';
import type { Block, Cell, Chart, Headline, Report, Section } from './model.js';

/** The parts that differ on another command's page. */
interface OwnPage {
  readonly name: string;
  readonly style: string;
  /** Replaces the tiles. */
  readonly top: readonly string[];
}

export function htmlOf(result: BenchResult, own?: OwnPage): string {
  const name = own?.name ?? 'nearwire bench';
  const { host, warnings, skipped, failures, interrupted } = result;
  const notes = [
    ...(interrupted ? ['interrupted: these are the rounds until then'] : []),
    ...warnings,
    ...skipped,
    ...failures.map((failure) => `failed: ${failure}`),
  ];
  const report = reportOf(result);
  const charts = report.sections.flatMap(({ blocks }) => blocks.flatMap((block) => block.charts));
  return wholePage({
    title: `${name}, ${host.cpu}`,
    style: `${coloursOf(result.lineup)}${own?.style ?? ''}`,
    main: [
      pageHeader(name, result, [...notes, ...(own ? [] : broughtLines(result))]),
      ...(own?.top ?? [tiles(report.headlines)]),
      legend(report),
      ...report.sections.map(sectionHtml),
    ],
    charts,
  });
}

function tiles(headlines: readonly Headline[]): string {
  const tile = ({ case: name, measure, params, ratios }: Headline): string => `<div class="tile">
<h3>${escape(name)}</h3>
<p>${escape(`${measure.meaning}, ${measure.better} is better`)}</p>
<p class="params">${escape(params)}</p>
${ratios.map(({ subject, baseline, verdict, text }) => `<div><span>${subject}${baseline === 'node:net' ? '' : ' to tuned'}</span><b class="${verdict}">${escape(text)}</b></div>`).join('')}
</div>`;
  return headlines.length === 0
    ? ''
    : `<p class="how">Over UNIX sockets, node:net being 1x:</p>\n<div class="tiles">${headlines.map(tile).join('\n')}</div>`;
}

function legend({ subjects }: Report): string {
  const names = subjects.map(
    ({ name, title }) =>
      `<span title="${escape(title)}"><i style="background: var(${colourName(name)})"></i>${name}</span>`,
  );
  return `<div class="bar">${names.join('')}
<fieldset><label><input type="radio" name="view" value="values" checked> measured values</label>
<label><input type="radio" name="view" value="ratios"> ratios</label></fieldset></div>
<p class="how">Bars and dots are medians of the rounds, whiskers their lowest and highest; ratios are to node:net, or to the subject in the text under
the pointer, and taken within each round. Dots are on a logarithmic axis, where a bar would have no length. A hollow bar or dot, or
an asterisk: the load generator was the limit, which says nothing of the server.</p>`;
}

export function sectionHtml({ name, title, blocks }: Section): string {
  return `<section id="${name}">
<h2>${name}</h2>
<p>${escape(title)}</p>
${blocks.map(blockHtml).join('\n')}
</section>`;
}

function blockHtml({ title, findings = [], charts, head, rows, note }: Block): string {
  return [
    title ? `<h3>${escape(title)}</h3>` : '',
    findings.length > 0
      ? `<ul class="findings">${findings.map((line) => `<li>${escape(line)}</li>`).join('')}</ul>`
      : '',
    `<div class="charts">${charts.map(canvasHtml).join('\n')}</div>`,
    `<div class="scroll">${tableHtml(head, rows)}</div>`,
    note ? `<p class="how">${escape(note)}</p>` : '',
  ]
    .filter(Boolean)
    .join('\n');
}

function canvasHtml({ id, meaning }: Chart): string {
  return `<div class="chart"><canvas data-chart="${id}" role="img" aria-label="${escape(`${id}: ${meaning}`)}"></canvas></div>`;
}

function tableHtml(head: Block['head'], rows: Block['rows']): string {
  const lines = rows.map(({ name, cells, muted }) => {
    const row = cells.map((cell) => (typeof cell === 'string' ? `<td>${escape(cell)}</td>` : cellHtml(cell)));
    return `<tr${muted ? ' class="share"' : ''}><th>${escape(name)}</th>${row.join('')}</tr>`;
  });
  const titles = head.map((title) => `<th>${title}</th>`).join('');
  return `<table><thead><tr><th></th>${titles}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`;
}

function cellHtml({ text, spread, limited, ratio }: Cell): string {
  const title = ratio ? `${spread}; ${ratio.spread} of ${ratio.baseline}` : spread;
  const against = `<small class="${ratio?.verdict ?? ''}">${escape(ratio?.text ?? '')}</small>`;
  return `<td title="${escape(title)}">${text}${limited ? '*' : ''}${against}</td>`;
}
