/** How a long run is ended by a signal. */

/** As a shell tells of a program that a signal ended: 128 and its number. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A signal ends the run in order, with what has been measured; more of them change nothing, as that takes no time. */
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
