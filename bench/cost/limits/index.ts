/** `nearwire cost limits`: drives the queue, the ports and the buffers of a hop until each gives out. */
import { setMaxListeners } from 'node:events';

import { addonStatus } from '../../../src/native.js';
import { inspectHost, readVersions } from '../../host.js';
import { PeerError } from '../../peer.js';
import { NothingToRun, type RunControl } from '../../run.js';
import { isAborted } from '../aborted.js';
import { Processes, StackError } from '../processes.js';
import { findPrograms, missingOf } from '../programs.js';
import { limitCases, type Case, type Need } from './cases.js';
import type { Limit, LimitsResult, Reading } from './model.js';
import { findNamespace } from './namespace.js';
import type { Lab } from './servers.js';

/** Throws NothingToRun where it cannot be done. */
export async function driveLimits({ command, signal, onProgress, onWarning }: RunControl): Promise<LimitsResult> {
  const started = new Date();
  if (process.platform !== 'linux') throw new NothingToRun(['the limits are those of Linux']);
  const programs = await findPrograms();
  const [nginx, floor] = [programs.get('nginx'), programs.get('floor')];
  if (nginx?.file === undefined || floor?.file === undefined) {
    throw new NothingToRun([missingOf(['nginx', 'floor'], programs) ?? '']);
  }
  const { host, warnings: notes } = await inspectHost();
  notes.forEach(onWarning);
  // Each request and each server listens to it.
  setMaxListeners(0, signal);
  const processes = await Processes.start(signal);
  const own = { floor: floor.file, namespace: findNamespace(), wsgi: undefined, app: undefined };
  const lab: Lab = { processes, programs, signal, ...own };
  const missing = { namespace: own.namespace.missing, addon: addonStatus().reason?.message };
  const [limits, failures]: [Limit[], string[]] = [[], []];
  const cases = limitCases();
  const steps = { total: cases.length, round: 1, rounds: 1, phase: 'limits', remainingSeconds: 0 };
  try {
    for (const [done, each] of cases.entries()) {
      onProgress({ ...steps, done, label: each.title });
      try {
        limits.push(await drive(each, lab, missing));
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
    ...{ schema: 1, host, versions: readVersions(), nginx: nginx.version ?? 'unknown' },
    ...{ command, started: started.toISOString(), seconds: (Date.now() - started.getTime()) / 1e3 },
    ...{ limits, notes, failures, interrupted: signal.aborted },
  };
}

async function drive(
  { needs, rows, ...limit }: Case,
  lab: Lab,
  missing: Record<Need, string | undefined>,
): Promise<Limit> {
  const notTried = needs && missing[needs];
  if (notTried !== undefined) return { ...limit, readings: [], notTried };
  const readings: Reading[] = [];
  for (const [setting, driveIt, need] of rows) {
    if (need && missing[need] !== undefined) continue;
    readings.push({ setting, ...(await driveIt(lab)) });
  }
  return { ...limit, readings };
}
