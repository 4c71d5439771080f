/**
 * The worker's side of the communication with run.ts: JSON lines out, single words in. Both programs of a cell exit
 * when stdin ends, so none is left behind, whatever happens to the parent.
 */
import { createInterface } from 'node:readline';

import type { LoadResult } from '../model.js';
import type { Words } from './words.js';

/** The original, before a module of the user's can replace it. */
const write = process.stdout.write.bind(process.stdout);

export function tell(message: object): void {
  write(`${JSON.stringify(message)}\n`);
}

/** Measure, or run another warm-up window. */
type ClientWord = 'go' | 'warm';

export class Control {
  private heed: ((word: ClientWord) => void) | undefined;
  private readonly cpu: () => number;

  /**
   * `close` releases what the worker holds (its socket file in particular); then the process exits. `cpu` returns
   * microseconds, if another process does the work.
   */
  constructor(close: () => void | Promise<void>, cpu = cpuMicroseconds) {
    this.cpu = cpu;
    const end = async (): Promise<void> => {
      await close();
      // Remaining connections belong to the other process, or the bench is over.
      process.exit(0);
    };
    process.on('SIGTERM', () => void end());
    createInterface({ input: process.stdin })
      .on('line', (word) => {
        this.answer(word);
      })
      .on('close', () => void end());
  }

  /** The parent's next command to a client. */
  nextWord(): Promise<ClientWord> {
    return new Promise((resolve) => {
      this.heed = resolve;
    });
  }

  private answer(word: string): void {
    const told = { cpu: this.cpu, memory: residentBytes, held: heldBytes }[word];
    if (told) tell({ [word]: told() });
    else if (word === 'go' || word === 'warm') this.heed?.(word);
    else throw new TypeError(`unknown word on stdin: ${word}`);
  }
}

/** User and system time of all threads of this process. */
function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

/** After a collection, pages that are swept later count as used in some readings: occasionally 200 KiB. */
const READINGS = 6;

/** What V8 accounts for: its heap, and what objects keep outside of it, including array buffers. */
function heldBytes(): number {
  const readings = Array.from({ length: READINGS }, () => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  });
  return Math.min(...readings);
}

/** The second collection frees what finalizers of the first have released. */
function collectGarbage(): void {
  if (!globalThis.gc) throw new Error('a worker is run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
}

/** Works for this many seconds, and leaves nothing outstanding. `runLoad` adds the rest. */
export type Phase = (seconds: number) => Promise<Omit<LoadResult, 'clientCpu' | 'errors'>>;

/**
 * The life of a client: it warms up on the connections to be measured until it gets `go`, measures once, and reports.
 */
export async function runLoad(control: Control, phase: Phase, { warmup, seconds }: Words): Promise<void> {
  do {
    const warmed = warmup > 0 ? await phase(warmup) : { seconds: 0, operations: 0 };
    tell({ warm: true, seconds: warmed.seconds, operations: warmed.operations });
  } while ((await control.nextWord()) === 'warm');
  const before = cpuMicroseconds();
  const result = await phase(seconds);
  tell({ result: { ...result, clientCpu: cpuMicroseconds() - before, errors: 0 } });
}
