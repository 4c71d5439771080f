/** `nearwire tune`: parses the command line, shows progress, writes the reports. */
import { Command } from 'commander';

import { WAYS, type BufferChoice, type SweepResult } from '../tune/model.js';
import { addReportOptions, measure, type ReportFiles, type Reports } from './measuring.js';
import { parseByteList, parseList, parseWhole, parseWord } from 'nearwire/internal';

const WAY_NAMES = WAYS.map(({ name }) => name);

const FAMILIES = ['unix', 'tcp'] as const;

const MOST_ROUNDS = 1000;
const MIB = 1024 * 1024;
/** Both ends keep a body of each size in memory. */
const LARGEST_RESPONSE = 256 * MIB;
/** Linux enforces its own minimum below this. */
const SMALLEST_BUFFER = 4096;
const LARGEST_BUFFER = 1024 * MIB;

interface Words extends ReportFiles {
  readonly buffers?: string;
  readonly sizes?: string;
  readonly subjects?: string;
  readonly rounds?: string;
  readonly families?: string;
  readonly quick?: boolean;
}

export function tuneCommand(): Command {
  const command = new Command('tune')
    .description('measure which send buffer suits which response on this machine, and how to set it')
    .option('--buffers <a,b>', 'send buffers, as in default,64k,1m; the default is always among them')
    .option('--sizes <a,b>', 'responses, as in 1k,64k,16m')
    .option('--subjects <a,b>', `only these: ${WAY_NAMES.join(', ')}`)
    .option('--families <unix|tcp>', 'over a UNIX socket (default) or TCP')
    .option('--rounds <n>', 'number of rounds (overrides the time limit)')
    .option('--quick', 'a first look: fewer sizes and buffers, in under a minute');
  return addReportOptions(command, 'heat maps and plots').action(tune);
}

async function tune(words: Words): Promise<void> {
  // Loaded here because the other commands do not need it.
  const { runSweep } = await import('../tune/sweep.js');
  const choice = {
    mode: words.quick === true ? ('quick' as const) : ('default' as const),
    family: words.families === undefined ? ('unix' as const) : parseWord('family', words.families, FAMILIES),
    ...(words.buffers !== undefined && { buffers: parseBuffers(words.buffers) }),
    ...(words.sizes !== undefined && { sizes: parseByteList('--sizes', words.sizes, 1, LARGEST_RESPONSE) }),
    ...(words.subjects !== undefined && { ways: parseList('subject', words.subjects, WAY_NAMES) }),
    ...(words.rounds !== undefined && { rounds: parseWhole('--rounds', words.rounds, 1, MOST_ROUNDS) }),
  };
  await measure(words, (control) => runSweep({ ...choice, ...control }), REPORTS);
}

const REPORTS: Reports<SweepResult> = {
  text: async (result, columns) => (await import('../tune/report.js')).renderSweep(result, columns),
  json: async (result) => (await import('../tune/sweep.js')).sweepJsonOf(result),
  html: async (result) => (await import('../tune/html.js')).sweepHtmlOf(result),
};

function parseBuffers(text: string): BufferChoice[] {
  const words = text.split(',').map((word) => word.trim());
  const sizes = words.filter((word) => word !== 'default');
  const rest = sizes.length === 0 ? [] : parseByteList('--buffers', sizes.join(','), SMALLEST_BUFFER, LARGEST_BUFFER);
  return ['default', ...rest];
}
