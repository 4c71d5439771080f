/**
 * What happens at the limits, each driven until it is met: the listen queue, ports, buffers. Every drive is a process,
 * in a network of its own where the host allows that, and leaves nothing behind.
 */
import { isMessage, Peer, PeerError } from '../../peer.js';
import { isAborted } from '../aborted.js';
import type { Overload, Program, ProgramName } from '../model.js';
import type { DriveName } from './drive.js';
import { programFile, type LabWords } from './lab.js';
import { findIsolation, isolated, OVERFLOWS, portRange, tcpCounter, type Isolation } from './network.js';
import { portsNotDriven } from './ports.js';

export interface OverloadContext {
  readonly programs: ReadonlyMap<ProgramName, Program>;
  /** Aborted: everything that was started ends, and then runOverloads() answers what had been driven by then. */
  readonly signal: AbortSignal;
  /** Told what is done now, and how many of the drives are done. */
  onProgress?(label: string, done: number, total: number): void;
  /** Told why a drive can not be on this host, as for want of a program: the others are driven all the same. */
  onLeftOut?(reason: string): void;
  /** Told why a drive has failed: the others are driven all the same. */
  onFailure?(reason: string): void;
  /** Only these. */
  readonly only?: readonly DriveName[] | undefined;
  /** Smaller limits, which are met sooner: some seconds in all. Default: false, one to two minutes. */
  readonly quick?: boolean | undefined;
}

const NEEDS: Readonly<Record<DriveName, readonly ProgramName[]>> = {
  'queue-unix': ['nginx', 'floor'],
  'queue-tcp': ['nginx', 'floor'],
  'queue-uwsgi': ['nginx', 'uwsgi', 'uwsgi-python3', 'floor'],
  ports: ['nginx', 'floor'],
  // What is between the application and its reader.
  'buffers-unix': [],
  'buffers-tcp': [],
  'buffers-front': ['nginx'],
};
/** Between two words of a drive: what takes longer has hung. */
const STEP_MS = 60_000;

/** In the order in which they are driven. */
export const DRIVE_NAMES = Object.keys(NEEDS) as readonly DriveName[];

export async function runOverloads(context: OverloadContext): Promise<Overload[]> {
  const isolation = findIsolation();
  const drives = context.only ?? DRIVE_NAMES;
  const overloads: Overload[] = [];
  for (const [done, name] of drives.entries()) {
    if (context.signal.aborted) break;
    const reason = missing(name, context);
    if (reason !== undefined) {
      context.onLeftOut?.(`the overload ${name} was left out: ${reason}`);
      continue;
    }
    if (name === 'ports' && 'reason' in isolation) {
      overloads.push(portsNotDriven(isolation.reason, portRange()));
      continue;
    }
    try {
      const onStep = (label: string): void => context.onProgress?.(label, done, drives.length);
      overloads.push(...(await runDrive(name, isolation, context, onStep)));
    } catch (error) {
      if (isAborted(context.signal)) break;
      if (!(error instanceof PeerError)) throw error;
      context.onFailure?.(`${name}: ${error.message}`);
    }
  }
  return overloads;
}

function missing(name: DriveName, { programs }: OverloadContext): string | undefined {
  const absent = NEEDS[name].filter((program) => programs.get(program)?.file === undefined);
  const installs = absent.map((program) => programs.get(program)?.install ?? program);
  if (absent.length > 0) return `not installed: ${installs.join(', ')}`;
  // Over TCP nothing but the count tells that the queue was full: all are served, late or not.
  if (name === 'queue-tcp' && tcpCounter(OVERFLOWS) === undefined) return `this system does not count ${OVERFLOWS}`;
  return undefined;
}

async function runDrive(
  name: DriveName,
  isolation: Isolation,
  { programs, signal, quick }: OverloadContext,
  onStep: (label: string) => void,
): Promise<Overload[]> {
  const words: LabWords = {
    programs: [...programs.values()],
    isolated: 'words' in isolation,
    hostPorts: portRange(),
    quick: quick === true,
  };
  const program = { command: process.execPath, args: [programFile('drive.js')] };
  // It is not killed when we are aborted, but stopped, and ends what it has started.
  const peer = new Peer(
    name,
    isolated(isolation, program),
    [name, JSON.stringify(words)],
    new AbortController().signal,
  );
  const onAbort = (): void => void peer.stop();
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      const { told } = await peer.expect('told', STEP_MS);
      if (!isMessage(told)) throw new PeerError(`${name} told nothing`);
      if (typeof told['step'] === 'string') onStep(told['step']);
      else if (typeof told['failed'] === 'string') throw new PeerError(told['failed']);
      else return told['overloads'] as Overload[];
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await peer.stop();
  }
}
