/**
 * The progress of a long run: a bar on a terminal, otherwise a line per round, and one for each step of later phases.
 */
import { SingleBar } from 'cli-progress';

import type { Progress } from '../run.js';

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
    format: '{bar} {percentage} %  {where}  {left}  {label}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  });
  let shown = false;
  return {
    onProgress({ done, total, round, rounds, label, phase, interim, remainingSeconds }) {
      const where = phase ?? `round ${String(round)} of ${String(rounds)}`;
      // Left out if it is not known.
      const left = remainingSeconds > 0 ? `${String(Math.ceil(remainingSeconds))} s left` : '';
      const words = { where, label: interim ?? label, left };
      // Each phase counts from the start.
      if (shown && bar.getTotal() !== total) bar.setTotal(total);
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

/** A line per round, and one per step of a phase, which has few. */
function lineDisplay(): Pick<Display, 'onProgress' | 'stop'> {
  let last = '';
  return {
    onProgress({ done, total, round, rounds, label, phase, interim }) {
      const key = phase === undefined ? String(round) : `${phase} ${label}`;
      if (key === last) return;
      last = key;
      if (interim !== undefined) process.stderr.write(`${interim}\n`);
      process.stderr.write(
        phase === undefined
          ? `round ${String(round)} of ${String(rounds)}: ${String(done)} of ${String(total)} cells done\n`
          : `${phase}, ${String(done + 1)} of ${String(total)}: ${label}\n`,
      );
    },
    stop() {
      // Lines need no cleanup.
    },
  };
}
