/** One request and its response. A connection has one after another; only one of them at a time owns the socket. */
import type { Incoming, Outgoing } from './contracts.js';

export class Exchange {
  readonly request: Incoming;
  readonly response: Outgoing;
  /** The response has been written whole and awaits its flush. */
  whole = false;
  /** When it ended, by `markSpan()`; 0: it has not. */
  endedIn = 0;
  /** Node's own code sends the response, and emits 'finish' at its end. */
  awaitsFinish = false;
  /** Bytes that its connection had sent before the response. */
  sentBefore = 0;
  /** Node's own code has given the response the socket, and listens to its 'close' for it. */
  isAssigned = false;
  /** Handlers of other requests have run meanwhile, which may have written to the connection by themselves. */
  isShared = false;

  constructor(request: Incoming, response: Outgoing) {
    this.request = request;
    this.response = response;
  }
}
