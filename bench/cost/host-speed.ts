/**
 * Whether the host leaves its processors to us. A virtual machine shares them with neighbours that it can't see: one on a
 * core's other hardware thread makes the same work take half as long again, for seconds at a time, and no account of the
 * guest shows it. So the plain C program (bench/floor/host_speed.c) is asked how fast they are, between slices of load.
 * Another load in this system is seen as well.
 */
import { Peer } from '../peer.js';

/** A look takes 4 ms a processor, of 8 at most. */
const ANSWER_MS = 10_000;

export class HostSpeed {
  private readonly peer: Peer;

  private constructor(peer: Peer) {
    this.peer = peer;
  }

  static start(floor: string, signal: AbortSignal): HostSpeed {
    return new HostSpeed(new Peer("the look at the host's speed", { command: floor, args: [] }, ['speed'], signal));
  }

  /** Steps a microsecond, the mean of all processors, now. Nothing of ours may be under way. */
  look(): Promise<number> {
    return this.peer.ask('speed', ANSWER_MS);
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    return this.peer.stop();
  }
}
