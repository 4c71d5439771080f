/** `nearwire cost`: the layers of a request, and whether the hop is the bottleneck. */
import { Command, Option } from 'commander';

import type { CostResult } from '../cost/index.js';
import { STACKS } from '../cost/stacks/index.js';
import { limitsCommand } from './cost-limits.js';
import { choiceOf, type CostWords } from './cost-words.js';
import { addReportOptions, measure, type ReportFiles, type Reports } from './measuring.js';

const MORE_HELP = `
All processes of a server share one processor with the load generator, so that the time per request is the CPU time of
all of them. Linux only. Takes three minutes; the first verdict is shown after one.

Without --stacks: nginx in front of Node and, if it is installed, of uWSGI.
Stacks: ${STACKS.map(({ name }) => name).join(', ')}.

For missing servers, the command that installs them is printed. Everything listens on the loopback only, in its own
folders and processes, and is removed at the end, even after a crash.

Exit codes: 0 everything was measured; 1 a stack failed; 2 invalid arguments; 3 nothing can be measured; 130, 143 or 129
when ended by a signal, with the results until then.`;

export function costCommand(): Command {
  const command = new Command('cost')
    .description(
      'measure the share of a request that the hop between web server and app server takes, with real servers',
    )
    .option('--stacks <a,b>', 'split the first of these into layers, and compare the others with it')
    // The former name of this option.
    .addOption(new Option('--stack <a,b>').hideHelp())
    .option('--app <file.js>', 'with your own Node application: a module that exports a request listener')
    .option('--wsgi <file:callable>', 'with your own WSGI application, behind uWSGI or Apache')
    .option('--path <path>', 'path that is requested from it (default: /)')
    .option('--app-ms <n>', 'with an application that takes this many milliseconds, as in 2.5')
    .option('--page', 'with a wiki page, rendered by Python')
    .option('--bytes <n>', 'with responses of this many bytes (default: 12) and no application')
    .addHelpText('after', MORE_HELP)
    .action(cost)
    .addCommand(limitsCommand());
  return addReportOptions(command, 'a plot');
}

async function cost(words: CostWords & ReportFiles): Promise<void> {
  const choice = choiceOf(words);
  // Loaded here: invalid arguments are reported without it.
  const { measureCost } = await import('../cost/index.js');
  await measure(words, (control) => measureCost({ ...choice, ...control }), REPORTS);
}

const REPORTS: Reports<CostResult> = {
  text: async (result) => (await import('../cost/verdict-text.js')).renderCost(result),
  html: async (result) => (await import('../cost/verdict-page.js')).verdictPageOf(result),
  json: async (result) => (await import('../cost/index.js')).costJsonOf(result),
};
