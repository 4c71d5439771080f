/** `nearwire bench`: reads the command line, shows progress, writes the reports. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { SingleBar } from 'cli-progress';
import { Command } from 'commander';

import { CASES } from '../../bench/cases/index.js';
import type { BenchOptions, Progress } from '../../bench/run.js';
import { SUBJECTS } from '../../bench/subjects.js';
import { parseList, parseWhole, UsageError } from './usage.js';

const CASE_NAMES = CASES.map(({ name }) => name);
const SUBJECT_NAMES = SUBJECTS.map(({ name }) => name);
const FAMILY_NAMES = ['unix', 'tcp'] as const;

const MOST_ROUNDS = 1000;
const FAILED_EXIT = 1;
/** As a shell tells of a program that a signal ended: 128 and its number. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
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
  for (const [option, file] of Object.entries({ '--json': words.json, '--html': words.html })) {
    if (file !== undefined) checkWritable(option, file);
  }
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

/** Before minutes are spent on what could not be kept. */
function checkWritable(option: string, file: string): void {
  const folder = dirname(resolve(file));
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`${option} ${file}: is a directory`);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${option} ${file}: cannot write into ${folder}`);
  }
}

/** A signal ends the run in order, with what has been measured; more of them change nothing, as that takes no time. */
function abortOnSignals(abort: AbortController): () => void {
  const undo: (() => void)[] = [];
  for (const [signal, exitCode] of Object.entries(SIGNAL_EXITS)) {
    const listener = (): void => {
      process.exitCode = exitCode;
      abort.abort(new Error(`ended by ${signal}`));
    };
    process.on(signal, listener);
    undo.push(() => process.off(signal, listener));
  }
  return () => {
    undo.forEach((remove) => {
      remove();
    });
  };
}

function whoDoes(cases: readonly string[]): string {
  return cases
    .map((name) => {
      const able = SUBJECTS.filter((subject) => subject.cases.includes(name));
      return `${name} is for ${able.map((subject) => subject.name).join(', ')}`;
    })
    .join('; ');
}

interface Display {
  onProgress(progress: Progress): void;
  onWarning(warning: string): void;
  stop(): void;
}

function progressDisplay(): Display {
  const onWarning = (warning: string): void => {
    process.stderr.write(`note: ${warning}\n`);
  };
  if (!process.stderr.isTTY) return { ...lineDisplay(), onWarning };
  const bar = new SingleBar({
    format: '{bar} {percentage} %  round {round} of {rounds}  {left}  {label}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  });
  let shown = false;
  return {
    onProgress({ done, total, round, rounds, label, remainingSeconds }) {
      const words = { round, rounds, label, left: `${String(Math.ceil(remainingSeconds))} s left` };
      if (shown) bar.update(done, words);
      else bar.start(total, done, words);
      shown = true;
    },
    onWarning,
    stop() {
      bar.stop();
    },
  };
}

/** A line a round. */
function lineDisplay(): Pick<Display, 'onProgress' | 'stop'> {
  let last = 0;
  return {
    onProgress({ done, total, round, rounds }) {
      if (round === last) return;
      last = round;
      process.stderr.write(
        `round ${String(round)} of ${String(rounds)}: ${String(done)} of ${String(total)} cells are done\n`,
      );
    },
    stop() {
      // Lines stand.
    },
  };
}
