/** The page of `nearwire cost --html`: one file with everything in it. Answers and tables stand without scripts. */
import { escape, pageHeader, wholePage } from '../page/parts.js';
import { arrange, hasLayers, LAYERS, notesOf, settingsOf, type LanguageRows } from './arrange.js';
import { formatNamed } from './figures.js';
import { HELD_MEANS } from './held.js';
import { curveTable, layerTable, pairTable, rowTable, systemCallTable } from './html-tables.js';
import { OPEN_LOOP_CONNECTIONS } from './load.js';
import type { Answer, CostResult, Overload } from './model.js';
import { plotsOf, type CurvePlot, type LayerPlot, type Plot } from './page/plots.js';
import { costStyle } from './page/style.js';

/** Of a line of a bar's title, of a bar and its distance from the next, and of the plot's axis and heading, in pixels. */
const LINE_HEIGHT = 15;
const BAR_HEIGHT = 36;
const FRAME_HEIGHT = 80;

export function costHtmlOf(result: CostResult): string {
  const plots = plotsOf(result);
  const languages = arrange(result);
  return wholePage({
    title: `nearwire cost, ${result.host.cpu}`,
    style: costStyle(result.works.map(({ name }) => name)),
    main: [
      pageHeader('nearwire cost', result, notesOf(result), result.quick ? ['a first look'] : []),
      answers(result),
      ...(languages.length > 0 ? [stacks(result, languages, plots)] : []),
      systemCalls(result),
      pairs(result, plots),
      curves(result, plots),
      overloads(result),
      missing(result),
      programs(result),
    ],
    drawn: { data: { plots }, script: new URL('page/client.js', import.meta.url) },
  });
}

function answers({ answers: all }: CostResult): string {
  if (all.length === 0) return '';
  return `<section id="answers"><h2>What it costs</h2>
<p>Each figure with the interval in which that of another run is to be expected</p>
<div class="answers">${all.map(answer).join('\n')}</div></section>`;
}

function answer({ question, text, figures }: Answer): string {
  const rows = Object.entries(figures).map(
    ([name, figure]) => `<tr><th>${escape(name)}</th><td>${escape(formatNamed(name, figure))}</td></tr>`,
  );
  const details = `<details><summary>figures</summary><table><tbody>${rows.join('')}</tbody></table></details>`;
  return `<article class="answer"><h3>${escape(question)}</h3><p>${escape(text)}</p>${rows.length > 0 ? details : ''}</article>`;
}

/** All that shows the work that is chosen, and stays under its choice. */
function stacks(result: CostResult, languages: readonly LanguageRows[], plots: readonly Plot[]): string {
  return `<div>${[works(result), ...languages.map((language) => languageSection(language, plots))].join('\n')}</div>`;
}

function works({ works: all, rows }: CostResult): string {
  const shown = all.filter(({ name }) => rows.some(({ work }) => work === name));
  const radios = shown.map(
    ({ name, title }, index) =>
      `<label><input type="radio" name="work" id="work-${name}" value="${name}"${index === 0 ? ' checked' : ''}> ${escape(title)}</label>`,
  );
  const layers = LAYERS.map(
    ({ name, title, meaning }) => `<span><i style="background: var(--${name})"></i>${title}: ${escape(meaning)}</span>`,
  );
  return `<div class="bar"><fieldset aria-label="what is asked for">${radios.join('\n')}</fieldset></div>
<div class="legend">${layers.join('\n')}</div>`;
}

function languageSection(language: LanguageRows, plots: readonly Plot[]): string {
  const own = plots.filter((plot) => plot.kind === 'layers' && plot.id.startsWith(`layers-${language.language}-`));
  const tables = language.works.map(({ work, rows }) => {
    const layers = hasLayers(language) ? (['time', 'cpu'] as const).map((of) => layerTable(rows, of)) : [];
    return `<div class="of-work ${work.name}"><div class="scroll">${rowTable(rows)}</div>${layers.join('\n')}</div>`;
  });
  return `<section id="stacks-${language.language}"><h2>${escape(language.title)}</h2>
<p>With many requests at a time, and alone: one at a time, from its sending to the answer's last byte</p>
<div class="charts wide">${own.map((plot) => canvas(plot, plot.kind === 'layers' ? heightOf(plot) : undefined)).join('\n')}</div>
${tables.join('\n')}</section>`;
}

function heightOf({ works: all }: LayerPlot): number {
  const lines = Math.max(...all.flatMap(({ labels }) => labels.map(({ length }) => length)));
  const bars = Math.max(...all.map(({ labels }) => labels.length));
  return FRAME_HEIGHT + bars * Math.max(BAR_HEIGHT, LINE_HEIGHT * lines + 8);
}

