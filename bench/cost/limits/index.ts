/** `nearwire cost limits`: drives the queue, the ports and the buffers of a hop until each gives out. */
import { setMaxListeners } from 'node:events';

import { inspectHost, readVersions } from '../../host.js';
import { PeerError } from '../../peer.js';
import { NothingToRun, type RunControl } from '../../run.js';
import { isAborted } from '../aborted.js';
import { Processes, StackError } from '../processes.js';
import { findPrograms, missingOf } from '../programs.js';
import { driveProxyBuffers, driveSendBuffer } from './buffers.js';
import type { Limit, LimitsResult } from './model.js';
import { findNamespace } from './namespace.js';
import { drivePorts } from './ports.js';
import { driveTcpQueue, driveUnixQueue } from './queue.js';
import type { Lab } from './servers.js';

const DRIVES: readonly (readonly [string, (lab: Lab) => Promise<Limit>])[] = [
  ['the listen queue, UNIX', driveUnixQueue],
  ['the listen queue, TCP', driveTcpQueue],
  ['ports', drivePorts],
  ["nginx's buffers", driveProxyBuffers],
  ['the send buffer', driveSendBuffer],
];
const STEPS = { total: DRIVES.length, round: 1, rounds: 1, phase: 'limits', remainingSeconds: 0 };

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
  const lab: Lab = { processes, nginx: nginx.file, floor: floor.file, namespace: findNamespace(), signal };
  const [limits, failures]: [Limit[], string[]] = [[], []];
  try {
    for (const [done, [label, drive]] of DRIVES.entries()) {
      onProgress({ ...STEPS, done, label });
      try {
        limits.push(await drive(lab));
      } catch (error) {
        if (isAborted(signal)) break;
        if (!(error instanceof StackError || error instanceof PeerError)) throw error;
        failures.push(`${label}: ${error.message}`);
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
