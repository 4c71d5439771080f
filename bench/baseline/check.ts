/**
 * `npm run bench:check`: runs the bench and compares with bench/baseline.json. What seems worse is measured once more, in
 * more rounds, and counts if it is worse there too.
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
import { formatRatio } from '../format.js';
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
/** What is recorded of a machine at rest shows half of this. */
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
    if (positionals.length === 0) throw new UsageError('--record needs results');
    const before = existsSync(values.baseline) ? readBaseline(values.baseline) : undefined;
    const baseline = record(positionals.map(readResult), before);
    writeFileSync(values.baseline, `${JSON.stringify(baseline, null, 1)}\n`);
    tellBlind(baseline);
    return 0;
  }
  const baseline = readBaseline(values.baseline);
  const cases = values.cases?.split(',');
  const [file, ...more] = positionals;
  if (more.length > 0) throw new UsageError('one result is compared at a time');
  if (file !== undefined) return report(comparisonsOf(readResult(file), baseline, cases));
  const folder = mkdtempSync(join(tmpdir(), 'nearwire-check-'));
  try {
    const mode = values.full ? 'default' : 'quick';
    // Before minutes are spent on what there is nothing to compare with.
    recordedOf(baseline, mode);
    const json = values.json ?? join(folder, 'result.json');
    const html = values.html === undefined ? [] : ['--html', values.html];
    const chosen = values.cases === undefined ? [] : ['--cases', values.cases];
    const result = runBench(mode, [...chosen, ...html], json);
    const first = comparisonsOf(result, baseline, cases);
    const suspects = first.filter(({ verdict }) => verdict === 'worse');
    if (suspects.length === 0) return report(first);
    process.stdout.write(`${renderComparison(first)}\nmeasured again:\n\n`);
    return report(secondLook(first, suspects, mode, baseline, join(folder, 'again.json')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A machine that was disturbed is recorded as restless, and then nothing much is ever found. */
function tellBlind({ modes }: Baseline): void {
  for (const ratio of Object.values(modes).flatMap(({ ratios }) => ratios)) {
    const room = roomFor(ratio, undefined, 0);
    if (room > BLIND) console.error(`note: ${describeRatio(ratio)} is found worse from ${formatRatio(room)} on only`);
  }
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
  const recorded = recordedOf(baseline, modeOf(result));
  if (!isRecordedMachine(result, recorded.runs)) {
    console.log(`note: nothing was recorded on ${result.host.cpu}, which leaves more room to each ratio`);
  }
  const comparisons = compare(result, recorded, cases);
  if (comparisons.length === 0) throw new UsageError('nothing of this is recorded');
  return comparisons;
}

function recordedOf(baseline: Baseline, mode: Mode): RecordedMode {
  const recorded = baseline.modes[mode];
  if (!recorded) throw new UsageError(`no ${mode} run is recorded: --record the results of some`);
  return recorded;
}

function report(comparisons: readonly Comparison[]): number {
  process.stdout.write(renderComparison(comparisons));
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
