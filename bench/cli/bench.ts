/** `nearwire bench`: parses the command line, shows progress, writes the reports. */
import { Command } from 'commander';

import { CASES } from '../cases/index.js';
import type { BenchResult } from '../model.js';
import type { RunControl } from '../run.js';
import { SUBJECTS, type Subject } from '../subjects.js';
import { attachedDefaults, bringOptions, parseBrought, parseEnvironment, type BringWords } from './brought-words.js';
import { addReportOptions, measure, type ReportFiles, type Reports } from './measuring.js';
import { makeFolder, parseByteList, parseList, parseWhole, UsageError } from 'nearwire/internal';

const CASE_NAMES = CASES.map(({ name }) => name);
const SUBJECT_NAMES = SUBJECTS.map(({ name }) => name);
const FAMILY_NAMES = ['unix', 'tcp'] as const;

const MOST_ROUNDS = 1000;
/** Both ends keep a message of each size in memory. */
const LARGEST_BYTES = 256 * 1024 * 1024;

interface Words extends ReportFiles, BringWords {
  readonly subjects?: string;
  readonly rounds?: string;
  readonly bytes?: string;
  readonly quick?: boolean;
  readonly hdr?: string;
}

export function benchCommand(): Command {
  const command = new Command('bench')
    .description('measure the native transport against node:net and plain C on this machine')
    .option('--cases <a,b>', `only these cases: ${CASE_NAMES.join(', ')}`)
    .option('--subjects <a,b>', `only these subjects: ${SUBJECT_NAMES.join(', ')}`)
    .option('--families <a,b>', `only over these: ${FAMILY_NAMES.join(', ')}`);
  for (const option of bringOptions()) command.addOption(option);
  command
    .option('--rounds <n>', 'number of rounds (overrides the time limit)')
    .option('--bytes <a,b>', 'sizes, for the cases that have some, as in 64,4k,1m')
    .option('--quick', 'a first look: fewer and shorter cells, in under two minutes')
    .option('--hdr <dir>', "write latency distributions, in HdrHistogram's text format, into a folder");
  return addReportOptions(command, 'plots').action(bench);
}

async function bench(given: Words): Promise<void> {
  // Loaded here because the other commands do not need it.
  const { runBench, NothingToRun } = await import('../run.js');
  const { lineupOf, chosenOf } = await import('../lineup.js');
  const words = { ...given, ...attachedDefaults(given) };
  const brought = parseBrought(words);
  const choice = {
    mode: words.quick === true ? ('quick' as const) : ('default' as const),
    ...(words.cases !== undefined && { cases: parseList('case', words.cases, CASE_NAMES) }),
    ...(words.families !== undefined && { families: parseList('family', words.families, FAMILY_NAMES) }),
    ...(words.rounds !== undefined && { rounds: parseWhole('--rounds', words.rounds, 1, MOST_ROUNDS) }),
    ...(words.bytes !== undefined && { bytes: parseByteList('--bytes', words.bytes, 1, LARGEST_BYTES) }),
    environment: parseEnvironment(words),
  };
  if (words.hdr !== undefined) makeFolder('--hdr', words.hdr);
  const run = async (control: RunControl): Promise<BenchResult> => {
    const { lineup, notes } = await lineupOf(brought, choice.cases ?? CASE_NAMES, control.signal);
    const names = lineup.map(({ name }) => name);
    // An attached server is measured alone unless other subjects are named.
    const nobody = words.attach === undefined ? undefined : [];
    const wanted = words.subjects === undefined ? nobody : parseList('subject', words.subjects, names);
    const chosen = { ...choice, lineup, notes, ...(wanted && { subjects: chosenOf(lineup, wanted) }) };
    const result = await runBench({ ...chosen, ...control }).catch((error: unknown) => {
      if (!(error instanceof NothingToRun) || error.missing.length > 0) throw error;
      throw new UsageError(`these subjects do not support these cases: ${whoDoes(choice.cases ?? CASE_NAMES, lineup)}`);
    });
    if (words.hdr !== undefined) {
      const { writePercentiles } = await import('../percentiles-file.js');
      writePercentiles(words.hdr, result.latencies);
    }
    return result;
  };
  await measure(words, run, REPORTS);
}

const REPORTS: Reports<BenchResult> = {
  text: async (result, columns) => (await import('../report/terminal.js')).renderReport(result, columns),
  json: async (result) => (await import('../json.js')).jsonOf(result),
  html: async (result) => (await import('../report/page.js')).htmlOf(result),
};

function whoDoes(cases: readonly string[], lineup: readonly Subject[]): string {
  return cases
    .map((name) => {
      const able = lineup.filter((subject) => subject.cases.includes(name));
      return `${name} is for ${able.map((subject) => subject.name).join(', ')}`;
    })
    .join('; ');
}
