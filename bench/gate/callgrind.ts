/**
 * Counts the instructions of a server's requests with valgrind's callgrind: only in user space, and thus the same on
 * every kernel.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CannotRun } from '../cannot-run.js';
import { PACKAGE_ROOT, REPOSITORY } from '../package-root.js';
import { numberOf, type Program } from '../peer.js';
import { findPlacement } from '../placement.js';
import { median } from '../statistics.js';
import type { GateCase } from './cases.js';
import { PATIENCE_MS, serverWords, startPair, type GateContext } from './peers.js';

/** Per request. */
export interface Count {
  readonly instructions: number;
  /** The addon's share of them. */
  readonly addon: number;
  /** Bytes allocated on V8's heap, which the collector has to handle later: its own instructions are not counted. */
  readonly heap: number;
}

/** Requests after which V8 has compiled hot code in most processes. */
const WARM = 30_000;
const BATCH = 200;
const BATCHES = 24;

/**
 * With these, V8 does all work on one thread and at the same allocations each time, uses the same hashes, and has a
 * young generation that holds many batches, so that most have no collection.
 */
const V8_FLAGS = ['--predictable', '--hash-seed=1', '--random-seed=1', '--min-semi-space-size=16'];

/** The version of a tool that affects the count, besides Node. */
export function versionOf(command: string, debianPackage: string): string {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  if (status !== 0) {
    throw new CannotRun(`${command} is needed to count instructions: apt-get install ${debianPackage}`);
  }
  return stdout.split('\n')[0] ?? '';
}

/** The library that ties time to the work done; see bench/floor/steady_clock.c. */
export function buildClock(folder: string): string {
  const library = join(folder, 'clock.so');
  const source = join(PACKAGE_ROOT, 'floor', 'steady_clock.c');
  execFileSync('cc', ['-std=c11', '-O2', '-shared', '-fPIC', '-o', library, source], { stdio: 'inherit' });
  return library;
}

/**
 * The client on the server's core as a task that the kernel never lets preempt another when it wakes up: it answers
 * when the server waits. Otherwise a response may be answered before the server's turn ends, or after it, by the load
 * on the host: that is 4 % of a round trip's instructions.
 */
function asBatchTask({ command, args }: Program): Program {
  return { command: 'chrt', args: ['--batch', '0', command, ...args] };
}

function oneCore(): readonly number[] {
  const { cores, reason } = findPlacement();
  const { status } = spawnSync('chrt', ['--batch', '0', 'true']);
  if (cores[0] === undefined || status !== 0) {
    throw new CannotRun(`counts need both ends on one core: ${reason ?? 'chrt (util-linux) does not work here'}`);
  }
  return cores.slice(0, 1);
}

/**
 * One connection has one request outstanding, so that each arrives alone, however long either side takes. The server
 * marks batches. Differences between them come on top of the requests' own work (a collection, a compilation, a timer):
 * the cheapest batch has none of it, and is the same from run to run.
 *
 * `patience`: by how many times the usual warm-up is longer. On Node 26, 3 of 8 processes had node's own nextTick and
 * AsyncResource still unoptimized after the usual one, which is 38 % of a request with its connection; none of 6 had
 * after five times as much.
 */
export async function countRequest(
  gateCase: GateCase,
  clock: string,
  context: GateContext,
  patience = 1,
): Promise<Count> {
  // Another process may have counted before, and left its files.
  const folder = mkdtempSync(join(context.folder, gateCase.name));
  const [out, address] = [join(folder, 'dump'), join(folder, 's')];
  const callgrind = [
    ...['--tool=callgrind', '--instr-atstart=no', '--dump-line=no', `--callgrind-out-file=${out}`],
    // Compiled JavaScript is not in a file.
    ...['--smc-check=all-non-file', `--vgdb-prefix=${out}`, '--quiet'],
    // server.ts makes these calls around each batch.
    ...['--dump-before=getpriority', '--zero-before=kill'],
  ];
  const words = [...serverWords(REPOSITORY, gateCase, address), String(patience * WARM), String(BATCH)];
  const args = [`LD_PRELOAD=${clock}`, 'valgrind', ...callgrind, process.execPath, ...V8_FLAGS, ...words];
  // For the client all of it is warm-up: the server ends it.
  const load = { connections: 1, warmup: 3600 };
  const program = { command: 'env', args };
  const { server, stop } = await startPair(gateCase, address, program, load, context, oneCore(), asBatchTask);
  try {
    await server.expect('batch', PATIENCE_MS);
    // With instrumentation, the warm-up would take six times as long.
    const switchOn = [`--pid=${String(server.pid)}`, `--vgdb-prefix=${out}`, 'instrumentation', 'on'];
    execFileSync('vgdb', switchOn, { stdio: ['ignore', 'ignore', 'pipe'] });
    const heaps: number[] = [];
    // The first is counted only in part, and the last may be incomplete.
    while (!existsSync(`${out}.${String(BATCHES + 2)}`)) {
      heaps.push(numberOf(await server.expect('batch', PATIENCE_MS), 'heap') / BATCH);
    }
    const batches = Array.from({ length: BATCHES }, (_, i) =>
      readDump(readFileSync(`${out}.${String(i + 2)}`, 'utf8')),
    );
    const cheapest = batches.reduce((least, batch) => (batch.instructions < least.instructions ? batch : least));
    return {
      // A batch of 200 gives no finer resolution.
      instructions: Math.round(cheapest.instructions / BATCH),
      addon: Math.round(cheapest.addon / BATCH),
      heap: Math.round(median(heaps.filter(hadNoCollection))),
    };
  } finally {
    await stop();
  }
}

/** Where the collector ran, there is less used than before, nearly always; the median is not of those. */
function hadNoCollection(heap: number): boolean {
  return heap > 0;
}

/**
 * The instructions of a dump, by the file that each function comes from (`ob=`), without those of the functions it
 * calls.
 */
export function readDump(text: string): Omit<Count, 'heap'> {
  const addons = new Set<string>();
  let inAddon = false;
  let isCall = false;
  let instructions = 0;
  let addon = 0;
  for (const line of text.split('\n')) {
    const [, called, id = '', name = ''] = /^(c?)ob=\((\d+)\)(?: (.*))?$/.exec(line) ?? [];
    if (name.endsWith('.node')) addons.add(id);
    if (called === '') inAddon = addons.has(id);
    // The next line belongs to the called function.
    else if (line.startsWith('calls=')) isCall = true;
    else if (/^[\d+*-]/.test(line)) {
      const cost = isCall ? 0 : Number(line.split(' ')[1]);
      instructions += cost;
      if (inAddon) addon += cost;
      isCall = false;
    }
  }
  // What was running when the counters were reset is in only one of the two: up to 2 % with Node 22.
  const total = Number(/^summary: (\d+)$/m.exec(text)?.[1]);
  if (!(Math.abs(instructions / total - 1) < 0.05)) {
    throw new Error(`a dump of ${String(total)} instructions has ${String(instructions)}`);
  }
  return { instructions, addon };
}
