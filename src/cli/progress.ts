/** How far a long run is: a bar on a terminal, a line a round elsewhere. */
import { SingleBar } from 'cli-progress';

import type { Progress } from '../../bench/run.js';

export interface Display {
  onProgress(progress: Progress): void;
  onWarning(warning: string): void;
  stop(): void;
}

export function progressDisplay(): Display {
  const onWarning = (warning: string): void => {
    process.stderr.write(`note: ${warning}\n`);
  };
  if (!process.stderr.isTTY) return { ...lineDisplay(), onWarning };
  const bar = new SingleBar({
    format: '{bar} {percentage} %  round {round} of {rounds}  {left}  {label}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  });
  let shown = false;
  return {
    onProgress({ done, total, round, rounds, label, remainingSeconds }) {
      const words = { round, rounds, label, left: `${String(Math.ceil(remainingSeconds))} s left` };
      if (shown) bar.update(done, words);
      else bar.start(total, done, words);
      shown = true;
    },
    onWarning,
    stop() {
      bar.stop();
    },
  };
}

/** A line a round. */
function lineDisplay(): Pick<Display, 'onProgress' | 'stop'> {
  let last = 0;
  return {
    onProgress({ done, total, round, rounds }) {
      if (round === last) return;
      last = round;
      process.stderr.write(
        `round ${String(round)} of ${String(rounds)}: ${String(done)} of ${String(total)} cells are done\n`,
      );
    },
    stop() {
      // Lines stand.
    },
  };
}
