/** A piece of work that is measured without sockets, by ours and by node's own code in one process. */
export interface Operation {
  /** How many operations one call of `run` does: one alone is shorter than the clock's step. */
  readonly batch: number;
  /** Throws if not all of them were done. */
  run(): void;
}

/** By subject. Each is made when it is wanted: ours need the addon. */
export type Rivals = Readonly<Record<string, () => Operation>>;

/** An operation that counts what came of it: so much of each of a batch. */
export function counted(batch: number, once: () => void, count: () => number, each = 1, end?: () => void): Operation {
  let before = count();
  return {
    batch,
    run() {
      for (let left = batch; left > 0; left--) once();
      end?.();
      const done = count() - before;
      before += done;
      if (done !== batch * each) throw new Error(`${String(done)} of ${String(batch * each)} were done`);
    },
  };
}
