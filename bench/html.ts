/** The page of `--html`: one file with everything in it. The tables stand without scripts; these draw the plots. */
import { broughtLines } from './brought.js';
import { growth as growthCase, GROWTH_BASE } from './cases/growth.js';
import { CASES } from './cases/index.js';
import { load as loadCase } from './cases/load.js';
import { describeParams, formatRatio, formatSpread, formatValue } from './format.js';
import { describePoint, growthOf } from './growth.js';
import type { BenchCase, BenchResult, Measure, Series, SubjectName } from './model.js';
import { chartsOf, labelsOf, seriesOf, valueBar } from './page/charts.js';
import { canvasOf, growthChartsOf, lineChartsOf } from './page/lines.js';
import { loadSection } from './page/load-section.js';
import { colourName, coloursOf } from './page/style.js';
import { escape, pageHeader, wholePage } from './page/parts.js';
import { headlinesOf, judge, medianShare, ratioOf } from './statistics.js';

/** What another command's page has of its own. */
export interface OwnPage {
  readonly name: string;
  readonly style: string;
  /** Instead of the tiles. */
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
  return wholePage({
    title: `${name}, ${host.cpu}`,
    style: `${coloursOf(result.lineup)}${own?.style ?? ''}`,
    main: [
      pageHeader(name, result, [...notes, ...(own ? [] : broughtLines(result))]),
      ...(own?.top ?? [tiles(result)]),
      legend(result),
      ...CASES.map((benchCase) => (benchCase === loadCase ? loadSection(result) : section(result, benchCase))),
    ],
    drawn: {
      data: { charts: chartsOf(result), lines: lineChartsOf(result) },
      script: new URL('page/client.js', import.meta.url),
    },
  });
}

/** The measure that counts most of each case, over UNIX sockets, against node:net. */
function tiles(result: BenchResult): string {
  const tile = ({ benchCase, measure, ratios }: ReturnType<typeof headlinesOf>[number]): string => `<div class="tile">
<h3>${escape(benchCase.name)}</h3>
<p>${escape(`${measure.meaning}, ${measure.better} is better`)}</p>
<p class="params">${escape(describeParams(ratios[0]?.params ?? {}))}</p>
${ratios.map((ratio) => `<div><span>${ratio.subject}${ratio.baseline === 'node:net' ? '' : ' to tuned'}</span><b class="${judge(ratio, measure)}">${escape(formatRatio(ratio.median, ratio.bound))}</b></div>`).join('')}
</div>`;
  const all = headlinesOf(result.ratios).map(tile);
  return all.length === 0
    ? ''
    : `<p class="how">Over UNIX sockets, node:net being 1x:</p>\n<div class="tiles">${all.join('\n')}</div>`;
}

function legend(result: BenchResult): string {
  const names = result.lineup
    .filter(({ name }) => result.cells.some(({ subject }) => subject === name))
    .map(
      ({ name, title }) =>
        `<span title="${escape(title)}"><i style="background: var(${colourName(name)})"></i>${name}</span>`,
    );
  return `<div class="bar">${names.join('')}
<fieldset><label><input type="radio" name="view" value="values" checked> measured values</label>
<label><input type="radio" name="view" value="ratios"> ratios</label></fieldset></div>
<p class="how">Bars and dots are medians of the rounds, whiskers their lowest and highest; ratios are to node:net, or to what the
text under the pointer names, and taken within each round.
Dots stand on a logarithmic axis, where a bar would have no length. A pale bar, a hollow dot or an asterisk: the load generator
was the limit, which says nothing of the server.</p>`;
}

