/** Observes a native server: the engine counts everything that its connections do. */
import { SERVER_COUNTERS, type NativeTally } from '../binding/addon.js';
import { answersOf, median, type SendEvidence } from './evidence.js';

/** Observes from `start()` until `stop()`; can be restarted. */
export interface Observer {
  start(): void;
  /** Called from time to time in between. */
  look(): void;
  stop(): SendEvidence;
}

/** Buffer sizes queried per sample; a few represent all. */
const BUFFERS = 64;
const NANOS_PER_MILLI = 1e6;

type Name = (typeof SERVER_COUNTERS)[number];

export class TallyObserver implements Observer {
  private since = 0;
  private totals: ArrayLike<number> = [];
  private answers: ArrayLike<number> = [];
  private sendBufferSize: number | undefined;

  constructor(
    private readonly tally: NativeTally,
    private readonly isTcp: () => boolean,
  ) {}

  start(): void {
    this.since = performance.now();
    this.totals = this.tally.totals();
    this.answers = this.tally.answers(false);
    this.look();
  }

  /** Sampled here because all connections may be closed by the end. */
  look(): void {
    this.sendBufferSize = median(this.tally.sendBuffers(BUFFERS)) ?? this.sendBufferSize;
  }

  stop(): SendEvidence {
    this.look();
    const duration = performance.now() - this.since;
    const now = this.tally.totals();
    const grown = (name: Name): number => {
      const at = SERVER_COUNTERS.indexOf(name);
      return (now[at] ?? 0) - (this.totals[at] ?? 0);
    };
    const waits = grown('waits');
    const waited = grown('waitNanos') / NANOS_PER_MILLI;
    const answers = this.tally.answers(true).map((count, i) => count - (this.answers[i] ?? 0));
    return {
      source: 'engine',
      duration,
      connections: now[SERVER_COUNTERS.indexOf('active')] ?? 0,
      bytesSent: grown('bytesWritten'),
      sends: grown('sends'),
      partialSends: grown('partialSends'),
      sendEagains: grown('sendEagains'),
      waits,
      waiting: duration > 0 ? waited / duration : 0,
      meanWait: waits > 0 ? waited / waits : waited > 0 ? duration : undefined,
      answers: answersOf(answers),
      sendBufferSize: this.sendBufferSize,
      tcp: this.isTcp(),
    };
  }
}
