/** `nearwire tune`: reads the command line, shows progress, writes the reports. */
import { writeFileSync } from 'node:fs';

import { Command } from 'commander';

import { SUBJECTS, type BufferChoice } from '../../bench/tune/model.js';
import type { SweepOptions } from '../../bench/tune/sweep.js';
import { checkWritable } from './output-file.js';
import { progressDisplay } from './progress.js';
import { abortOnSignals } from './signals.js';
import { parseByteList, parseList, parseWhole } from './usage.js';

const SUBJECT_NAMES = SUBJECTS.map(({ name }) => name);

const MOST_ROUNDS = 1000;
const FAILED_EXIT = 1;
/** Where stdout is no terminal, nothing wraps. */
const UNLIMITED_COLUMNS = 1000;
const MIB = 1024 * 1024;
/** The server holds a body of each size, and asks for two at a time. */
const LARGEST_RESPONSE = 256 * MIB;
/** Below, Linux gives its own least. */
const SMALLEST_BUFFER = 4096;
const LARGEST_BUFFER = 1024 * MIB;

interface Words {
  readonly buffers?: string;
  readonly sizes?: string;
  readonly subjects?: string;
  readonly rounds?: string;
  readonly tcp?: boolean;
  readonly quick?: boolean;
  readonly json?: string;
  readonly html?: string;
}

export function tuneCommand(): Command {
  return new Command('tune')
    .description('measure which send buffer is worth it for which response on this machine, and how to set it')
    .option('--buffers <a,b>', 'send buffers, as in default,64k,1m; the default is always among them')
    .option('--sizes <a,b>', 'responses, as in 1k,64k,16m')
    .option('--subjects <a,b>', `only these: ${SUBJECT_NAMES.join(', ')}`)
    .option('--rounds <n>', 'rounds to run all of, whatever time they take')
    .option('--tcp', 'over TCP instead of a UNIX socket')
    .option('--quick', 'a first look: fewer sizes and buffers, in under a minute')
    .option('--json <file>', 'write all samples and conclusions to a file')
    .option('--html <file>', 'write a page with heat maps and plots')
    .action(tune);
}

async function tune(words: Words): Promise<void> {
  // Loaded here: the other commands do without it.
  const { runSweep } = await import('../../bench/tune/sweep.js');
  const { NothingToRun } = await import('../../bench/run.js');
  const choice = {
    mode: words.quick === true ? ('quick' as const) : ('default' as const),
    family: words.tcp === true ? ('tcp' as const) : ('unix' as const),
    ...(words.buffers !== undefined && { buffers: parseBuffers(words.buffers) }),
    ...(words.sizes !== undefined && { sizes: parseByteList('--sizes', words.sizes, 1, LARGEST_RESPONSE) }),
    ...(words.subjects !== undefined && { subjects: parseList('subject', words.subjects, SUBJECT_NAMES) }),
    ...(words.rounds !== undefined && { rounds: parseWhole('--rounds', words.rounds, 1, MOST_ROUNDS) }),
  };
  checkWritable({ '--json': words.json, '--html': words.html });
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort);
  const display = progressDisplay();
  const command = ['nearwire', ...process.argv.slice(2)].join(' ');
  const options: SweepOptions = { ...choice, ...display, command, signal: abort.signal };
  try {
    const result = await runSweep(options);
    display.stop();
    await writeReports(result, words);
    if (result.failures.length > 0) process.exitCode ??= FAILED_EXIT;
  } catch (error) {
    display.stop();
    if (!(error instanceof NothingToRun)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = FAILED_EXIT;
  } finally {
    stopListening();
  }
}

function parseBuffers(text: string): BufferChoice[] {
  const words = text.split(',').map((word) => word.trim());
  const sizes = words.filter((word) => word !== 'default');
  const rest = sizes.length === 0 ? [] : parseByteList('--buffers', sizes.join(','), SMALLEST_BUFFER, LARGEST_BUFFER);
  return ['default', ...rest];
}

async function writeReports(
  result: Awaited<ReturnType<typeof import('../../bench/tune/sweep.js').runSweep>>,
  words: Words,
): Promise<void> {
  const { renderSweep } = await import('../../bench/tune/report.js');
  process.stdout.write(renderSweep(result, process.stdout.isTTY ? process.stdout.columns : UNLIMITED_COLUMNS));
  if (words.json !== undefined) {
    const { sweepJsonOf } = await import('../../bench/tune/json.js');
    writeFileSync(words.json, `${JSON.stringify(sweepJsonOf(result), null, 1)}\n`);
  }
  if (words.html !== undefined) {
    const { sweepHtmlOf } = await import('../../bench/tune/html.js');
    writeFileSync(words.html, sweepHtmlOf(result));
  }
}
