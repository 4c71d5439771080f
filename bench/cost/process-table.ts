/** Which processes there are, and which of them belong together: what a server starts is found by its ancestry. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Undefined where `ps` tells no number. */
  readonly session: number | undefined;
  /** When it began, in the system's own form: tells it from a later process that got the same number. */
  readonly started: string;
}

/**
 * An environment variable that a run gives to all that it starts, so that what has left its group is found as well. Its
 * value is the run's mark and the launch's number.
 */
export const MARK_VARIABLE = 'NEARWIRE_COST_RUN';

/** All processes but those that are dead and not yet waited for. */
export function readProcesses(): ProcessEntry[] {
  return process.platform === 'linux' ? readProc() : readPs();
}

/** The leader, its group and session, and all that these have started, as long as their parents live. */
export function membersOf(leader: number): number[] {
  return [...familyOf(readProcesses(), ({ pid, group, session }) => [pid, group, session].includes(leader)).keys()];
}

/** As `membersOf`, and remembers who was one: those whose parents have ended are still known then. */
export class Members {
  private known: ReadonlyMap<number, string> = new Map();
  private readonly leader: number;

  constructor(leader: number) {
    this.leader = leader;
  }

  look(): number[] {
    this.known = familyOf(
      readProcesses(),
      ({ pid, group, session, started }) =>
        [pid, group, session].includes(this.leader) || this.known.get(pid) === started,
    );
    return [...this.known.keys()];
  }
}

/** Those that are `first`, and what they have started; with when they began. */
function familyOf(table: readonly ProcessEntry[], first: (entry: ProcessEntry) => boolean): Map<number, string> {
  const family = new Map(table.filter(first).map(({ pid, started }) => [pid, started]));
  for (let grown = true; grown;) {
    const children = table.filter(({ pid, parent }) => family.has(parent) && !family.has(pid));
    children.forEach(({ pid, started }) => family.set(pid, started));
    grown = children.length > 0;
  }
  return family;
}

/**
 * Those that a run has started, or one launch of it, by their environment: a launch's mark begins with its run's. Only
 * Linux lets it be read; elsewhere there are none.
 */
export function markedProcesses(mark: string): number[] {
  if (process.platform !== 'linux') return [];
  const wanted = `${MARK_VARIABLE}=${mark}`;
  return pidsInProc().filter(
    (pid) =>
      contents(`/proc/${String(pid)}/environ`)
        ?.split('\0')
        .some((variable) => variable.startsWith(wanted)) === true,
  );
}

/** Program and arguments as `ps` shows them, which servers change to tell what a process does. */
export function titleOf(pid: number): string {
  if (process.platform === 'linux')
    return (
      contents(`/proc/${String(pid)}/cmdline`)
        ?.replaceAll('\0', ' ')
        .trim() ?? ''
    );
  return ps(['-o', 'command=', '-p', String(pid)]).trim();
}

function readProc(): ProcessEntry[] {
  return pidsInProc().flatMap((pid) => {
    const stat = contents(`/proc/${String(pid)}/stat`);
    // The second field is the program's name in parentheses, which may contain anything.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    const [state, parent, group, session] = fields;
    const started = fields[STARTED_FIELD];
    if (started === undefined || state === 'Z' || state === 'X') return [];
    return [{ pid, parent: Number(parent), group: Number(group), session: Number(session), started }];
  });
}

/** proc(5)'s 22nd field, of which the first two are before those that are counted. */
const STARTED_FIELD = 19;

function pidsInProc(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Undefined for a process that has ended, or is another user's. */
function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function readPs(): ProcessEntry[] {
  return ps(['-axo', 'pid=,ppid=,pgid=,state=,lstart='])
    .split('\n')
    .flatMap((line) => {
      const [pid, parent, group, state, ...started] = line.trim().split(/\s+/);
      if (state === undefined || state.startsWith('Z')) return [];
      const numbers = { pid: Number(pid), parent: Number(parent), group: Number(group) };
      return [{ ...numbers, session: undefined, started: started.join(' ') }];
    });
}

function ps(words: readonly string[]): string {
  try {
    return execFileSync('ps', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    // It exits with 1 where no process is as asked for.
    if ((error as { status?: unknown }).status === 1) return '';
    throw error;
  }
}
