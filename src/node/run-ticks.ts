/** What node itself runs between two timers: next ticks and microtasks. */
const callTicks = (process as typeof process & { _tickCallback(): void })._tickCallback.bind(process);

let span = 0;
let isRunning = false;
let isAwaited = false;

/** Runs next ticks and microtasks. Does nothing if there are none. */
export function runTicks(): void {
  const isNested = isRunning;
  isRunning = true;
  span++;
  try {
    callTicks();
  } finally {
    isRunning = isNested;
    span++;
  }
}

/** Between two values that are equal no tick has been run. Within ticks that is so of values of `markSpan` only. */
export function currentSpan(): number {
  return span;
}

/** The same; one that is read behind the ticks that are queued now is another. */
export function markSpan(): number {
  if (isRunning && !isAwaited) {
    isAwaited = true;
    process.nextTick(nextSpan);
  }
  return span;
}

function nextSpan(): void {
  isAwaited = false;
  span++;
}