/** How the figures of `growth` grow: lines over the connections, and a table. */
function growthOverview(result: BenchResult): string {
  const growth = growthOf(result);
  if (!growth) return '';
  const charts = growthChartsOf(result).map(canvasOf);
  const head = growth.subjects.map((name) => `<th>${name}</th>`).join('');
  const rows = growth.rows.map(({ point, figure, ratios }) => {
    const cells = ratios.map((ratio) =>
      ratio ? `<td title="${escape(formatSpread(ratio))}">${formatRatio(ratio.median)}</td>` : '<td></td>',
    );
    return `<tr><th>${escape(`${describePoint(point)} ${figure}`)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="charts">${charts.join('\n')}</div>
<p class="how">The point apart from its line has idle connections beside the busy ones. Against ${String(GROWTH_BASE)}
connections, within each round, the figures are as below. Each connection has one message outstanding, which waits for those of
all the others: the round trip divided by the connections is what would stay the same.</p>
<div class="scroll"><table id="growth-ratios"><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>
`;
}

function section(result: BenchResult, benchCase: BenchCase): string {
  const series = seriesOf(result, benchCase);
  if (series.length === 0) return '';
  const charts = benchCase.measures.map(
    ({ name, meaning }) =>
      `<div class="chart"><canvas data-case="${benchCase.name}" data-measure="${name}" role="img" aria-label="${escape(`${benchCase.name}: ${meaning}`)}"></canvas></div>`,
  );
  return `<section id="${benchCase.name}">
<h2>${benchCase.name}</h2>
<p>${escape(benchCase.title)}</p>
${benchCase === growthCase ? growthOverview(result) : ''}<div class="charts">${charts.join('\n')}</div>
<div class="scroll">${table(result, benchCase, series)}</div>
</section>`;
}

function table(result: BenchResult, benchCase: BenchCase, series: readonly Series[]): string {
  const subjects = result.lineup
    .map(({ name }) => name)
    .filter((name) => series.some((entry) => entry.subjects.includes(name)));
  const labels = labelsOf(series);
  const rows = series.flatMap((entry, index) => [
    ...benchCase.measures.map((measure) => {
      const cells = subjects.map((subject) => valueCell(result, entry, measure, subject));
      return `<tr><th>${escape(`${labels[index] ?? ''} ${measure.name}`.trim())}</th>${cells.join('')}</tr>`;
    }),
    offeredRow(result, entry, labels[index] ?? '', subjects),
    shareRow(result, entry, `${labels[index] ?? ''} client CPU`, subjects),
  ]);
  const head = subjects.map((name) => `<th>${name}</th>`).join('');
  return `<table><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function valueCell(result: BenchResult, series: Series, measure: Measure, subject: SubjectName): string {
  const bar = valueBar(result, series, measure, subject);
  if (!bar) return '<td></td>';
  const value = `${formatValue(bar.value, measure.unit)}${bar.limited ? '*' : ''}`;
  const ratio = ratioOf(result.ratios, series, measure, subject);
  const against = ratio
    ? `<small class="${judge(ratio, measure)}">${escape(formatRatio(ratio.median, ratio.bound))}</small>`
    : '<small></small>';
  return `<td title="${escape(bar.text)}">${value}${against}</td>`;
}

/** What was asked of all subjects alike. */
function offeredRow(result: BenchResult, series: Series, label: string, subjects: readonly SubjectName[]): string {
  const offered = result.results.find((entry) => entry.series === series)?.offered;
  if (offered === undefined) return '';
  const cell = `<td>${formatValue(offered, 'requests/s')}<small></small></td>`;
  return `<tr class="share"><th>${escape(`${label} requests due`.trim())}</th>${cell.repeat(subjects.length)}</tr>`;
}

/** How much of a core the client's process used: near 100 %, it may have been the limit. */
function shareRow(result: BenchResult, series: Series, label: string, subjects: readonly SubjectName[]): string {
  const samples = result.results.find((entry) => entry.series === series)?.samples ?? [];
  const shares = subjects.map((name) =>
    medianShare(
      samples.filter(({ subject }) => subject === name),
      'clientShare',
    ),
  );
  if (shares.every((share) => share === undefined)) return '';
  const cells = shares.map(
    (share) => `<td>${share === undefined ? '' : `${(share * 100).toFixed(0)} %<small></small>`}</td>`,
  );
  return `<tr class="share"><th>${escape(label.trim())}</th>${cells.join('')}</tr>`;
}
