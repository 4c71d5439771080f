/** `npm run bench:instructions`: the instructions of a request against bench/instructions.json. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import Table from 'cli-table3';

import { findFloor } from '../floor.js';
import { withFolder } from '../folder.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { buildClock, countRequest, findTools, MissingTool, type Count } from './callgrind.js';
import { chosenCases, GATE_CASES, type GateCase } from './cases.js';
import { interrupts } from './interrupts.js';
import { compareCounts, nodeKey, type CountComparison, type Recorded, type RecordedNode } from './recorded.js';

const USAGE = `usage: npm run bench:instructions -- [--cases A,B]            count and compare
       npm run bench:instructions -- --record [--cases A,B]   count and record`;
const DEFAULT_FILE = join(PACKAGE_ROOT, 'bench', 'instructions.json');
const DEARER_EXIT = 1;
const USAGE_EXIT = 2;

class UsageError extends Error {}

function parse(argv: readonly string[]) {
  const counted = GATE_CASES.filter((entry) => entry.counted);
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        record: { type: 'boolean', default: false },
        cases: { type: 'string' },
        /** For tests: another file than bench/instructions.json. */
        file: { type: 'string', default: DEFAULT_FILE },
      },
    });
    return { record: values.record, file: values.file, cases: chosenCases(counted, values.cases) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<number> {
  const { record, file, cases } = parse(process.argv.slice(2));
  const floor = findFloor();
  if (floor === undefined) throw new MissingTool('the plain C program is not built: npm run build:native');
  const here = { node: process.versions.node, ...findTools() };
  const key = nodeKey(process.arch, here.node);
  const nodes = existsSync(file) ? read(file).nodes : {};
  const before = nodes[key];
  if (!record && before === undefined) {
    // Before minutes are spent on what there is nothing to compare with.
    throw new UsageError(`nothing is recorded for ${key}, only for ${Object.keys(nodes).join(', ')}: --record it`);
  }
  const counts = await countAll(cases, floor);
  if (record) {
    const merged = { ...before?.cases, ...Object.fromEntries(counts) };
    const recorded: Recorded = { schema: 1, nodes: { ...nodes, [key]: { ...here, cases: merged } } };
    writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
  }
  return report(compareCounts(counts, before?.cases ?? {}), record ? undefined : before, here);
}

async function countAll(cases: readonly GateCase[], floor: string): Promise<Map<string, Count>> {
  const counts = new Map<string, Count>();
  const { signal } = interrupts();
  await withFolder('nearwire-count-', 'write-64k/s', async (folder) => {
    const clock = buildClock(folder);
    for (const gateCase of cases) {
      const own = join(folder, gateCase.name);
      mkdirSync(own);
      counts.set(gateCase.name, rounded(await countRequest(gateCase, { floor, clock, folder: own, signal })));
    }
  });
  return counts;
}

/** Of a batch of 200 there are no finer parts. */
function rounded({ instructions, addon, heap }: Count): Count {
  return { instructions: Math.round(instructions), addon: Math.round(addon), heap: Math.round(heap) };
}

function report(
  comparisons: readonly CountComparison[],
  before: RecordedNode | undefined,
  here: Omit<RecordedNode, 'cases'>,
): number {
  const table = new Table({
    head: ['a request of', '', 'recorded', 'now', 'change', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'left'],
  });
  for (const { case: name, measure, recorded, now, verdict } of comparisons) {
    const change = recorded === undefined ? '' : `${((now / recorded - 1) * 100).toFixed(1)} %`;
    table.push([name, WORDS[measure], recorded ?? '', now, change, verdict === 'same' ? '' : verdict]);
  }
  console.log(table.toString());
  if (before === undefined) return 0;
  for (const what of ['node', 'valgrind', 'compiler'] as const) {
    if (before[what] !== here[what]) console.log(`note: recorded with ${what} ${before[what]}, now ${here[what]}`);
  }
  const has = (verdict: CountComparison['verdict']): boolean => comparisons.some((entry) => entry.verdict === verdict);
  if (has('cheaper')) console.log('something got cheaper: npm run bench:instructions -- --record, and commit it');
  if (!has('dearer') && !has('not recorded')) return 0;
  console.log('dearer than recorded, or not recorded: if it is meant to be, record it and say in the commit what for');
  return DEARER_EXIT;
}

const WORDS = { instructions: 'instructions', addon: "the addon's", heap: 'bytes of heap' } as const;

function read(file: string): Recorded {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof content === 'object' && content !== null && 'schema' in content && content.schema === 1) {
    return content as Recorded;
  }
  throw new UsageError(`${file}: no file of ours`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof MissingTool)) throw error;
  console.error(`error: ${error.message}${error instanceof UsageError ? `\n${USAGE}` : ''}`);
  process.exitCode = USAGE_EXIT;
}
