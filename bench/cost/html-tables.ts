/** All figures of the page, in tables. */
import { escape } from '../page/parts.js';
import { curveGroups, familyPairs, LAYERS, layerOf, systemCallRows, wholeCpu, type ArrangedRow } from './arrange.js';
import {
  formatCount,
  formatInterval,
  formatRate,
  formatShare,
  formatTime,
  notNegative,
  type Format,
} from './figures.js';
import { isHeld } from './held.js';
import type { CostResult, Figure, Split } from './model.js';

function table(caption: string, head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((name) => `<th scope="col">${escape(name)}</th>`).join('');
  return `<table><caption>${escape(caption)}</caption><thead><tr>${cells}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function rowOf(title: string, cells: readonly string[]): string {
  return `<tr><th scope="row">${escape(title)}</th>${cells.join('')}</tr>`;
}

function figureCell(figure: Figure | undefined, format: Format, more = ''): string {
  if (!figure) return '<td></td>';
  return `<td>${format(figure.median)}${smalls([formatInterval(notNegative(figure), format), more])}</td>`;
}

/** Lines of small print. */
function smalls(lines: readonly string[]): string {
  return lines
    .filter(Boolean)
    .map((line) => `<small>${escape(line)}</small>`)
    .join('');
}

function cpuCell(cpu: ArrangedRow['row']['cpu'], role: 'front' | 'app'): string {
  const found = cpu[role];
  if (!found) return '<td></td>';
  const parts = `user ${formatTime(found.user.median)}, system ${formatTime(found.system.median)}`;
  return figureCell(found.all, formatTime, parts);
}

export function rowTable(rows: readonly ArrangedRow[]): string {
  const head = ['stack', 'requests/s', 'alone', 'p99', 'CPU of the front', 'CPU of the app', "hop's share"];
  return table(
    'Figures a request',
    head,
    rows.map(({ stack, row, time, cpu }) =>
      rowOf(stack.title, [
        figureCell(row.rate, formatRate),
        figureCell(row.latency, formatTime),
        figureCell(row.p99, formatTime),
        cpuCell(row.cpu, 'front'),
        cpuCell(row.cpu, 'app'),
        shareCell(time ?? cpu),
      ]),
    ),
  );
}

function shareCell(split: Split | undefined): string {
  const hop = layerOf(split, 'hop');
  if (!hop) return '<td></td>';
  if (!hop.inNoise) return figureCell(hop.share, formatShare);
  return `<td class="noise">${formatShare(hop.share.median)}<small>inside the noise</small></td>`;
}

/** The layers of the rows, and how each was come by. */
export function layerTable(rows: readonly ArrangedRow[], of: Split['of']): string {
  const split = rows.flatMap((row) => {
    const found = row[of];
    return found ? [{ title: row.stack.title, found }] : [];
  });
  if (split.length === 0) return '';
  const head = ['stack', ...LAYERS.map(({ title }) => title), 'whole', 'put together again'];
  const body = split.map(({ title, found }) =>
    rowOf(title, [
      ...LAYERS.map(({ name }) => layerCell(found, name)),
      figureCell(found.whole, formatTime),
      figureCell(found.crossCheck, formatShare),
    ]),
  );
  const caption = of === 'time' ? 'Layers of a lone request, by time' : 'Layers, by CPU of all processes';
  return `<div class="scroll">${table(caption, head, body)}</div>`;
}

function layerCell(split: Split, name: (typeof LAYERS)[number]['name']): string {
  const layer = layerOf(split, name);
  if (!layer) return '<td></td>';
  const { figure, share, derivation, inNoise } = layer;
  const lines = [
    `${formatShare(share.median)}${inNoise ? ', inside the noise' : ''}`,
    formatInterval(figure, formatTime),
  ];
  return `<td${inNoise ? ' class="noise"' : ''} title="${escape(derivation)}">${formatTime(figure.median)}${smalls(lines)}</td>`;
}

export function systemCallTable(result: CostResult): string {
  const rows = systemCallRows(result).map(({ title, calls, front, app, hop }) =>
    rowOf(title, [callCell(front, calls.front), callCell(app, calls.app), `<td>${formatCount(hop)}</td>`]),
  );
  return table('System calls of a lone request', ['stack', 'front', 'app', 'of the hop'], rows);
}

/** The most frequent first; those of less than one request in twenty are the server's own doing. */
function callCell(sum: number | undefined, calls: Readonly<Record<string, number>> = {}): string {
  const names = Object.entries(calls)
    .filter(([, count]) => count >= 0.05)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${formatCount(count)}`);
  return `<td>${formatCount(sum)}${smalls([names.join(', ')])}</td>`;
}

export function pairTable(result: CostResult): string {
  const head = [
    'stack and work',
    'alone, UNIX',
    'alone, TCP',
    'CPU, UNIX',
    'CPU, TCP',
    'requests/s, UNIX',
    'requests/s, TCP',
  ];
  const rows = familyPairs(result).flatMap(({ title, works }) =>
    works.map(({ work, unix, tcp }) =>
      rowOf(`${title}, ${work.name}`, [
        figureCell(unix.row.latency, formatTime),
        figureCell(tcp.row.latency, formatTime),
        figureCell(wholeCpu(unix.row, unix.cpu), formatTime),
        figureCell(wholeCpu(tcp.row, tcp.cpu), formatTime),
        figureCell(unix.row.rate, formatRate),
        figureCell(tcp.row.rate, formatRate),
      ]),
    ),
  );
  return table('UNIX and TCP', head, rows);
}

export function curveTable(result: CostResult): string {
  const head = ['stack and work', 'offered', 'served', 'p50', 'p99', 'errors', ''];
  const rows = curveGroups(result).flatMap(({ curves }) =>
    curves.flatMap(({ head: stack, work, points }) =>
      points.map((point) => {
        const { offered, served, p50, p99, errors } = point;
        const held = isHeld(point);
        const cells = [formatRate(offered), formatRate(served), formatTime(p50), formatTime(p99), String(errors)];
        return rowOf(`${stack.title}, ${work}`, [
          ...cells.map((cell) => `<td>${cell}</td>`),
          `<td class="${held ? 'good' : 'bad'}">${held ? 'holds' : 'does not hold'}</td>`,
        ]);
      }),
    ),
  );
  return table('Rising rates', head, rows);
}
