/**
 * The parts of every page: text and scripts embedded in one file, escaped so that they cannot break out of their
 * elements.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { formatSeconds } from '../format.js';
import type { RunRecord } from '../model.js';
import type { Chart } from '../report/model.js';
import { STYLE } from './style.js';

interface PageParts {
  readonly title: string;
  /** Style rules in addition to the common ones. */
  readonly style?: string;
  readonly main: readonly string[];
  /** The data of the charts; a page without charts has no script. */
  readonly charts?: readonly Chart[];
}

/** A self-contained file. */
export function wholePage({ title, style = '', main, charts }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<main>
${main.filter(Boolean).join('\n')}
</main>
${charts ? scripts(charts) : ''}
</body>
</html>
`;
}

function scripts(charts: readonly Chart[]): string {
  const client = readFileSync(new URL('client.js', import.meta.url), 'utf8');
  return `<script type="application/json" id="charts">${embed(charts)}</script>
<script>${chartLibrary()}</script>
<script type="module">${inline(client)}</script>`;
}

/** What was run, where and when, and what makes its numbers less reliable. */
export function pageHeader(name: string, run: RunRecord, notes: readonly string[]): string {
  const { host, versions, command, started, seconds } = run;
  const list = notes.map((note) => `<li>${escape(note)}</li>`).join('');
  const machine = `${host.cpu}, ${String(host.cores)} cores, ${host.kernel}, load ${String(host.load)} before the start`;
  const when = `${started.slice(0, 16).replace('T', ' ')} UTC, ${formatSeconds(seconds)}`;
  return `<h1>${escape(name)}</h1>
<p class="host">${escape(machine)}</p>
<p class="host">${escape(`Node ${versions.node}, nearwire ${versions.nearwire} (${versions.commit}), ${when}`)}: <code>${escape(command)}</code></p>
${notes.length > 0 ? `<ul class="notes">${list}</ul>` : ''}`;
}

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

/** JSON that cannot end its script element, nor begin a comment in it. */
function embed(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** Chart.js, in the form that its package provides for a script element. */
function chartLibrary(): string {
  const main = createRequire(import.meta.url).resolve('chart.js');
  return inline(readFileSync(join(dirname(main), 'chart.umd.min.js'), 'utf8'));
}

/** Removes the reference to a missing source map, and escapes the script end tag in strings. */
function inline(script: string): string {
  return script.replace(/^\/\/# sourceMappingURL=.*$/m, '').replaceAll('</script', '<\\/script');
}
