/** What node itself runs between two timers: next ticks and microtasks. Does nothing if there are none. */
export const runTicks = (process as typeof process & { _tickCallback(): void })._tickCallback.bind(process);
