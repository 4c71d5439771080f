/** A listener's report as text, for a single run and for each screen of the live view. */
import type { ListenerReport, ReportedConnection } from '../inspection/report.js';
import type { ProcessInfo } from '../inspection/processes.js';
import { paint } from './colours.js';

/** Connections listed unless all are requested: a screenful of the busiest. */
const LISTED = 20;

/** Names come from other users' processes and files: they must not be able to control the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => `\\x${character.codePointAt(0)?.toString(16) ?? ''}`);
}

export function printableName(name: string): string {
  return printable(name.startsWith('\0') ? `@${name.slice(1).replace(/\0+$/, '')}` : name);
}

function processText(processes: readonly ProcessInfo[]): string {
  return processes.map(({ pid, name }) => `${printable(name)}[${String(pid)}]`).join(', ');
}

const number = new Intl.NumberFormat('en-US');

export function countText(count: number | undefined): string {
  return count === undefined ? '?' : number.format(count);
}

export function reportText(report: ListenerReport, { all = false, rows = LISTED } = {}): string {
  const lines = [
    paint('bold', printableName(report.name)),
    ...headLines(report),
    ...connectionLines(report, all ? Infinity : rows),
  ];
  return `${lines.join('\n')}\n`;
}

function line(label: string, text: string): string {
  return `  ${paint('dim', label.padEnd(12))} ${text}`;
}

export function headLines(report: ListenerReport): string[] {
  const { file, boundAs, name } = report;
  const lines = [line('owner', ownerText(report))];
  if (file !== undefined) {
    const { mode, user, group, path } = file;
    const leads = path === name ? '' : `  ${printable(path)}`;
    lines.unshift(line('file', `${mode} ${printable(user)}:${printable(group)}${leads}`));
  }
  if (boundAs !== undefined && boundAs !== name && !name.startsWith('\0')) {
    lines.push(line('bound as', printable(boundAs)));
  }
  lines.push(line('queue', queueText(report)));
  return lines;
}

function ownerText({ owners, hiddenProcesses }: ListenerReport): string {
  if (owners === undefined) return 'not reported by this system';
  const hidden = `${countText(hiddenProcesses)} processes of other users cannot be examined`;
  if (owners.length > 0) return processText(owners);
  return hiddenProcesses > 0 ? `not visible: ${hidden}` : 'no visible process (another pid namespace?)';
}

function queueText({ queue, queueUnknown }: ListenerReport): string {
  if (queue === undefined) return `unknown: ${printable(queueUnknown ?? '')}`;
  const { queued, backlog, highWater, full } = queue;
  const text = `${countText(queued)} waiting, backlog ${countText(backlog)}, high water ${countText(highWater)}`;
  return full ? paint('red', `${text}, FULL`) : text;
}

function sum(connections: readonly ReportedConnection[], key: 'toServer' | 'toClient'): number {
  return connections.reduce((total, connection) => total + (connection[key] ?? 0), 0);
}

export function totalsOf({ connections }: ListenerReport): { toServer: number; toClient: number } {
  return { toServer: sum(connections, 'toServer'), toClient: sum(connections, 'toClient') };
}

/** Identical connections share a row. */
interface Row {
  client: string;
  connections: number;
  toServer: number | undefined;
  toClient: number | undefined;
}

function waitingRows({ waiting = [] }: ListenerReport): Row[] {
  return waiting.map(({ client, connections }) => ({
    client: `${clientText(client)}, queued`,
    connections,
    toServer: undefined,
    toClient: undefined,
  }));
}

function connectionRows({ connections }: ListenerReport): Row[] {
  const idle = new Map<string, Row>();
  const busy: Row[] = [];
  for (const { client: processes, toServer, toClient } of connections) {
    const client = clientText(processes);
    const key = `${client} ${String(toServer)} ${String(toClient)}`;
    const row = (toServer ?? 0) + (toClient ?? 0) > 0 ? undefined : idle.get(key);
    if (row !== undefined) row.connections++;
    else {
      const made = { client, connections: 1, toServer, toClient };
      if ((toServer ?? 0) + (toClient ?? 0) > 0) busy.push(made);
      else idle.set(key, made);
    }
  }
  busy.sort((a, b) => (b.toServer ?? 0) + (b.toClient ?? 0) - (a.toServer ?? 0) - (a.toClient ?? 0));
  return [...busy, ...idle.values()];
}

function clientText(processes: readonly ProcessInfo[]): string {
  return processes.length === 0 ? '?' : processText(processes);
}

export function connectionLines(report: ListenerReport, rows: number): string[] {
  const { toServer, toClient } = totalsOf(report);
  const { connections } = report;
  const known = report.queue !== undefined;
  const bytes = known ? `, ${countText(toServer)} B for the server, ${countText(toClient)} B for clients` : '';
  const head = line('connections', `${countText(connections.length)}${bytes}`);
  const all = [...connectionRows(report), ...waitingRows(report)];
  if (all.length === 0 || !known) return [head];
  const table = [HEADINGS, ...all.slice(0, rows).map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const lines = table.map((cells, i) => {
    // The first column is left-aligned, numbers right-aligned.
    const padded = cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
    const text = `  ${padded.join('   ')}`;
    return i === 0 ? paint('dim', text) : text;
  });
  const left = all.length - Math.min(rows, all.length);
  const rest = left > 0 ? [paint('dim', `  ... and ${countText(left)} more rows`)] : [];
  return [head, ...lines, ...rest];
}

const HEADINGS = ['client', '', 'for the server', 'for the client'];

function cellsOf({ client, connections, toServer, toClient }: Row): string[] {
  return [client, connections > 1 ? `x ${countText(connections)}` : '', countText(toServer), countText(toClient)];
}
