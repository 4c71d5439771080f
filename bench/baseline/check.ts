/**
 * `npm run bench:check`: runs the bench and compares with bench/baseline.json. On a machine that is recorded, what seems worse
 * is measured once more, in more rounds, and counts if it is worse there too.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { JsonResult } from '../json.js';
import type { Mode } from '../model.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { compare, isRecordedMachine, roomFor, type Comparison } from './compare.js';
import { modeOf, type Baseline, type RecordedMode } from './model.js';
import { record } from './record.js';
import { describeRatio, renderComparison } from './table.js';

const USAGE = `usage: npm run bench:check -- [--full] [--cases A,B] [--json FILE] [--html FILE]   run and compare
       npm run bench:check -- RESULT.json                                            compare what there is
       npm run bench:check -- --record RESULT.json...                                record`;
const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const DEFAULT_BASELINE = join(PACKAGE_ROOT, 'bench', 'baseline.json');
const ROUNDS_AGAIN = 7;
const BLIND = 2;
const WORSE_EXIT = 1;
const USAGE_EXIT = 2;

class UsageError extends Error {}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        full: { type: 'boolean', default: false },
        record: { type: 'boolean', default: false },
        cases: { type: 'string' },
        json: { type: 'string' },
        html: { type: 'string' },
        /** For tests: another file than bench/baseline.json. */
        baseline: { type: 'string', default: DEFAULT_BASELINE },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function main(): number {
  const { values, positionals } = parse(process.argv.slice(2));
  if (values.record) {
    recordResults(positionals, values.baseline);
    return 0;
  }
  const baseline = readBaseline(values.baseline);
  const [file, ...more] = positionals;
  if (more.length > 0) throw new UsageError('one result is compared at a time');
  const folder = mkdtempSync(join(tmpdir(), 'nearwire-check-'));
  try {
    const mode = values.full ? 'default' : 'quick';
    // Before minutes are spent on what there is nothing to compare with.
    if (file === undefined) recordedOf(baseline, mode);
    const words = (['cases', 'html'] as const).flatMap((name) => (values[name] ? [`--${name}`, values[name]] : []));
    const json = values.json ?? join(folder, 'result.json');
    const result = file === undefined ? runBench(mode, words, json) : readResult(file);
    const { runs } = recordedOf(baseline, modeOf(result));
    const judged = isRecordedMachine(result, runs);
    const first = comparisonsOf(result, baseline, values.cases?.split(','));
    const suspects = first.filter(({ verdict }) => verdict === 'worse');
    if (file !== undefined || !judged || suspects.length === 0) return report(first, judged);
    process.stdout.write(`${renderComparison(first)}\nmeasured again:\n\n`);
    return report(secondLook(first, suspects, mode, baseline, join(folder, 'again.json')), true);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function recordResults(files: readonly string[], to: string): void {
  if (files.length === 0) throw new UsageError('--record needs results');
  const before = existsSync(to) ? readBaseline(to) : undefined;
  let baseline: Baseline;
  try {
    baseline = record(files.map(readResult), before);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
  writeFileSync(to, `${JSON.stringify(baseline, null, 1)}\n`);
  // A machine that was disturbed is recorded as restless, and then nothing much is ever found.
  const ratios = Object.values(baseline.modes).flatMap((mode) => mode.ratios);
  const blind = ratios.filter((ratio) => roomFor(ratio) > BLIND);
  for (const ratio of blind) console.error(`note: ${describeRatio(ratio)} has to double before it is found worse`);
  console.log(`${String(ratios.length)} ratios recorded, ${String(blind.length)} of them blind`);
}

/** The suspects as a run of their own shows them, beside all others as they are. */
function secondLook(
  first: readonly Comparison[],
  suspects: readonly Comparison[],
  mode: Mode,
  baseline: Baseline,
  json: string,
): Comparison[] {
  const names = (all: readonly string[]): string => [...new Set(all)].join(',');
  const cases = names(suspects.map(({ recorded }) => recorded.case));
  const subjects = names([...suspects.map(({ recorded }) => recorded.subject), 'node:net']);
  const words = ['--cases', cases, '--subjects', subjects, '--rounds', String(ROUNDS_AGAIN)];
  const again = comparisonsOf(runBench(mode, words, json), baseline, cases.split(','));
  const second = new Map(again.map((entry) => [entry.recorded, entry]));
  return first.flatMap((entry) => {
    if (!suspects.includes(entry)) return [entry];
    // Not there: the load generator was the limit this time.
    return second.get(entry.recorded) ?? [];
  });
}

function runBench(mode: Mode, words: readonly string[], json: string): JsonResult {
  const all = [CLI, 'bench', ...(mode === 'quick' ? ['--quick'] : []), ...words, '--json', json];
  const { status, signal } = spawnSync(process.execPath, all, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`the bench ended with ${String(status ?? signal)}`);
  return readResult(json);
}

function comparisonsOf(result: JsonResult, baseline: Baseline, cases: readonly string[] | undefined): Comparison[] {
  const comparisons = compare(result, recordedOf(baseline, modeOf(result)), cases);
  if (comparisons.length === 0) throw new UsageError('nothing of this is recorded');
  return comparisons;
}

function recordedOf(baseline: Baseline, mode: Mode): RecordedMode {
  const recorded = baseline.modes[mode];
  if (!recorded) throw new UsageError(`no ${mode} run is recorded: --record the results of some`);
  return recorded;
}

/**
 * `judged`: on a machine that is recorded. Ratios differ from one processor to the other by more than a slip makes: elsewhere
 * instructions are what tells.
 */
function report(comparisons: readonly Comparison[], judged: boolean): number {
  process.stdout.write(renderComparison(comparisons));
  if (!judged) {
    console.log('told, not judged: recorded on another machine (npm run bench:instructions judges on any)');
    return 0;
  }
  return comparisons.some(({ verdict }) => verdict === 'worse' || verdict === 'missing') ? WORSE_EXIT : 0;
}

function readResult(file: string): JsonResult {
  return readSchema1(file) as JsonResult;
}

function readBaseline(file: string): Baseline {
  return readSchema1(file) as Baseline;
}

function readSchema1(file: string): unknown {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof content === 'object' && content !== null && 'schema' in content && content.schema === 1) return content;
  throw new UsageError(`${file}: no file of ours`);
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`error: ${error.message}\n${USAGE}`);
  process.exitCode = USAGE_EXIT;
}
