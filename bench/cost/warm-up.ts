/**
 * When a server is warm. A JIT compiles what is called often, more than once, and each time the rate goes up; caches and
 * pools fill. So a stack is loaded in short windows until the rate has stopped rising: no window of the last few is
 * better than the best before them by more than the noise of a window.
 */

/** Windows that must show no rise. */
const LEVEL_WINDOWS = 3;
/** Of two windows of a level server, the better is rarely better by more. */
const RISE = 1.03;

export interface WarmUpLimits {
  /** Seconds of a window. */
  readonly window: number;
  /** Seconds after which it is measured anyway. */
  readonly longest: number;
}

export interface WarmUp {
  readonly windows: number;
  /** False: the rate was still rising. */
  readonly steady: boolean;
}

/** `window` loads the server for one window, and answers with the rate. */
export async function warmUp(window: () => Promise<number>, limits: WarmUpLimits): Promise<WarmUp> {
  const most = Math.max(LEVEL_WINDOWS + 1, Math.round(limits.longest / limits.window));
  let best = 0;
  let level = 0;
  for (let windows = 1; windows <= most; windows++) {
    const rate = await window();
    level = windows > 1 && rate <= best * RISE ? level + 1 : 0;
    best = Math.max(best, rate);
    if (level === LEVEL_WINDOWS) return { windows, steady: true };
  }
  return { windows: most, steady: false };
}
