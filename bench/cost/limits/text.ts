/** Renders the limits on one screen. */
import { Help } from 'commander';

import { formatSeconds } from '../../format.js';
import type { Limit, LimitsResult, Reading } from './model.js';

const MEANING =
  'Limits between nginx and an application, their errors, and the settings that raise them. A figure is the most that ' +
  "succeeded; '>': the limit was not reached.";
const WIDEST = 118;
const INDENT = '   ';
const FIGURE_WIDTH = 11;
const LONG_WAIT_MS = 1000;

export function renderLimits(result: LimitsResult, columns: number): string {
  const { host, versions, nginx, limits, failures, interrupted, seconds } = result;
  const width = Math.min(columns, WIDEST);
  return [
    new Help().boxWrap(
      `${MEANING} ${host.kernel}, Node ${versions.node}, nginx ${nginx}; ${formatSeconds(seconds)}.`,
      width,
    ),
    ...limits.map((limit, index) => renderLimit(limit, index + 1, width)),
    ...failures.map((failure) => `failed: ${failure}`),
    ...(interrupted ? ['interrupted: the others were not tried'] : []),
    '',
  ].join('\n\n');
}

function renderLimit({ title, drive, unit, readings, watch, notTried }: Limit, number: number, width: number): string {
  const line = (name: string, text: string): string => indented(`${name}: ${text}`, width, '  ');
  const logging = readings.find(({ logged }) => logged !== null);
  const heading = logging === readings[0] ? "nginx's log" : "nginx's log then";
  return [
    `${String(number)}. ${title}`,
    indented(drive, width),
    ...(notTried === undefined ? [] : [line('not tried', notTried)]),
    ...readings.map((reading) => renderReading(reading, unit)),
    ...(logging?.logged == null ? [] : [line(heading, wordsOf(logging.logged))]),
    line('monitor with', watch),
  ].join('\n');
}

/** Wraps prose to a width; `more`: additional indentation of all lines but the first. */
function indented(text: string, width: number, more = ''): string {
  const lines = new Help().boxWrap(text, width - INDENT.length - more.length).split('\n');
  return INDENT + lines.join(`\n${INDENT}${more}`);
}

function renderReading({ setting, gaveOut, driven, statuses = {}, p99 = 0, kept = 0 }: Reading, unit: string): string {
  const figure = gaveOut === null ? `> ${count(driven)}` : count(gaveOut);
  const failed = Object.entries(statuses).filter(([status]) => status !== '200');
  const seen = [
    setting,
    ...failed.map(([status, times]) => `${status} for ${count(times)} of ${count(driven)}`),
    ...(p99 < LONG_WAIT_MS ? [] : [`1 in 100 waits ${(p99 / 1e3).toFixed(1)} s`]),
    ...(kept === 0 ? [] : [`the application keeps ${count(kept)} of ${count(driven)}`]),
  ];
  return `${INDENT}${figure.padStart(FIGURE_WIDTH)} ${unit}  ${seen.join('; ')}`;
}

/** Without the variable parts: date, process, connection, and the request. */
function wordsOf(logged: string): string {
  return logged.replace(/^\S+ \S+ (\[\w+\]) \d+#\d+: (\*\d+ )?/, '$1 ').replace(/, client: .*$/, '');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
