/** `nearwire cost limits`: the load at which the hop fails, with which error, and what raises the limit. */
import { Command } from 'commander';

import type { LimitsResult } from '../cost/limits/model.js';
import { addReportOptions, measure, type ReportFiles, type Reports } from './measuring.js';

const MORE_HELP = `
Linux and nginx only. Limits are set and reached in a separate network namespace, if one can be made (root, or user
namespaces); those that need it are otherwise reported as not tried. Takes under 40 seconds.

Exit codes: 0 all possible limits were reached; 1 one failed; 2 invalid arguments; 3 nothing can be tried; 130, 143 or 129
when ended by a signal, with the results until then.`;

export function limitsCommand(): Command {
  const command = new Command('limits')
    .description(
      'drive listen queue, ports and buffers to their limits: the error, and the setting that raises each limit',
    )
    .addHelpText('after', MORE_HELP)
    .action(limits);
  return addReportOptions(command);
}

async function limits(words: ReportFiles): Promise<void> {
  const { driveLimits } = await import('../cost/limits/index.js');
  await measure(words, driveLimits, REPORTS);
}

const REPORTS: Reports<LimitsResult> = {
  text: async (result, columns) => (await import('../cost/limits/text.js')).renderLimits(result, columns),
  json: (result) => Promise.resolve(result),
};
