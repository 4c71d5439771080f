/** The doctor's findings as text. */
import type { Diagnosis, Group } from '../doctor/examine.js';
import type { Finding, Level } from '../doctor/finding.js';
import { paint } from './colours.js';

const COLOURS = { ok: 'green', note: 'cyan', warning: 'yellow', problem: 'red' } as const satisfies Record<
  Level,
  string
>;
const MARK_WIDTH = 'problem'.length;
const INDENT = ' '.repeat(MARK_WIDTH + 4);

export function renderDiagnosis({ groups, cause, causeIsUnlogged, worst }: Diagnosis): string {
  const all = groups.flatMap(({ findings }) => findings);
  const count = (level: Level): number => all.filter((finding) => finding.level === level).length;
  const sum = (['problem', 'warning', 'note'] as const).map((level) => plural(count(level), level)).join(', ');
  const doubt = causeIsUnlogged === true ? ' (its log has no such failure: is --user the one that it runs as?)' : '';
  const verdict =
    cause === undefined
      ? []
      : [`${paint(COLOURS.problem, `nginx responds with ${statusFor(cause)}`)}: ${cause.message}${doubt}`];
  return [...groups.map(renderGroup), ...verdict, paint(COLOURS[worst], sum), ''].join('\n');
}

function plural(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Of nginx's response: 504 if it has waited in vain, else 502. */
function statusFor({ nginx = '' }: Finding): string {
  return nginx.startsWith('110:') ? '504' : '502';
}

function renderGroup({ title, findings }: Group): string {
  return `${paint('bold', title)}\n${findings.map(renderFinding).join('')}`;
}

function renderFinding({ level, message, explanation, remedies, nginx }: Finding): string {
  const lines = [`  ${paint(COLOURS[level], level.padEnd(MARK_WIDTH))}  ${message}`];
  if (nginx !== undefined) lines.push(`${INDENT}nginx logs: ${nginx}`);
  if (explanation !== undefined) lines.push(`${INDENT}${explanation}`);
  for (const line of remedies ?? []) lines.push(`${INDENT}${paint('dim', 'fix:')} ${line}`);
  return `${lines.join('\n')}\n`;
}
