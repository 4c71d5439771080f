/** Counts the instructions of a server's requests with valgrind's callgrind: of user space, and so the same on every kernel. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CannotRun } from '../cannot-run.js';
import { PACKAGE_ROOT, REPOSITORY } from '../package-root.js';
import { numberOf } from '../peer.js';
import { median } from '../statistics.js';
import type { GateCase } from './cases.js';
import { PATIENCE_MS, serverWords, startPair, type GateContext } from './peers.js';

/** Of one request. */
export interface Count {
  readonly instructions: number;
  /** Those of them that are the addon's. */
  readonly addon: number;
  /** Bytes of V8's heap, which the collector has to deal with later: its own instructions are not in the count. */
  readonly heap: number;
}

/** Requests by which V8 has compiled what is hot. */
const WARM = 15_000;
const BATCH = 200;
const BATCHES = 24;

/**
 * V8 does all of its work on one thread and at the same allocations each time, hashes alike, and has a young generation in
 * which many batches fit, so that most have no collection.
 */
const V8_FLAGS = ['--predictable', '--hash-seed=1', '--random-seed=1', '--min-semi-space-size=16'];

/** The version of what the count is made with besides Node. */
export function versionOf(command: string, debianPackage: string): string {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  if (status !== 0) {
    throw new CannotRun(`${command} is needed to count instructions: apt-get install ${debianPackage}`);
  }
  return stdout.split('\n')[0] ?? '';
}

/** The library that makes time a matter of what is done; see bench/floor/steady_clock.c. */
export function buildClock(folder: string): string {
  const library = join(folder, 'clock.so');
  const source = join(PACKAGE_ROOT, 'floor', 'steady_clock.c');
  execFileSync('cc', ['-std=c11', '-O2', '-shared', '-fPIC', '-o', library, source], { stdio: 'inherit' });
  return library;
}

/**
 * One connection has one request outstanding, so that each comes alone, whatever the time that either side takes. The server
 * marks batches; what differs between them comes on top of the requests' own work (a collection, a compilation, a timer): the
 * cheapest batch has none of it, and is the same from run to run.
 */
export async function countRequest(gateCase: GateCase, clock: string, context: GateContext): Promise<Count> {
  // Of its own, as another process may have counted before.
  const out = join(mkdtempSync(join(context.folder, gateCase.name)), 'dump');
  const address = join(context.folder, 's');
  const callgrind = [
    ...['--tool=callgrind', '--instr-atstart=no', '--dump-line=no', `--callgrind-out-file=${out}`],
    // Compiled JavaScript is no file.
    ...['--smc-check=all-non-file', `--vgdb-prefix=${out}`, '--quiet'],
    // What server.ts calls around each batch.
    ...['--dump-before=getpriority', '--zero-before=kill'],
  ];
  const words = [...serverWords(REPOSITORY, gateCase, address), String(WARM), String(BATCH)];
  const args = [`LD_PRELOAD=${clock}`, 'valgrind', ...callgrind, process.execPath, ...V8_FLAGS, ...words];
  // All of it is warm-up to the client: the server says when it has had enough.
  const load = { connections: 1, warmup: 3600 };
  const { server, stop } = await startPair(gateCase, address, { command: 'env', args }, load, context);
  try {
    await server.expect('batch', PATIENCE_MS);
    // Instrumented, the warm-up would take six times as long.
    const switchOn = [`--pid=${String(server.pid)}`, `--vgdb-prefix=${out}`, 'instrumentation', 'on'];
    execFileSync('vgdb', switchOn, { stdio: ['ignore', 'ignore', 'pipe'] });
    const heaps: number[] = [];
    // The first is counted in part, and the last may be under way.
    while (!existsSync(`${out}.${String(BATCHES + 2)}`)) {
      heaps.push(numberOf(await server.expect('batch', PATIENCE_MS), 'heap') / BATCH);
    }
    const batches = Array.from({ length: BATCHES }, (_, i) =>
      readDump(readFileSync(`${out}.${String(i + 2)}`, 'utf8')),
    );
    const cheapest = batches.reduce((least, batch) => (batch.instructions < least.instructions ? batch : least));
    return {
      // Of a batch of 200 there are no finer parts.
      instructions: Math.round(cheapest.instructions / BATCH),
      addon: Math.round(cheapest.addon / BATCH),
      // A batch in which the collector ran has less than nothing.
      heap: Math.round(median(heaps)),
    };
  } finally {
    await stop();
  }
}

/** The instructions of a dump, by the file that each function comes from (`ob=`), without those of the functions it calls. */
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
    // The line after is the called function's.
    else if (line.startsWith('calls=')) isCall = true;
    else if (/^[\d+*-]/.test(line)) {
      const cost = isCall ? 0 : Number(line.split(' ')[1]);
      instructions += cost;
      if (inAddon) addon += cost;
      isCall = false;
    }
  }
  // What was under way when the counters were set to zero is in one of the two only: up to 2 % with Node 22.
  const total = Number(/^summary: (\d+)$/m.exec(text)?.[1]);
  if (!(Math.abs(instructions / total - 1) < 0.05)) {
    throw new Error(`a dump of ${String(total)} instructions has ${String(instructions)}`);
  }
  return { instructions, addon };
}
