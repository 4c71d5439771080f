/** Counts the instructions of a server's requests with valgrind's callgrind: of user space, and so the same on every kernel. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { numberOf, Peer } from '../peer.js';
import { PACKAGE_ROOT } from '../package-root.js';
import type { GateCase } from './cases.js';

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

/** To start, to warm up and to exit, under valgrind on a machine that is busy. */
const PATIENCE_MS = 120_000;

/**
 * V8 does all of its work on one thread and at the same allocations each time, hashes alike, and has a young generation in
 * which many batches fit, so that most have no collection.
 */
const V8_FLAGS = ['--predictable', '--hash-seed=1', '--random-seed=1', '--min-semi-space-size=16'];

export class MissingTool extends Error {}

/** What the count is made with besides Node; throws what is missing. */
export function findTools(): { readonly valgrind: string; readonly compiler: string } {
  const version = (command: string, hint: string): string => {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status !== 0) throw new MissingTool(`${command} is needed to count instructions: ${hint}`);
    return stdout.split('\n')[0] ?? '';
  };
  return { valgrind: version('valgrind', 'apt-get install valgrind'), compiler: version('cc', 'apt-get install gcc') };
}

/** The library that makes time a matter of what is done; see bench/floor/steady_clock.c. */
export function buildClock(folder: string): string {
  const library = join(folder, 'clock.so');
  const source = join(PACKAGE_ROOT, 'bench', 'floor', 'steady_clock.c');
  execFileSync('cc', ['-std=c11', '-O2', '-shared', '-fPIC', '-o', library, source], { stdio: 'inherit' });
  return library;
}

export interface CountContext {
  readonly floor: string;
  readonly clock: string;
  /** Empty, and this count's own. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * One connection has one request outstanding, so that each comes alone, whatever the time that either side takes. The server
 * marks batches; what differs between them comes on top of the requests' own work (a collection, a compilation, a timer): the
 * cheapest batch has none of it, and is the same from run to run.
 */
export async function countRequest(gateCase: GateCase, context: CountContext): Promise<Count> {
  const { folder, floor, signal } = context;
  const socket = join(folder, 's');
  const server = new Peer(`server of ${gateCase.name}`, serverProgram(gateCase, socket, context), [], signal);
  const peers = [server];
  try {
    await server.expect('ready', PATIENCE_MS);
    // All of it is warm-up to the client: the server says when it has had enough.
    const words = ['load', ...gateCase.client, '--connections', '1', '--warmup', '3600'];
    const program = { command: floor, args: [...words, '--family', 'unix', '--address', socket] };
    peers.push(new Peer(`client of ${gateCase.name}`, program, [], signal));
    await server.expect('batch', PATIENCE_MS);
    // Instrumented, the warm-up would take six times as long.
    execFileSync(
      'vgdb',
      [`--pid=${String(server.pid)}`, `--vgdb-prefix=${join(folder, 'v')}`, 'instrumentation', 'on'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const heaps: number[] = [];
    // The first is counted in part, and the last may be under way.
    while (dumpsIn(folder).length < BATCHES + 2) {
      heaps.push(numberOf(await server.expect('batch', PATIENCE_MS), 'heap') / BATCH);
    }
    const batches = dumpsIn(folder)
      .slice(1, BATCHES + 1)
      .map((file) => readDump(readFileSync(join(folder, file), 'utf8')));
    const cheapest = batches.reduce((least, batch) => (batch.instructions < least.instructions ? batch : least));
    return {
      instructions: cheapest.instructions / BATCH,
      addon: cheapest.addon / BATCH,
      // A batch in which the collector ran has less than nothing.
      heap: heaps.toSorted((a, b) => a - b)[heaps.length >> 1] ?? NaN,
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

function serverProgram({ name }: GateCase, socket: string, { clock, folder }: CountContext) {
  const server = fileURLToPath(new URL('server.js', import.meta.url));
  const callgrind = [
    ...['--tool=callgrind', '--instr-atstart=no', '--dump-line=no', `--callgrind-out-file=${join(folder, 'count')}`],
    // Compiled JavaScript is no file.
    ...['--smc-check=all-non-file', `--vgdb-prefix=${join(folder, 'v')}`, '--quiet'],
    // What server.ts calls around each batch.
    ...['--dump-before=getpriority', '--zero-before=kill'],
  ];
  const words = [PACKAGE_ROOT, name, socket, String(WARM), String(BATCH)];
  const node = [process.execPath, ...V8_FLAGS, server, ...words];
  return { command: 'env', args: [`LD_PRELOAD=${clock}`, 'valgrind', ...callgrind, ...node] };
}

/** In their order. */
function dumpsIn(folder: string): string[] {
  const numbers = readdirSync(folder).flatMap((file) => /^count\.(\d+)$/.exec(file)?.[1] ?? []);
  return numbers
    .map(Number)
    .sort((a, b) => a - b)
    .map((number) => `count.${String(number)}`);
}

/** The instructions of a dump, by the file that each function comes from (`ob=`), without those of the functions it calls. */
export function readDump(text: string): Pick<Count, 'instructions' | 'addon'> {
  const objects = new Map<string, string>();
  let inAddon = false;
  let isCall = false;
  let instructions = 0;
  let addon = 0;
  for (const line of text.split('\n')) {
    const [, called, id, name] = /^(c?)ob=\((\d+)\)(?: (.*))?$/.exec(line) ?? [];
    if (id !== undefined) {
      if (name !== undefined) objects.set(id, name);
      if (called === '') inAddon = objects.get(id)?.endsWith('.node') ?? false;
    } else if (line.startsWith('calls=')) {
      // The next line is the called function's.
      isCall = true;
    } else if (/^[\d+*-]/.test(line)) {
      const cost = Number(line.split(' ')[1]);
      if (!isCall) {
        instructions += cost;
        if (inAddon) addon += cost;
      }
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
