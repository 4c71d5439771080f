/** Demonstrations of overload as `nearwire cost` runs them, with limits that are met within seconds. */
import type { DriveName } from '../../bench/cost/overload/drive.js';
import { runOverloads } from '../../bench/cost/overload/index.js';
import type { Overload, OverloadMove, Program, ProgramName } from '../../bench/cost/model.js';
import { findPrograms } from '../../bench/cost/programs.js';
import { cleanup, temporaryDirectory } from './sockets.js';

export interface Driven {
  readonly overloads: readonly Overload[];
  readonly steps: readonly string[];
  readonly failures: readonly string[];
  readonly leftOut: readonly string[];
}

export interface Driving {
  readonly signal?: AbortSignal;
  readonly onStep?: (label: string) => void;
  /** Default: those that this host has. */
  readonly programs?: ReadonlyMap<ProgramName, Program>;
}

/** Runs one of them. */
export async function driven(only: DriveName, { signal, onStep, programs }: Driving = {}): Promise<Driven> {
  const steps: string[] = [];
  const failures: string[] = [];
  const leftOut: string[] = [];
  const overloads = await runOverloads({
    programs: programs ?? (await findPrograms()),
    signal: signal ?? new AbortController().signal,
    onProgress(label) {
      steps.push(label);
      onStep?.(label);
    },
    onFailure: (reason) => failures.push(reason),
    onLeftOut: (reason) => leftOut.push(reason),
    only: [only],
    quick: true,
  });
  return { overloads, steps, failures, leftOut };
}

/** A folder that the runs of this test make their own in. */
export function runsFolder(): string {
  const folder = temporaryDirectory();
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  cleanup(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  return folder;
}

/** Until the test is over no namespace can be made: there is no `unshare` to be found. */
export function withoutNamespaces(): void {
  const before = process.env['PATH'];
  process.env['PATH'] = temporaryDirectory();
  cleanup(() => {
    if (before !== undefined) process.env['PATH'] = before;
  });
}

/** The one that is to be there. */
export function moveOf(overload: Overload | undefined, setting: string): OverloadMove {
  const found = overload?.moves?.find((move) => move.setting.includes(setting));
  if (found === undefined) throw new Error(`nothing was done with ${setting}: ${String(overload?.setting)}`);
  return found;
}
