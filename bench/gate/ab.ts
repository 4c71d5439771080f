/** `npm run bench:ab -- REF`: this tree against another commit, in the same rounds. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { findFloor } from '../floor.js';
import { withFolder } from '../folder.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { buildCommit, commitOf, NoSuchCommit, removeCommit } from './build.js';
import { chosenCases, GATE_CASES, type GateCase } from './cases.js';
import { comparePairs } from './compare-pairs.js';
import { interrupts } from './interrupts.js';
import { measurePair, type Pair } from './pairs.js';

const USAGE = 'usage: npm run bench:ab -- [--cases A,B] REF';
const DEARER_EXIT = 1;
const USAGE_EXIT = 2;

class UsageError extends Error {}

function parse(argv: readonly string[]): { ref: string; cases: readonly GateCase[] } {
  const timed = GATE_CASES.filter(({ connections }) => connections !== undefined);
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { cases: { type: 'string' } },
    });
    const [ref, ...more] = positionals;
    if (ref === undefined || more.length > 0) throw new RangeError('one commit is compared with');
    return { ref, cases: chosenCases(timed, values.cases) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<number> {
  const { ref, cases } = parse(process.argv.slice(2));
  if (!existsSync(join(PACKAGE_ROOT, '.git'))) throw new UsageError('this is no clone of the repository');
  const floor = findFloor();
  if (floor === undefined) throw new UsageError('the plain C program is not built: npm run build:native');
  const commit = commitOf(ref);
  return withFolder('nearwire-ab-', 'before', async (folder) => {
    const built = join(folder, 'tree');
    try {
      console.log(`builds ${commit}`);
      buildCommit(commit, built);
      const { signal } = interrupts();
      const pairs = new Map<string, Pair>();
      const began = performance.now();
      for (const gateCase of cases) {
        console.log(`measures ${gateCase.name}`);
        pairs.set(
          gateCase.name,
          await measurePair(gateCase, { before: built, after: PACKAGE_ROOT }, { floor, folder, signal }),
        );
      }
      const { text, dearer } = comparePairs(commit, pairs);
      console.log(`${text}\nmeasured in ${((performance.now() - began) / 1e3).toFixed(0)} s`);
      return dearer ? DEARER_EXIT : 0;
    } finally {
      if (existsSync(built)) removeCommit(built);
    }
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof NoSuchCommit)) throw error;
  console.error(`error: ${error.message}\n${USAGE}`);
  process.exitCode = USAGE_EXIT;
}
