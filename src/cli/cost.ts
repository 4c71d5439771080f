/** `nearwire cost`: the layers of a request, and whether the hop is the bottleneck. */
import { Command } from 'commander';

import type { CostResult } from '../../bench/cost/index.js';
import { STACKS } from '../../bench/cost/stacks/index.js';
import { limitsCommand } from './cost-limits.js';
import { choiceOf, type CostWords } from './cost-words.js';
import { measure, type ReportFiles, type Reports } from './measuring.js';

const MORE_HELP = `
All processes of a server share one processor with the load generator, so that the time a request takes is the work of
all of them. Linux only. Takes three minutes, and tells its first verdict after one.

Without --stack: nginx before Node and, where it is installed, before uWSGI.
Stacks: ${STACKS.map(({ name }) => name).join(', ')}.

Servers that are not installed are told with the line that installs them. Everything listens on the loopback only, in
folders and processes of its own, and is gone at the end, however that comes.

Exit codes: 0 all was measured, 1 a stack failed or nothing can be measured, 2 a wrong command line; 130, 143 or 129
when ended by a signal, with what had been measured by then.`;

export function costCommand(): Command {
  return new Command('cost')
    .description('measure how much of a request the hop between web server and app server is, with real servers')
    .option('--stack <a,b>', 'the first of these in layers, and the others against it')
    .option('--app <file.js>', 'with your own Node application: a module that exports a request listener')
    .option('--wsgi <file:callable>', 'with your own WSGI application, behind uWSGI or Apache')
    .option('--path <path>', 'what is asked of it (default /)')
    .option('--app-ms <n>', 'with an application that takes so many milliseconds, as in 2.5')
    .option('--page', 'with a wiki page, rendered by Python')
    .option('--bytes <n>', 'with answers of so many bytes (default 12) and no application')
    .option('--json <file>', 'write all figures to a file; - writes them to stdout, in place of the text')
    .option('--html <file>', 'write a page with a plot')
    .addHelpText('after', MORE_HELP)
    .action(cost)
    .addCommand(limitsCommand());
}

async function cost(words: CostWords & ReportFiles): Promise<void> {
  const choice = choiceOf(words);
  // Loaded here: a slip of the finger is told without it.
  const { measureCost } = await import('../../bench/cost/index.js');
  await measure(words, (control) => measureCost({ ...choice, ...control }), REPORTS);
}

const REPORTS: Reports<CostResult> = {
  text: async (result) => (await import('../../bench/cost/verdict-text.js')).renderCost(result),
  html: async (result) => (await import('../../bench/cost/verdict-page.js')).verdictPageOf(result),
  json: async (result) => (await import('../../bench/cost/index.js')).costJsonOf(result),
};
