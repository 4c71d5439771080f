/**
 * Observes connections by sampling: what node holds back for lack of room, and what is buffered in the kernel. For
 * node's own sockets, which offer nothing else, and for single connections.
 */
import type { NativeAddon, NativeSocketDescription } from '../binding/addon.js';
import { answerClass, answersOf, median, type SendEvidence } from './evidence.js';
import type { Observer } from './observe.js';
import type { Sampled } from './sampled.js';

/** Connections per sample; if there are more, samples take them in rotation. */
const MOST = 200;
/** Of those, connections whose buffers are queried: that costs some system calls each, and a few represent all. */
const MOST_BUFFERS = 16;

/** The state of a connection at the last sample. */
interface Seen {
  bytesRead: number;
  bytesWritten: number;
  /** `bytesWritten` when something was last received. */
  answerStart: number;
  waiting: boolean;
  /** The current response has waited. */
  answerWaited: boolean;
}

/** Finds the current connections. */
export type FindConnections = () => Iterable<Sampled>;

export class Sampler implements Observer {
  private readonly seen = new Map<Sampled, Seen>();
  private since = 0;
  private lastLook = 0;
  private bytesSent = 0;
  private waits = 0;
  private waited = 0;
  private turn = 0;
  private answers: number[] = [];
  private sendBufferSize: number | undefined;
  private tcp = false;

  /** `addon`: undefined if it did not load; then nothing is known of the kernel's buffers. */
  constructor(
    private readonly find: FindConnections,
    private readonly addon: NativeAddon | undefined,
  ) {}

  start(): void {
    this.seen.clear();
    this.since = this.lastLook = performance.now();
    this.bytesSent = this.waits = this.waited = 0;
    this.answers = [];
    this.look();
  }

  look(): void {
    const now = performance.now();
    const passed = now - this.lastLook;
    this.lastLook = now;
    const all = [...this.find()];
    const buffers: number[] = [];
    for (let i = 0; i < Math.min(all.length, MOST); i++) {
      const connection = all[(this.turn + i) % all.length] as Sampled;
      const described = i < MOST_BUFFERS ? this.describe(connection) : undefined;
      if (described !== undefined) {
        buffers.push(described.sendBufferSize);
        this.tcp = described.family === 'tcp';
      }
      this.lookAt(connection, passed * Math.max(1, all.length / MOST));
    }
    this.turn += MOST;
    this.sendBufferSize = median(buffers) ?? this.sendBufferSize;
    for (const [connection, state] of this.seen) {
      if (!connection.closed) continue;
      this.note(connection, state);
      this.endAnswer(state);
      this.seen.delete(connection);
    }
  }

  private describe(connection: Sampled): NativeSocketDescription | undefined {
    const { fd } = connection;
    const described = fd < 0 ? undefined : this.addon?.describeSocket(fd);
    return typeof described === 'object' ? described : undefined;
  }

  private lookAt(connection: Sampled, passed: number): void {
    const { bytesRead, bytesWritten } = connection;
    let state = this.seen.get(connection);
    if (state === undefined) {
      // Its bytes so far were sent before this period; a first sample cannot tell where a response began.
      state = { bytesRead, bytesWritten, answerStart: bytesWritten, waiting: false, answerWaited: false };
      state.answerStart -= connection.pending;
      this.seen.set(connection, state);
    }
    this.note(connection, state);
    const waiting = connection.pending > 0;
    if (waiting && state.waiting) this.waited += passed;
    if (waiting && !state.waiting) this.waits++;
    state.waiting = waiting;
    state.answerWaited ||= waiting;
  }

  private note({ bytesRead, bytesWritten }: Sampled, state: Seen): void {
    if (bytesRead !== state.bytesRead) {
      this.endAnswer(state);
      state.bytesRead = bytesRead;
      // What was written since the last sample is the response to what was received since then.
      state.answerStart = state.bytesWritten;
    }
    this.bytesSent += bytesWritten - state.bytesWritten;
    state.bytesWritten = bytesWritten;
  }

  private endAnswer(state: Seen): void {
    if (!state.answerWaited) return;
    const size = answerClass(state.bytesWritten - state.answerStart);
    this.answers[size] = (this.answers[size] ?? 0) + 1;
    state.answerWaited = false;
  }

  stop(): SendEvidence {
    this.look();
    const duration = this.lastLook - this.since;
    const connections = this.seen.size;
    for (const state of this.seen.values()) this.endAnswer(state);
    const counts = Array.from(this.answers, (count: number | undefined) => count ?? 0);
    return {
      source: 'samples',
      duration,
      connections,
      bytesSent: this.bytesSent,
      sends: undefined,
      partialSends: undefined,
      sendEagains: undefined,
      waits: this.waits,
      waiting: duration > 0 ? this.waited / duration : 0,
      meanWait: this.waits > 0 ? this.waited / this.waits : undefined,
      answers: answersOf(counts),
      sendBufferSize: this.sendBufferSize,
      tcp: this.tcp,
    };
  }
}
