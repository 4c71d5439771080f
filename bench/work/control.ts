/**
 * The worker's side of the talk with run.ts: JSON lines out, single words in. Both programs of a cell end when stdin
 * does, so whatever becomes of the parent, none is left behind.
 */
import { createInterface } from 'node:readline';

import type { LoadResult } from '../model.js';
import type { Words } from './words.js';

/** As it is before a module of the user's comes. */
const write = process.stdout.write.bind(process.stdout);

export function tell(message: object): void {
  write(`${JSON.stringify(message)}\n`);
}

/** To measure, or to warm up once more. */
type ClientWord = 'go' | 'warm';

export class Control {
  private heed: ((word: ClientWord) => void) | undefined;
  private readonly cpu: () => number;

  /**
   * `close` lets go of what the worker holds (its socket file above all); the process then ends. `cpu` is asked for
   * microseconds, where it is not this process that works.
   */
  constructor(close: () => void | Promise<void>, cpu = cpuMicroseconds) {
    this.cpu = cpu;
    const end = async (): Promise<void> => {
      await close();
      // What still stands open is the other process's business, or the bench is over.
      process.exit(0);
    };
    process.on('SIGTERM', () => void end());
    createInterface({ input: process.stdin })
      .on('line', (word) => {
        this.answer(word);
      })
      .on('close', () => void end());
  }

  /** What the parent has a client do next. */
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

/** After a collection, pages that are swept only later count as used in some readings: 200 KiB of them, now and then. */
const READINGS = 6;

/** What V8 accounts for: its heap, and what objects there keep outside of it, array buffers included. */
function heldBytes(): number {
  const readings = Array.from({ length: READINGS }, () => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  });
  return Math.min(...readings);
}

/** The second collection takes what finalizers of the first have let go. */
function collectGarbage(): void {
  if (!globalThis.gc) throw new Error('a worker is run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
}

/** Works for so long, then leaves nothing outstanding. `runLoad` fills in the rest. */
export type Phase = (seconds: number) => Promise<Omit<LoadResult, 'clientCpu' | 'errors'>>;

/** The life of a client: warm up on the connections that will be measured until it is told `go`, measure once, tell. */
export async function runLoad(control: Control, phase: Phase, { warmup, seconds }: Words): Promise<void> {
  do {
    const warmed = warmup > 0 ? await phase(warmup) : { seconds: 0, operations: 0 };
    tell({ warm: true, seconds: warmed.seconds, operations: warmed.operations });
  } while ((await control.nextWord()) === 'warm');
  const before = cpuMicroseconds();
  const result = await phase(seconds);
  tell({ result: { ...result, clientCpu: cpuMicroseconds() - before, errors: 0 } });
}
