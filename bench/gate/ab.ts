/** Two builds in alternation: the CPU per request of each, slice by slice, and whether this tree's is higher. */
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { CannotRun } from '../cannot-run.js';
import { estimateOf, layoutDeviation, type Blocks, type Estimate } from '../cost/estimate.js';
import { sweep, type Lane } from '../cost/sweeps.js';
import { REPOSITORY } from '../package-root.js';
import { isMessage, numberOf, PeerError } from '../peer.js';
import { findPlacement } from '../placement.js';
import { newTable } from '../report/terminal.js';
import { median } from '../statistics.js';
import type { GateCase } from './cases.js';
import { serverWords, startPair, type GateContext, type Pair } from './peers.js';

/** Returns whether this tree is more expensive than a commit. */
export async function compareWith(ref: string, cases: readonly GateCase[], context: GateContext): Promise<boolean> {
  const commit = commitOf(ref);
  const tree = join(context.folder, 'tree');
  try {
    console.log(`builds ${commit}`);
    buildCommit(commit, tree);
    const began = performance.now();
    const measured = new Map<string, Efforts>();
    for (const gateCase of cases) {
      console.log(`measures ${gateCase.name}`);
      measured.set(gateCase.name, await measureBuilds(gateCase, { before: tree, after: REPOSITORY }, context));
    }
    const { text, dearer } = compareBuilds(commit, measured);
    console.log(`${text}\nmeasured in ${((performance.now() - began) / 1e3).toFixed(0)} s`);
    return dearer;
  } finally {
    if (existsSync(tree)) git('worktree', 'remove', '--force', tree);
  }
}

/** The abbreviated commit hash. */
function commitOf(ref: string): string {
  try {
    return git('rev-parse', '--short', '--verify', '--end-of-options', `${ref}^{commit}`).trim();
  } catch {
    throw new CannotRun(`git knows no commit ${ref}`);
  }
}

/** Checks the commit out into a new folder, and builds it with the packages installed here. */
function buildCommit(commit: string, folder: string): void {
  git('worktree', 'add', '--detach', folder, commit);
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  // Without its bench: what loads it is this one's.
  const commands = [
    ['npx', 'tsc', '-p', 'tsconfig.build.json'],
    ['npm', 'run', '--silent', 'build:native'],
  ];
  // Older commits have none.
  const bundle = join(folder, 'scripts', 'bundle.mjs');
  if (existsSync(bundle)) commands.push([process.execPath, bundle]);
  for (const [command = '', ...words] of commands) {
    execFileSync(command, words, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

function git(...words: readonly string[]): string {
  return execFileSync('git', words, { cwd: REPOSITORY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** In seconds: V8 has then compiled hot code. */
const WARM_UP = 1.5;
const SLICE = 0.05;
const ANSWER_MS = 10_000;

/**
 * Below three minutes for five cases together. Each block uses new processes, because their memory layout is random and
 * stays fixed.
 */
const EFFORT = { blocks: 5, sweeps: 24 };

const SIDES = ['before', 'after'] as const;
type Side = (typeof SIDES)[number];

/** Microseconds of CPU per request, sweep by sweep, in each block. */
export type Efforts = Readonly<Record<Side, Blocks>>;

/** `builds`: their folders. */
export async function measureBuilds(
  gateCase: GateCase,
  builds: Readonly<Record<Side, string>>,
  context: GateContext,
  { blocks, sweeps } = EFFORT,
): Promise<Efforts> {
  const { cores } = findPlacement();
  const efforts: Record<Side, number[][]> = { before: [], after: [] };
  const load = { connections: gateCase.connections ?? 1, warmup: WARM_UP, seconds: SLICE };
  for (let block = 0; block < blocks; block++) {
    const pairs: Pair[] = [];
    const lanes: Lane[] = [];
    try {
      for (const name of SIDES) {
        const address = join(context.folder, name);
        const server = { command: process.execPath, args: serverWords(builds[name], gateCase, address) };
        const pair = await startPair(gateCase, address, server, load, context, cores);
        pairs.push(pair);
        await pair.client.expect('warm', ANSWER_MS);
        lanes.push({ name, slice: () => slice(pair) });
      }
      const values = await sweep(lanes, {
        ...{ sweeps, from: block * sweeps, signal: context.signal },
        onSweep: () => undefined,
        onFailure: (_lane, error) => {
          throw error;
        },
      });
      context.signal.throwIfAborted();
      for (const name of SIDES) efforts[name].push(values.get(name) ?? []);
    } finally {
      await Promise.all(pairs.map((pair) => pair.stop()));
    }
  }
  return efforts;
}

async function slice({ server, client }: Pair): Promise<number> {
  const before = await server.ask('cpu', ANSWER_MS);
  client.say('go');
  const { result } = await client.expect('result', ANSWER_MS);
  await client.expect('warm', ANSWER_MS);
  const cpu = (await server.ask('cpu', ANSWER_MS)) - before;
  if (!isMessage(result) || numberOf(result, 'errors') > 0) throw new PeerError(JSON.stringify(result));
  return cpu / numberOf(result, 'operations');
}

/**
 * A case is more expensive if its whole interval lies above this. For a commit compared with itself, intervals extend
 * about 2 % to either side, and their middles are within 1.5 % of 1: none gets this far by chance, and what is 5 % more
 * expensive usually does.
 */
const MARGIN = 1.02;

/** `commit`: the commit of `before`. */
export function compareBuilds(
  commit: string,
  cases: ReadonlyMap<string, Efforts>,
): { readonly text: string; readonly dearer: boolean } {
  const table = newTable(['CPU a request', commit, 'this tree', 'ratio', '95 %', '']);
  const ratios = [...cases].map(([name, efforts]) => ({ name, ...efforts, ratios: ratiosOf(efforts) }));
  const layout = layoutDeviation(ratios.map((entry) => entry.ratios));
  const words = ratios.map(({ name, before, after, ratios: of }) => {
    const estimate = estimateOf(of, layout);
    const word = wordFor(estimate);
    const [old, now] = [before, after].map((blocks) => `${median(blocks.flat()).toFixed(2)} us`);
    const interval = `${estimate.low.toFixed(3)} to ${estimate.high.toFixed(3)}`;
    table.push([name, old, now, estimate.median.toFixed(3), interval, word]);
    return word;
  });
  return { text: table.toString(), dearer: words.includes('dearer') };
}

/** Sweep by sweep. */
function ratiosOf({ before, after }: Efforts): Blocks {
  return after.map((block, i) => block.map((value, at) => value / (before[i]?.[at] ?? NaN)));
}

function wordFor({ low, high }: Estimate): string {
  if (low > MARGIN) return 'dearer';
  return high < 1 / MARGIN ? 'cheaper' : '';
}
