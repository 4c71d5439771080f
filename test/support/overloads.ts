/** Demonstrations of overload as `nearwire cost` runs them, with limits that are met within seconds. */
import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import type { DriveName } from '../../bench/cost/overload/drive.js';
import { runOverloads } from '../../bench/cost/overload/index.js';
import type { Overload, OverloadMove, Program, ProgramName } from '../../bench/cost/model.js';
import { temporaryDirectory } from './sockets.js';

export interface Driven {
  readonly overloads: readonly Overload[];
  readonly steps: readonly string[];
  readonly failures: readonly string[];
}

export interface Driving {
  readonly folder?: string;
  readonly signal?: AbortSignal;
  readonly onStep?: (label: string) => void;
}

/** `nginx`: its program; undefined where it is not installed. */
export async function driven(
  only: DriveName,
  nginx: string | undefined,
  { folder = temporaryDirectory(), signal = new AbortController().signal, onStep }: Driving = {},
): Promise<Driven> {
  const [steps, failures]: string[][] = [[], []];
  const program: Program = { name: 'nginx', file: nginx, version: undefined, install: 'apt-get install nginx' };
  const overloads = await runOverloads({
    programs: new Map<ProgramName, Program>([['nginx', program]]),
    folder,
    signal,
    onProgress(label) {
      steps?.push(label);
      onStep?.(label);
    },
    onFailure: (reason) => failures?.push(reason),
    only: [only],
    quick: true,
  });
  expect(readdirSync(folder)).toEqual([]);
  return { overloads, steps: steps ?? [], failures: failures ?? [] };
}

/** The one that is to be there. */
export function moveOf(overload: Overload | undefined, setting: string): OverloadMove {
  const found = overload?.moves?.find((move) => move.setting.includes(setting));
  if (found === undefined) throw new Error(`nothing was done with ${setting}: ${String(overload?.setting)}`);
  return found;
}
