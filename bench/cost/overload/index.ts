/**
 * What happens at the limits, each driven until it is met: the listen queue, ports, buffers. Every drive is a process,
 * in a network of its own where the host allows that, and leaves nothing behind.
 */
import { isMessage, Peer, PeerError } from '../../peer.js';
import type { Overload, Program, ProgramName } from '../model.js';
import type { DriveName } from './drive.js';
import { programFile, type LabWords } from './lab.js';
import { findIsolation, isolated, portRange, type Isolation } from './network.js';
import { portsNotDriven } from './ports.js';

export interface OverloadContext {
  readonly programs: ReadonlyMap<ProgramName, Program>;
  /** Aborted: everything that was started ends, and then runOverloads() throws its reason. */
  readonly signal: AbortSignal;
  /** Told what is done now, and how many of the drives are done. */
  onProgress?(label: string, done: number, total: number): void;
  /** Told why a drive is left out or has failed: the others are driven all the same. */
  onFailure?(reason: string): void;
  /** Only these. */
  readonly only?: readonly DriveName[] | undefined;
  /** Smaller limits, which are met sooner: some seconds in all. Default: false, about a minute. */
  readonly quick?: boolean | undefined;
}

const NEEDS: Readonly<Record<DriveName, readonly ProgramName[]>> = {
  'queue-unix': ['nginx'],
  'queue-tcp': ['nginx'],
  'queue-uwsgi': ['nginx', 'uwsgi', 'uwsgi-python3'],
  ports: ['nginx'],
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
    context.signal.throwIfAborted();
    const reason = missing(name, context);
    if (reason !== undefined) {
      context.onFailure?.(`${name}: ${reason}`);
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
      context.signal.throwIfAborted();
      if (!(error instanceof PeerError)) throw error;
      context.onFailure?.(`${name}: ${error.message}`);
    }
  }
  return overloads;
}

function missing(name: DriveName, { programs }: OverloadContext): string | undefined {
  const absent = NEEDS[name].filter((program) => programs.get(program)?.file === undefined);
  if (absent.length === 0) return undefined;
  const installs = absent.map((program) => programs.get(program)?.install ?? program);
  return `not installed: ${installs.join(', ')}`;
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
      else return told['overloads'] as Overload[];
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await peer.stop();
  }
}
