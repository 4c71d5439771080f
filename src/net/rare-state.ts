import type { Feeder, Sink } from './sink.js';

/** What few sockets have any of, and an idle one never: its fields would be a hundredth of what one takes. */
export class RareState {
  sink: Sink | undefined;
  feeder: Feeder | undefined;
  cut = false;
  /** Another process has been given the descriptor too. */
  shared = false;
  /** Has been asked to connect while it was connected. */
  askedAgain = false;
  /** Bytes that waited when this was last looked at; while they become fewer the socket is not idle. */
  lastQueued = 0;
}
