/**
 * Watches connections by looking at them now and then: what node keeps back for want of room, and what stands in the
 * kernel. For node's own sockets, of which nothing else can be seen, and for single connections.
 */
import type { NativeAddon, NativeSocketDescription } from '../binding/addon.js';
import { answerClass, answersOf, median, type SendEvidence } from './evidence.js';
import type { Observer } from './observe.js';
import type { Sampled } from './sampled.js';

/** Connections looked at each time: with more of them, each in its turn. */
const MOST = 200;
/** Of those, buffers that the kernel is asked for: it costs some system calls each, and a few tell of all. */
const MOST_BUFFERS = 16;

/** What the last look has seen of a connection. */
interface Seen {
  bytesRead: number;
  bytesWritten: number;
  /** Bytes that had been written when something was last received. */
  answerStart: number;
  waiting: boolean;
  /** The answer that is under way has waited. */
  answerWaited: boolean;
}

/** Finds the connections there are. */
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

  /** `addon`: undefined where it did not load; then nothing is known of what stands in the kernel. */
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
      // Its bytes up to now are not of this while; a first look can't tell where an answer began.
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
      // What has been written since the last look is the answer to what has come since then.
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
    const over = this.lastLook - this.since;
    const connections = this.seen.size;
    for (const state of this.seen.values()) this.endAnswer(state);
    const counts = Array.from(this.answers, (count: number | undefined) => count ?? 0);
    return {
      source: 'samples',
      over,
      connections,
      bytesSent: this.bytesSent,
      sends: undefined,
      partialSends: undefined,
      sendEagains: undefined,
      waits: this.waits,
      waiting: over > 0 ? this.waited / over : 0,
      meanWait: this.waits > 0 ? this.waited / this.waits : undefined,
      answers: answersOf(counts),
      sendBufferSize: this.sendBufferSize,
      tcp: this.tcp,
    };
  }
}
