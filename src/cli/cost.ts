/** `nearwire cost`: reads the command line, shows progress, writes the reports. */
import { writeFileSync } from 'node:fs';

import { Command, Option } from 'commander';

import type { CostOptions, CostResult } from '../../bench/cost/model.js';
import { QUICK_STACKS } from '../../bench/cost/quick.js';
import { STACKS } from '../../bench/cost/stacks/index.js';
import { WORKS } from '../../bench/cost/works.js';
import { choiceOf, type CostWords } from './cost-words.js';
import { checkWritable } from './output-file.js';
import { progressDisplay } from './progress.js';
import { abortOnSignals } from './signals.js';

const FAILED_EXIT = 1;
/** Where stdout is no terminal, nothing wraps. */
const UNLIMITED_COLUMNS = 1000;

interface Words extends CostWords {
  readonly json?: string;
  readonly html?: string;
}

const MORE_HELP = `
Stacks: ${STACKS.map(({ name }) => name).join(', ')}.
With --quick: ${QUICK_STACKS.map(({ name }) => name).join(', ')}.
Works: ${WORKS.map(({ name, title }) => `${name} (${title})`).join(', ')}.

Servers that are not installed are told with the line that installs them. Everything listens on the loopback only, in
folders and processes of its own, and is gone at the end, however that comes.

Exit codes: 0 all was measured, 1 a stack failed or nothing can be measured, 2 a wrong command line; 130, 143 or 129
when ended by a signal, with what had been measured by then.`;

export function costCommand(): Command {
  return new Command('cost')
    .description('measure what the hop between web server and application costs, with real servers on this host')
    .option('--stack <a,b>', 'only these stacks')
    .option('--work <a,b>', 'only these works')
    .option('--app-ms <n>', 'answer for an application that takes so many milliseconds, as in 2.5')
    .option('--wsgi <file:callable>', 'measure your own WSGI application too, behind uWSGI and Apache')
    .option('--app <file.js>', 'measure your own Node application too: a module that exports a request listener')
    .option('--path <path>', 'what is asked of it (default /)')
    .option('--rounds <n>', 'rounds to run all of, whatever time they take')
    .option('--quick', "a first look, in under a minute: node:http and nearwire behind nearwire's own small proxy")
    .addOption(
      new Option('--overload', 'drive queues, ports and buffers to their limits (default, if all is measured)'),
    )
    .option('--no-overload', 'leave that out')
    .option('--json <file>', 'write all figures to a file')
    .option('--html <file>', 'write a page with plots')
    .addHelpText('after', MORE_HELP)
    .action(cost);
}

async function cost(words: Words): Promise<void> {
  // Loaded here: a slip of the finger is told without them.
  const { runCost } = await import('../../bench/cost/run.js');
  const { NothingToRun } = await import('../../bench/run.js');
  const choice = choiceOf(words);
  checkWritable({ '--json': words.json, '--html': words.html });
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort);
  const display = progressDisplay();
  const command = ['nearwire', ...process.argv.slice(2)].join(' ');
  const options: CostOptions = { ...choice, ...display, command, signal: abort.signal };
  try {
    const result = await runCost(options);
    display.stop();
    await writeReports(result, words);
    if ((result.failures ?? []).length > 0) process.exitCode ??= FAILED_EXIT;
  } catch (error) {
    display.stop();
    // Ended before anything was measured; the exit code tells by what.
    if (abort.signal.aborted && error === abort.signal.reason) return;
    if (!(error instanceof NothingToRun)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = FAILED_EXIT;
  } finally {
    stopListening();
  }
}

async function writeReports(result: CostResult, words: Words): Promise<void> {
  const { renderCost } = await import('../../bench/cost/report.js');
  process.stdout.write(renderCost(result, process.stdout.isTTY ? process.stdout.columns : UNLIMITED_COLUMNS));
  if (words.json !== undefined) {
    const { costJsonOf } = await import('../../bench/cost/json.js');
    writeFileSync(words.json, `${JSON.stringify(costJsonOf(result), null, 1)}\n`);
  }
  if (words.html !== undefined) {
    const { costHtmlOf } = await import('../../bench/cost/html.js');
    writeFileSync(words.html, costHtmlOf(result));
  }
}
