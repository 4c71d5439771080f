/** `nearwire cost limits`: where the hop gives out, with what error, and what moves it. */
import { Command } from 'commander';

import type { LimitsResult } from '../../bench/cost/limits/model.js';
import { measure, type Reports } from './measuring.js';

const MORE_HELP = `
Linux and nginx only. What is set and used up is that of a network of its own, where one can be made (root, or user
namespaces); what cannot be driven without it is told as not tried. Takes under 40 seconds.

Exit codes: 0 all was driven that can be, 1 a limit failed or nothing can be driven, 2 a wrong command line; 130, 143 or
129 when ended by a signal, with what had been driven by then.`;

export function limitsCommand(): Command {
  return new Command('limits')
    .description('drive listen queue, ports and buffers until each gives out: the error, and the setting that moves it')
    .option('--json <file>', 'write all figures to a file; - writes them to stdout, in place of the text')
    .addHelpText('after', MORE_HELP)
    .action(limits);
}

async function limits(words: { readonly json?: string }): Promise<void> {
  const { driveLimits } = await import('../../bench/cost/limits/index.js');
  await measure(words, driveLimits, REPORTS);
}

const REPORTS: Reports<LimitsResult> = {
  text: async (result, columns) => (await import('../../bench/cost/limits/text.js')).renderLimits(result, columns),
  json: (result) => Promise.resolve(result),
};
