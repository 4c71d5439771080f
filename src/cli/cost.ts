/** `nearwire cost`: reads the command line, shows progress, writes the reports. */
import { Command, Option } from 'commander';

import type { CostResult } from '../../bench/cost/model.js';
import { QUICK_STACKS } from '../../bench/cost/quick.js';
import { STACKS } from '../../bench/cost/stacks/index.js';
import { WORKS } from '../../bench/cost/works.js';
import { choiceOf, type CostWords } from './cost-words.js';
import { verdictCommand } from './cost-verdict.js';
import { measure, type ReportFiles, type Reports } from './measuring.js';

type Words = CostWords & ReportFiles;

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
    .action(cost)
    .addCommand(verdictCommand());
}

async function cost(words: Words): Promise<void> {
  // Loaded here: a slip of the finger is told without them.
  const { runCost } = await import('../../bench/cost/run.js');
  const choice = choiceOf(words);
  await measure(words, (control) => runCost({ ...choice, ...control }), REPORTS);
}

const REPORTS: Reports<CostResult> = {
  text: async (result, columns) => (await import('../../bench/cost/report.js')).renderCost(result, columns),
  json: async (result) => (await import('../../bench/cost/json.js')).costJsonOf(result),
  html: async (result) => (await import('../../bench/cost/html.js')).costHtmlOf(result),
};
