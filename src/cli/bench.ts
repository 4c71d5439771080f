/** `nearwire bench`: reads the command line, shows progress, writes the reports. */
import { writeFileSync } from 'node:fs';

import { Command } from 'commander';

import { CASES } from '../../bench/cases/index.js';
import type { BenchOptions } from '../../bench/run.js';
import { SUBJECTS } from '../../bench/subjects.js';
import { checkWritable } from './output-file.js';
import { progressDisplay } from './progress.js';
import { abortOnSignals } from './signals.js';
import { parseList, parseWhole, UsageError } from './usage.js';

const CASE_NAMES = CASES.map(({ name }) => name);
const SUBJECT_NAMES = SUBJECTS.map(({ name }) => name);
const FAMILY_NAMES = ['unix', 'tcp'] as const;

const MOST_ROUNDS = 1000;
const FAILED_EXIT = 1;
/** Where stdout is no terminal, nothing wraps. */
const UNLIMITED_COLUMNS = 1000;

interface Words {
  readonly cases?: string;
  readonly subjects?: string;
  readonly families?: string;
  readonly rounds?: string;
  readonly quick?: boolean;
  readonly json?: string;
  readonly html?: string;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure the native path against node:net and plain C on this machine')
    .option('--cases <a,b>', `only these cases: ${CASE_NAMES.join(', ')}`)
    .option('--subjects <a,b>', `only these subjects: ${SUBJECT_NAMES.join(', ')}`)
    .option('--families <a,b>', `only over these: ${FAMILY_NAMES.join(', ')}`)
    .option('--rounds <n>', 'rounds to run all of, whatever time they take')
    .option('--quick', 'a first look: fewer cells and shorter ones, in under two minutes')
    .option('--json <file>', 'write all samples and ratios to a file')
    .option('--html <file>', 'write a page with plots')
    .action(bench);
}

async function bench(words: Words): Promise<void> {
  // Loaded here: the other commands do without it.
  const { runBench, NothingToRun } = await import('../../bench/run.js');
  const choice = {
    mode: words.quick === true ? ('quick' as const) : ('default' as const),
    ...(words.cases !== undefined && { cases: parseList('case', words.cases, CASE_NAMES) }),
    ...(words.subjects !== undefined && { subjects: parseList('subject', words.subjects, SUBJECT_NAMES) }),
    ...(words.families !== undefined && { families: parseList('family', words.families, FAMILY_NAMES) }),
    ...(words.rounds !== undefined && { rounds: parseWhole('--rounds', words.rounds, 1, MOST_ROUNDS) }),
  };
  checkWritable({ '--json': words.json, '--html': words.html });
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort);
  const display = progressDisplay();
  const command = ['nearwire', ...process.argv.slice(2)].join(' ');
  const options: BenchOptions = { ...choice, ...display, command, signal: abort.signal };
  try {
    const result = await runBench(options);
    display.stop();
    await writeReports(result, words);
    if (result.failures.length > 0) process.exitCode ??= FAILED_EXIT;
  } catch (error) {
    display.stop();
    if (!(error instanceof NothingToRun)) throw error;
    if (error.missing.length === 0)
      throw new UsageError(`these subjects can't do these cases: ${whoDoes(choice.cases ?? CASE_NAMES)}`);
    console.error(`error: ${error.message}`);
    process.exitCode = FAILED_EXIT;
  } finally {
    stopListening();
  }
}

async function writeReports(
  result: Awaited<ReturnType<typeof import('../../bench/run.js').runBench>>,
  words: Words,
): Promise<void> {
  const { renderReport } = await import('../../bench/report.js');
  process.stdout.write(renderReport(result, process.stdout.isTTY ? process.stdout.columns : UNLIMITED_COLUMNS));
  if (words.json !== undefined) {
    const { jsonOf } = await import('../../bench/json.js');
    writeFileSync(words.json, `${JSON.stringify(jsonOf(result), null, 1)}\n`);
  }
  if (words.html !== undefined) {
    const { htmlOf } = await import('../../bench/html.js');
    writeFileSync(words.html, htmlOf(result));
  }
}

function whoDoes(cases: readonly string[]): string {
  return cases
    .map((name) => {
      const able = SUBJECTS.filter((subject) => subject.cases.includes(name));
      return `${name} is for ${able.map((subject) => subject.name).join(', ')}`;
    })
    .join('; ');
}
