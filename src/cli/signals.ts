/** How signals end a long run. */

/** A shell's exit code for a program killed by a signal: 128 plus its number. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * The first signal ends the run in order, with what has been measured; further ones change nothing, as that is quick.
 */
export function abortOnSignals(abort: AbortController): () => void {
  const undo: (() => void)[] = [];
  for (const [signal, exitCode] of Object.entries(SIGNAL_EXITS)) {
    const listener = (): void => {
      process.exitCode = exitCode;
      abort.abort(new Error(`ended by ${signal}`));
    };
    process.on(signal, listener);
    undo.push(() => process.off(signal, listener));
  }
  return () => {
    undo.forEach((remove) => {
      remove();
    });
  };
}
