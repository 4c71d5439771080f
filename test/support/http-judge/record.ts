/** What is seen of a case, and how two such records are compared. */

export interface Entry {
  /** Whose it is: the server's, a request's, a response's, and so on. */
  readonly of: string;
  readonly what: string;
}

/** Of a record: what follows belongs to the step that is named. */
export const STEP = 'step';

/**
 * What docs/drop-in.md admits, of native sockets alone. An answer finishes later: so each one's events have their own
 * order, but none among those of others. A socket closes earlier behind a last answer: so what is wrong with the bytes
 * behind that is told of a socket that is closed already. And it has read more by then: a client meets an end where
 * node's, for what it left in the kernel, meets a reset.
 */
const ADMITTED: readonly ((entry: Entry) => Entry)[] = [
  ({ of, what }) => ({ of, what: of === 'server' ? what.replace(/^(clientError \w+) .*/, '$1') : what }),
  ({ of, what }) => ({ of, what: of === 'socket' ? what.replace(/^close .*/, 'close') : what }),
  ({ of, what }) => ({ of, what: of === 'client' ? what.replace('<ECONNRESET>', '<end>') : what }),
  ({ of, what }) => ({ of, what: of.startsWith('response') ? what.replace(/^close .*/, 'close') : what }),
];

function isAdmitted({ of, what }: Entry): boolean {
  return of === 'socket' && what.startsWith('error');
}

function byOwner(a: Entry, b: Entry): number {
  return a.of < b.of ? -1 : a.of > b.of ? 1 : 0;
}

/** The record without what is admitted to differ. */
export function comparable(record: readonly Entry[]): string[] {
  const steps: Entry[][] = [[]];
  for (const entry of record) {
    if (entry.of === STEP) steps.push([]);
    if (!isAdmitted(entry)) steps.at(-1)?.push(ADMITTED.reduce((reduced, admit) => admit(reduced), entry));
  }
  return steps.flatMap((step) => step.sort(byOwner)).map(({ of, what }) => `${of}: ${what}`);
}

/** The record as it is. */
export function strict(record: readonly Entry[]): string[] {
  return record.map(({ of, what }) => `${of}: ${what}`);
}
