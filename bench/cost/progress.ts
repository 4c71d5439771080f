/** What the display is told during a run. */
import type { RunControl } from '../run.js';
import type { Effort } from './effort.js';

/** Of one configuration's start and warm-up, until some have shown better. */
const START_SECONDS = 2;

export class CostProgress {
  private readonly configurations: number;
  private readonly blocks: number;
  private readonly sweeps: number[];
  private readonly onProgress: RunControl['onProgress'];
  private readonly begun = performance.now();
  private done = 0;
  private verdict = '';

  constructor(configurations: number, { blocks, sweeps }: Effort, onProgress: RunControl['onProgress']) {
    this.configurations = configurations;
    this.blocks = blocks;
    this.sweeps = Array.from({ length: blocks }, () => sweeps.most);
    this.onProgress = onProgress;
  }

  /** What is shown from here on. */
  say(verdict: string): void {
    this.verdict = verdict;
  }

  /** From this block on, as far as is known. */
  willSweep(block: number, sweeps: number): void {
    this.sweeps.fill(sweeps, block);
  }

  starts(block: number, name: string): void {
    this.tell(block, `starts ${name}`);
  }

  started(): void {
    this.done++;
  }

  swept(block: number): void {
    this.done++;
    this.tell(block, 'sweeps');
  }

  private tell(block: number, label: string): void {
    const { done, blocks, configurations, verdict } = this;
    const total = blocks * configurations + this.sweeps.reduce((sum, sweeps) => sum + sweeps, 0);
    const seconds = (performance.now() - this.begun) / 1e3;
    const remainingSeconds = done === 0 ? blocks * configurations * START_SECONDS : (seconds / done) * (total - done);
    const interim = verdict === '' ? {} : { interim: verdict };
    this.onProgress({ done, total, round: block + 1, rounds: blocks, label, remainingSeconds, ...interim });
  }
}
