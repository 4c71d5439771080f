/**
 * The closed loops of rtt and pipeline, apart from what carries the bytes. The transport tells how many bytes came;
 * the loop answers how many messages are to be sent now.
 */
import { Histogram } from '../histogram.js';
import type { Load } from './control.js';

type PhaseResult = Awaited<ReturnType<Load['phase']>>;

export class ClosedLoop implements Load {
  private readonly bytes: number;
  private readonly window: number;
  private readonly send: (messages: number) => void;
  private readonly latency: Histogram | undefined;
  private received = 0;
  private outstanding = 0;
  private operations = 0;
  private ending = false;
  private startedAt = 0;
  private endsAt = 0;
  private sentAt = 0;
  private seconds = 0;
  private settle: ((result: PhaseResult) => void) | undefined;

  /** Latency is taken with a window of one message only: there it is the time from one send to its echo's last byte. */
  constructor(bytes: number, window: number, send: (messages: number) => void) {
    this.bytes = bytes;
    this.window = window;
    this.send = send;
    this.latency = window === 1 ? new Histogram() : undefined;
  }

  phase(seconds: number): Promise<PhaseResult> {
    return new Promise((resolve) => {
      this.settle = resolve;
      this.latency?.reset();
      this.operations = 0;
      this.ending = false;
      this.outstanding = this.window;
      this.startedAt = this.sentAt = performance.now();
      this.endsAt = this.startedAt + seconds * 1e3;
      this.send(this.window);
    });
  }

  /** Bytes of echoes came. */
  came(length: number): void {
    const received = this.received + length;
    if (received < this.bytes) {
      this.received = received;
      return;
    }
    const messages = Math.floor(received / this.bytes);
    this.received = received - messages * this.bytes;
    if (this.ending) {
      this.outstanding -= messages;
      this.endIfSilent();
      return;
    }
    this.operations += messages;
    const now = performance.now();
    this.latency?.record(now - this.sentAt);
    if (now >= this.endsAt) {
      this.ending = true;
      this.seconds = (now - this.startedAt) / 1e3;
      this.outstanding -= messages;
      this.endIfSilent();
      return;
    }
    this.sentAt = now;
    this.send(messages);
  }

  private endIfSilent(): void {
    if (this.outstanding > 0) return;
    const { seconds, operations } = this;
    const result = { seconds, operations, bytes: operations * this.bytes };
    this.settle?.(this.latency ? { ...result, latency: this.latency.summary() } : result);
  }
}
