/** The report on a terminal: the answers, then the rows and the layers that they rest on, then what broke and what is missing. */
import { isatty } from 'node:tty';

import picocolors from 'picocolors';

import { formatSeconds } from '../format.js';
import { arrange, notesOf, settingsOf } from './arrange.js';
import type { CostResult, Overload } from './model.js';
import { curveTable, layerTables, rowTables, systemCallTable, tableLegend } from './report-tables.js';
import { wrap } from './wrap.js';

// Plain text in a file or a pipe, whatever the environment says of colours.
const pc = picocolors.createColors(isatty(1) && process.stdout.hasColors());

/** Longer lines of prose are hard to read. */
const LONGEST_LINE = 100;

export function renderCost(result: CostResult, columns: number): string {
  const width = Math.min(columns, LONGEST_LINE);
  const languages = arrange(result);
  const parts = [
    heading(result, width),
    answers(result, width),
    ...languages.flatMap((language) => [...rowTables(language, columns, pc), ...layerTables(language, columns, pc)]),
    languages.length > 0 ? tableLegend(width, pc) : '',
    systemCallTable(result, columns, width, pc),
    curveTable(result, columns, width, pc),
    ...result.overloads.map((overload) => overloadText(overload, width)),
    missing(result, width),
    notesOf(result)
      .map((note) => colourOf(note)(wrap(note, width, '  ')))
      .join('\n'),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function colourOf(note: string): (text: string) => string {
  return note.startsWith('failed: ') ? pc.red : pc.yellow;
}

function heading({ host, versions, seconds, quick, interrupted }: CostResult, width: number): string {
  const words = [
    `${host.cpu}, ${String(host.cores)} cores, ${host.kernel}, Node ${versions.node}, nearwire ${versions.nearwire};`,
    formatSeconds(seconds) + (quick ? ', a first look' : '') + (interrupted === true ? ', interrupted' : ''),
  ];
  return wrap(words.join(' '), width);
}

function answers({ answers: all }: CostResult, width: number): string {
  return all
    .map(({ question, text }) => `${pc.bold(wrap(question, width))}\n${wrap(text, width, '  ', '  ')}`)
    .join('\n\n');
}

function overloadText(overload: Overload, width: number): string {
  const { title, drive, at, depth, error, notDriven } = overload;
  const line = (name: string, text: string): string => wrap(text, width, ' '.repeat(13), `  ${name.padEnd(11)}`);
  const value = (number: number): string => number.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return [
    pc.bold(wrap(title, width)),
    notDriven === undefined ? line('driven', drive) : line('not driven', `${notDriven} (it would be: ${drive})`),
    line(notDriven === undefined ? 'broke at' : 'computed', `${value(at.value)} ${at.unit}`),
    ...(depth ? [line('filled', `${value(depth.value)} of ${value(depth.limit)} ${depth.unit}`)] : []),
    line('error', error),
    ...settingsOf(overload).map((setting, index) => line(index === 0 ? 'setting' : '', setting)),
  ].join('\n');
}

function missing({ missing: all }: CostResult, width: number): string {
  if (all.length === 0) return '';
  const lines = all.map(({ title, reason }) => wrap(`${title}: ${reason}`, width, '    ', '  '));
  return [pc.bold('Not measured'), ...lines].join('\n');
}
