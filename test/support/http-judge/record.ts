/** What is seen of a case, and how two such records are compared. */

export interface Entry {
  /** Whose it is: the server's, a request's, a response's, and so on. */
  readonly of: string;
  readonly what: string;
}

/** Of a record: what follows belongs to the step that is named. */
export const STEP = 'step';

function byOwner(a: Entry, b: Entry): number {
  return a.of < b.of ? -1 : a.of > b.of ? 1 : 0;
}

/**
 * The record with each one's events of a step in their own order, but none among those of others: an answer finishes later
 * on native sockets (docs/compatibility.md).
 */
export function eachByItself(record: readonly Entry[]): string[] {
  const steps: Entry[][] = [[]];
  for (const entry of record) {
    if (entry.of === STEP) steps.push([]);
    steps.at(-1)?.push(entry);
  }
  return asText(steps.flatMap((step) => step.sort(byOwner)));
}

export function asText(record: readonly Entry[]): string[] {
  return record.map(({ of, what }) => `${of}: ${what}`);
}

/** The same as it is seen by a client of a server that has left nothing in the kernel when it closes. */
export function withoutReset(record: readonly Entry[]): Entry[] {
  return record.map(({ of, what }) => ({ of, what: of === 'client' ? what.replace('<ECONNRESET>', '<end>') : what }));
}
