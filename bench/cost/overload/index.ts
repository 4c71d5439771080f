/**
 * What happens at the limits, each driven until it is met: the listen queue, ports, buffers. Every drive is a process,
 * in a network of its own where the host allows that, and leaves nothing behind.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { isMessage, Peer, PeerError } from '../../peer.js';
import type { Overload, Program, ProgramName } from '../model.js';
import type { DriveName } from './drive.js';
import { programFile, type LabWords } from './lab.js';
import { findIsolation, isolated, portRange, type Isolation } from './network.js';
import { portsNotDriven } from './ports.js';

export interface OverloadContext {
  readonly programs: ReadonlyMap<ProgramName, Program>;
  /** An empty folder, with a short path: for sockets, configurations and logs. What is put there is removed. */
  readonly folder: string;
  /** Aborted: everything that was started ends, and runOverloads() throws its reason. */
  readonly signal: AbortSignal;
  /** Told what is done now, and how many of the drives are done. */
  onProgress?(label: string, done: number, total: number): void;
  /** Told why a drive is left out or has failed: the others are driven all the same. */
  onFailure?(reason: string): void;
  /** Only these. */
  readonly only?: readonly DriveName[] | undefined;
  /** Smaller limits, which are met sooner: some seconds in all. Default: false, less than a minute. */
  readonly quick?: boolean | undefined;
}

/** Without nginx: what is between the application and its reader. */
const WITHOUT_FRONT: readonly DriveName[] = ['buffers-unix', 'buffers-tcp'];
const ALL: readonly DriveName[] = ['queue-unix', 'queue-tcp', 'ports', 'buffers-unix', 'buffers-tcp', 'buffers-front'];
/** Between two words of a drive: what takes longer has hung. */
const STEP_MS = 60_000;

export async function runOverloads(context: OverloadContext): Promise<Overload[]> {
  const isolation = findIsolation();
  const drives = context.only ?? ALL;
  const overloads: Overload[] = [];
  for (const [done, name] of drives.entries()) {
    context.signal.throwIfAborted();
    try {
      overloads.push(
        ...(await runDrive(name, isolation, context, (label) => {
          context.onProgress?.(label, done, drives.length);
        })),
      );
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof PeerError)) throw error;
      context.onFailure?.(`${name}: ${error.message}`);
    }
  }
  return overloads;
}

async function runDrive(
  name: DriveName,
  isolation: Isolation,
  context: OverloadContext,
  onStep: (label: string) => void,
): Promise<Overload[]> {
  const nginx = context.programs.get('nginx');
  const hostPorts = portRange();
  if (name === 'ports' && 'reason' in isolation) return [portsNotDriven(isolation.reason, hostPorts)];
  if (nginx?.file === undefined && !WITHOUT_FRONT.includes(name)) {
    throw new PeerError(`nginx is not installed: ${nginx?.install ?? 'apt-get install nginx'}`);
  }
  const folder = join(context.folder, name);
  mkdirSync(folder);
  const words: LabWords = {
    folder,
    nginx: nginx?.file,
    isolated: 'words' in isolation,
    hostPorts,
    quick: context.quick === true,
  };
  const program = { command: process.execPath, args: [programFile('drive.js')] };
  const peer = new Peer(name, isolated(isolation, program), [name, JSON.stringify(words)], context.signal);
  try {
    for (;;) {
      const { told } = await peer.expect('told', STEP_MS);
      if (!isMessage(told)) throw new PeerError(`${name} told nothing`);
      if (typeof told['step'] === 'string') onStep(told['step']);
      else return told['overloads'] as Overload[];
    }
  } finally {
    await peer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
