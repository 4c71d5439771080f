/** What the page says of case load: for each handler its lines, its sentences and its table. */
import { load as loadCase } from '../cases/load.js';
import { formatTime } from '../cost/format-time.js';
import { digits, formatRatio, formatValue } from '../format.js';
import { PERCENTILES } from '../histogram.js';
import { loadCoursesOf, loadHeadlines, SHOWN, type LoadCourse, type LoadPoint } from '../load-report.js';
import type { BenchResult } from '../model.js';
import { canvasOf, courseId, loadChartsOf } from './lines.js';
import { escape } from './parts.js';

export function loadSection(result: BenchResult): string {
  const courses = loadCoursesOf(result);
  if (courses.length === 0) return '';
  return `<section id="${loadCase.name}">
<h2>${loadCase.name}</h2>
<p>${escape(loadCase.title)}</p>
${courses.map(courseBlock).join('\n')}
<p class="how">Latencies are of all rounds' requests put together, from when each was due; a percentile is told
where ten requests or more lie beyond it. CPU is the server's of a request. Beside each figure its ratio to
node:net's at the same load; under the pointer the lowest and highest of the rounds.</p>
</section>`;
}

function courseBlock(course: LoadCourse, index: number): string {
  const charts = loadChartsOf(course, courseId(index)).map(canvasOf);
  const sentences = loadHeadlines(course).map((line) => `<li>${escape(line)}</li>`);
  return `<h3>${escape(`${course.handler}, ${course.family}`)}</h3>
${sentences.length > 0 ? `<ul class="findings">${sentences.join('')}</ul>` : ''}
<div class="charts">${charts.join('\n')}</div>
<div class="scroll">${table(course)}</div>`;
}

function table({ subjects, rows }: LoadCourse): string {
  const columns = [...PERCENTILES.map(({ title }) => title), 'max', 'CPU'];
  const head = columns.map((title) => `<th>${title}</th>`).join('');
  const lines = rows.flatMap(({ load, offered, points }) =>
    subjects.flatMap((name) => {
      const point = points.find(({ subject }) => subject === name);
      if (!point) return [];
      const label = `${String(load)} % (${formatValue(offered, 'requests/s')}) ${name}`;
      return [`<tr><th>${escape(label)}</th>${cells(point)}</tr>`];
    }),
  );
  return `<table><thead><tr><th></th>${head}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`;
}

function cells({ latency, ratios, cpu, cpuRatio }: LoadPoint): string {
  const percentiles = PERCENTILES.map((percentile) => {
    const value = latency.percentiles[percentile.name];
    const ratio = ratios[SHOWN.indexOf(percentile)];
    if (value === undefined) return '<td></td>';
    const range = ratio ? ` title="${digits(ratio.low)} to ${digits(ratio.high)} of node:net"` : '';
    return `<td${range}>${formatTime(value)}<small>${ratio ? formatRatio(ratio.value) : ''}</small></td>`;
  });
  const range = cpuRatio ? ` title="${digits(cpuRatio.low)} to ${digits(cpuRatio.high)} of node:net"` : '';
  return [
    ...percentiles,
    `<td>${formatTime(latency.histogram.max)}</td>`,
    `<td${range}>${cpu ? formatTime(cpu.median) : ''}<small>${cpuRatio ? formatRatio(cpuRatio.median) : ''}</small></td>`,
  ].join('');
}
