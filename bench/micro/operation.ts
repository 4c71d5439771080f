/** An operation that is measured without sockets, in nearwire's and in node's code in one process. */
export interface Operation {
  /** The number of operations per call of `run`: a single one is shorter than the clock's step. */
  readonly batch: number;
  /** Throws if not all of them were done. */
  run(): void;
}

/** By subject. Each is made on demand, because nearwire's need the addon. */
export type Rivals = Readonly<Record<string, () => Operation>>;

/** An operation that verifies its effect: `each` per operation of a batch. */
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
