/** The doctor's findings as text. */
import pc from 'picocolors';
import type { Diagnosis, Group } from './examine.js';
import type { Finding, Level } from './finding.js';

const MARKS: Record<Level, (text: string) => string> = {
  ok: pc.green,
  note: pc.cyan,
  warning: pc.yellow,
  problem: pc.red,
};
const MARK_WIDTH = 'problem'.length;
const INDENT = ' '.repeat(MARK_WIDTH + 4);

export function renderDiagnosis({ groups, cause, causeIsUnlogged, worst }: Diagnosis): string {
  const all = groups.flatMap(({ findings }) => findings);
  const count = (level: Level): number => all.filter((finding) => finding.level === level).length;
  const sum = `${String(count('problem'))} problems, ${String(count('warning'))} warnings, ${String(count('note'))} notes`;
  const doubt = causeIsUnlogged === true ? ' (its log has no such failure: is --user the one that it runs as?)' : '';
  const verdict = cause === undefined ? [] : [`${MARKS.problem('nginx answers 502')}: ${cause.what}${doubt}`];
  return [...groups.map(renderGroup), ...verdict, MARKS[worst](sum), ''].join('\n');
}

function renderGroup({ title, findings }: Group): string {
  return `${pc.bold(title)}\n${findings.map(renderFinding).join('')}`;
}

function renderFinding({ level, what, why, fix, nginx }: Finding): string {
  const lines = [`  ${MARKS[level](level.padEnd(MARK_WIDTH))}  ${what}`];
  if (nginx !== undefined) lines.push(`${INDENT}nginx logs: ${nginx}`);
  if (why !== undefined) lines.push(`${INDENT}${why}`);
  for (const line of fix ?? []) lines.push(`${INDENT}${pc.dim('fix:')} ${line}`);
  return `${lines.join('\n')}\n`;
}
