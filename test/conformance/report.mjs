/** What a run came to: counts, and the names that differ from the baseline. */
import { readFileSync } from 'node:fs';

/**
 * The names that may fail in this mode on this version of node, with the reason. An entry of exclusions.json holds for
 * the modes it names, and for all versions unless it has `nodes`, a list of major versions.
 */
export function readExclusions(mode, version) {
  const entries = JSON.parse(readFileSync(new URL('./exclusions.json', import.meta.url), 'utf8'));
  const major = Number.parseInt(version.slice(1), 10);
  const holds = ({ modes, nodes }) => modes.includes(mode) && (nodes === undefined || nodes.includes(major));
  return new Map(entries.filter(holds).map(({ name, reason }) => [name, reason]));
}

/**
 * Compares results with those of the baseline. What does not pass there is out. `unexpected` are failures that no
 * exclusion names, `needless` exclusions that pass. Without a baseline every failure is named, none is unexpected.
 */
export function judge(results, before, exclusions) {
  const names = Object.keys(results);
  const counted = before === undefined ? names : names.filter((name) => before[name]?.outcome === 'pass');
  const passes = counted.filter((name) => results[name].outcome === 'pass');
  const failures = counted.filter((name) => results[name].outcome !== 'pass');
  const isExcluded = (name) => exclusions.has(name);
  return {
    files: names.length,
    counted: counted.length,
    passes: passes.length,
    excluded: failures.filter(isExcluded).map((name) => `${name}: ${exclusions.get(name)}`),
    unexpected: before === undefined ? [] : failures.filter((name) => !isExcluded(name)).map(nameOutcome),
    needless: passes.filter(isExcluded),
    out: (before === undefined ? failures : names.filter((name) => !counted.includes(name))).map((name) =>
      before === undefined ? nameOutcome(name) : `${name}: ${before[name]?.outcome ?? 'not run'}`,
    ),
    native: counted.filter((name) => results[name].native.length > 0).length,
  };

  function nameOutcome(name) {
    return `${name}: ${results[name].outcome}`;
  }
}

function list(title, names) {
  return names.length === 0 ? '' : `${title}: ${names.length}\n${names.map((name) => `  ${name}\n`).join('')}`;
}

export function print(verdict, { version, mode }) {
  const { files, counted, passes, native } = verdict;
  process.stdout.write(
    list('out, as they do not pass on the baseline', verdict.out) +
      list('excluded', verdict.excluded) +
      list('excluded, but they pass', verdict.needless) +
      list('UNEXPECTED FAILURES', verdict.unexpected) +
      `node ${version}, ${mode}: ${passes} of ${counted} pass (${files} files); native sockets in ${native}\n`,
  );
}
