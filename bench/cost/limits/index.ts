/** `nearwire cost limits`: drives the queue, the ports and the buffers of a hop until each is exhausted. */
import { setMaxListeners } from 'node:events';

import { inspectHost, readVersions } from '../../host.js';
import { PeerError } from '../../peer.js';
import { NothingToRun, type RunControl } from '../../run.js';
import { isAborted } from '../aborted.js';
import { Processes, StackError } from '../processes.js';
import { findPrograms, missingOf } from '../programs.js';
import { limitCases, type Case } from './cases.js';
import type { Limit, LimitsResult, Reading } from './model.js';
import { findNamespace } from './namespace.js';
import type { Lab } from './servers.js';

/** Throws NothingToRun if that is not possible. */
export async function driveLimits({ command, signal, onProgress, onWarning }: RunControl): Promise<LimitsResult> {
  const started = new Date();
  if (process.platform !== 'linux') throw new NothingToRun(['the limits are specific to Linux']);
  const programs = await findPrograms();
  const absent = missingOf(['nginx', 'floor'], programs);
  if (absent !== undefined) throw new NothingToRun([absent]);
  const { host, warnings: notes } = await inspectHost();
  notes.forEach(onWarning);
  // Each request and each server listens to it.
  setMaxListeners(0, signal);
  const processes = await Processes.start(signal);
  const lab: Lab = { processes, programs, signal, namespace: findNamespace(), wsgi: undefined, app: undefined };
  const [limits, failures]: [Limit[], string[]] = [[], []];
  const cases = limitCases(lab);
  const steps = { total: cases.length, round: 1, rounds: 1, phase: 'limits', remainingSeconds: 0 };
  try {
    for (const [done, each] of cases.entries()) {
      onProgress({ ...steps, done, label: each.title });
      try {
        limits.push(await drive(each, lab));
      } catch (error) {
        if (isAborted(signal)) break;
        if (!(error instanceof StackError || error instanceof PeerError)) throw error;
        failures.push(`${each.title}: ${error.message}`);
      }
    }
  } finally {
    await processes.end();
  }
  if (limits.length === 0) signal.throwIfAborted();
  return {
    ...{ schema: 1, host, versions: readVersions(), nginx: programs.get('nginx')?.version ?? 'unknown' },
    ...{ command, started: started.toISOString(), seconds: (Date.now() - started.getTime()) / 1e3 },
    ...{ limits, notes, failures, interrupted: signal.aborted },
  };
}

async function drive({ rows, ...limit }: Case, lab: Lab): Promise<Limit> {
  const readings: Reading[] = [];
  if (limit.notTried !== undefined) return { ...limit, readings };
  for (const [setting, driveIt] of rows) readings.push({ setting, ...(await driveIt(lab)) });
  return { ...limit, readings };
}