function canvas(plot: Plot, height?: number): string {
  const style = height === undefined ? '' : ` style="height: ${String(height)}px"`;
  return `<div class="chart ${plot.kind}"${style}><canvas data-plot="${plot.id}" role="img" aria-label="${escape(plot.title)}"></canvas></div>`;
}

function systemCalls(result: CostResult): string {
  if (result.systemCalls.length === 0) return '';
  return `<section id="system-calls"><h2>System calls of a lone request</h2>
<p>Counted by strace apart from all measures, those of waiting included. Of the hop: what the front makes more than alone, and
all that the app makes</p>
<details><summary>Which they are</summary><div class="scroll">${systemCallTable(result)}</div></details></section>`;
}

function pairs(result: CostResult, plots: readonly Plot[]): string {
  const own = plots.filter(({ kind }) => kind === 'pair');
  if (own.length === 0) return '';
  return `<section id="families"><h2>UNIX against TCP, by size</h2>
<p>TCP's figure for each of UNIX's, which is the line at 1: above it, TCP costs more</p>
<div class="legend"><span><i style="background: var(--alone)"></i>a lone request's time</span>
<span><i style="background: var(--cpu)"></i>CPU a request, of all processes</span></div>
<div class="charts">${own.map((plot) => canvas(plot)).join('\n')}</div>
<div class="scroll">${pairTable(result)}</div></section>`;
}

function curves(result: CostResult, plots: readonly Plot[]): string {
  const own = plots.filter((plot): plot is CurvePlot => plot.kind === 'curve');
  if (own.length === 0) return '';
  const parts = own.map((plot) => {
    const legend = plot.lines.map(
      ({ title, colour, dashed, hollow }) =>
        `<span><i class="line${dashed ? ' dashed' : ''}${hollow ? ' hollow' : ''}" style="color: var(--${colour})"></i>${escape(title)}</span>`,
    );
    return `<div>${canvas(plot)}<div class="legend">${legend.join('\n')}</div></div>`;
  });
  return `<section id="curves"><h2>Rising rates, up to the collapse</h2>
<p>Requests begin at a rate, whatever becomes of them, on up to ${String(OPEN_LOOP_CONNECTIONS)} connections; latency
counts from when each was due. A cross: the rate was not held. It is when ${HELD_MEANS}. Dashed: over TCP; hollow points:
a connection for each request</p>
<div class="charts wide">${parts.join('\n')}</div>
<details><summary>All points</summary><div class="scroll">${curveTable(result)}</div></details></section>`;
}

function overloads({ overloads: all }: CostResult): string {
  if (all.length === 0) return '';
  const head = ['limit', 'driven by', 'broke at', 'filled', 'what a user sees', 'what moves it'];
  return `<section id="overloads"><h2>Limits, driven until they were met</h2>
<p>What nginx said stands in its own words, from its log; more in docs/overload.md</p>
<div class="scroll"><table class="prose"><thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
<tbody>${all.map((overload) => overloadRow(overload, head.slice(1))).join('\n')}</tbody></table></div></section>`;
}

/** Each cell has its column's name too, for where the cells stand below each other. */
function overloadRow(overload: Overload, names: readonly string[]): string {
  const { title, drive, at, depth, error, notDriven } = overload;
  const amount = (value: number, unit: string): string =>
    escape(`${value.toLocaleString('en-US', { maximumFractionDigits: 1 })} ${unit}`);
  const cells = [
    escape(notDriven === undefined ? drive : `${drive} (not driven here: ${notDriven})`),
    amount(at.value, at.unit),
    depth ? `${amount(depth.value, '')}of ${amount(depth.limit, depth.unit)}` : '',
    `<code>${escape(error)}</code>`,
    `<ul>${settingsOf(overload)
      .map((setting) => `<li>${escape(setting)}</li>`)
      .join('')}</ul>`,
  ];
  const named = cells.map((cell, index) => `<td data-name="${names[index] ?? ''}">${cell}</td>`);
  return `<tr><th scope="row">${escape(title)}</th>${named.join('')}</tr>`;
}

function missing({ missing: all }: CostResult): string {
  if (all.length === 0) return '';
  const items = all.map(({ title, reason }) => `<li>${escape(title)}: <code>${escape(reason)}</code></li>`);
  return `<section id="missing"><h2>Not measured</h2><p>Stacks that this host has no programs for, or whose programs failed</p>
<ul class="missing">${items.join('\n')}</ul></section>`;
}

function programs({ programs: all }: CostResult): string {
  const rows = all
    .filter(({ file }) => file !== undefined)
    .map(
      ({ name, version, file }) =>
        `<tr><th>${escape(name)}</th><td>${escape(version ?? '')}</td><td>${escape(file ?? '')}</td></tr>`,
    );
  if (rows.length === 0) return '';
  return `<section id="programs"><h2>Programs</h2><p>That took part</p>
<div class="scroll"><table><thead><tr><th>program</th><th>version</th><th>file</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div></section>`;
}
