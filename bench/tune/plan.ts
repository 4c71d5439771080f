/** What a sweep makes the bench run. */
import { formatBytes } from '../format.js';
import { subjectsWith } from '../lineup.js';
import type { Mode } from '../model.js';
import type { Pace } from '../pace.js';
import type { Choice } from '../plan.js';
import { subjectNamed, SUBJECTS } from '../subjects.js';
import type { BufferChoice, Family, Limits, Way, WayName } from './model.js';
import { distinct, ordered, WAYS } from './model.js';

const KIB = 1024;
const MIB = KIB * KIB;

/** The user's choices; everything is run where none is given. */
export interface SweepChoice {
  readonly mode: Mode;
  readonly family: Family;
  readonly ways?: readonly WayName[];
  readonly sizes?: readonly number[];
  /** The default is always included, as the baseline of the others. */
  readonly buffers?: readonly BufferChoice[];
  readonly rounds?: number;
}

export interface Sweep {
  readonly ways: readonly Way[];
  readonly sizes: readonly number[];
  readonly buffers: readonly BufferChoice[];
  /** The same choice in the bench's format. */
  readonly choice: Choice;
}

interface SweepPace extends Pace {
  readonly sizes: readonly number[];
  readonly buffers: readonly number[];
}

export const PACES: Readonly<Record<Mode, SweepPace>> = {
  default: {
    ...{ rounds: 5, tcpRounds: 5, budget: 560, shortest: 0.1, longest: 0.5 },
    sizes: [16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB],
    buffers: [128 * KIB, 512 * KIB, 2 * MIB, 8 * MIB],
  },
  quick: {
    ...{ rounds: 3, tcpRounds: 3, budget: 52, shortest: 0.05, longest: 0.3 },
    sizes: [256 * KIB, 4 * MIB],
    buffers: [512 * KIB, 2 * MIB],
  },
};

export function sweepOf(choice: SweepChoice, { mostBuffer }: Limits, platform: NodeJS.Platform): Sweep {
  const pace = PACES[choice.mode];
  const ways = WAYS.filter(({ name }) => choice.ways?.includes(name) ?? true);
  const sizes = ordered(choice.sizes ?? pace.sizes);
  const wanted = ordered((choice.buffers ?? pace.buffers).filter((buffer) => buffer !== 'default'));
  // Linux grants what it can; macOS refuses.
  const refused = platform === 'darwin' && mostBuffer !== null ? wanted.filter((buffer) => buffer > mostBuffer) : [];
  const buffers = wanted.filter((buffer) => !refused.includes(buffer));
  const swept = distinct(ways.map(({ subject }) => subject)).flatMap((name) => {
    const cases = ways.filter(({ subject }) => subject === name).map((way) => way.case);
    const subject = { ...subjectNamed(name, SUBJECTS), cases };
    return [subject, ...subjectsWith(subject, buffers)];
  });
  return {
    ...{ ways, sizes, buffers: ['default', ...buffers] },
    choice: {
      // The short warm-up is enough: compiled code does not differ between buffers.
      ...{ mode: 'quick', pace, cases: distinct(ways.map((way) => way.case)), families: [choice.family], bytes: sizes },
      // Plain C reads.
      lineup: [subjectNamed('c', SUBJECTS), ...swept],
      subjects: swept.map(({ name }) => name),
      notes: refused.map(
        (buffer) =>
          `${formatBytes(buffer)} is left out: kern.ipc.maxsockbuf is ${String(mostBuffer)}, and the system refuses more`,
      ),
      ...(choice.rounds !== undefined && { rounds: choice.rounds }),
    },
  };
}
