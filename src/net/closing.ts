/**
 * Emits the 'close' events of sockets at the time when node does: in the closing phase of the event loop, after the
 * immediates of the same iteration, and in libuv's order, last closed first.
 */
import { setImmediate } from 'node:timers';
import { runTicks } from '../node/run-ticks.js';
import { getEngine } from '../engine/thread-engine.js';
import { report } from './async-scopes.js';

interface Closed {
  /** Emits the socket's 'close'. */
  _emitClose(): void;
}

let waiting: Closed[] = [];
let installed = false;

/**
 * Schedules a call of `_emitClose`. All sockets that close before the next closing phase share one call from the addon.
 */
export function tellClosed(socket: Closed): void {
  if (waiting.push(socket) > 1) return;
  const native = getEngine()?.native;
  if (!installed) {
    installed = true;
    native?.setClosingHandler(tellAll);
  }
  // There is no such phase any more while the environment is torn down.
  if (native === undefined || native.callWhenClosing() < 0) setImmediate(tellAll);
}

function tellAll(): void {
  const batch = waiting;
  waiting = [];
  while (batch.length > 0) {
    try {
      for (let socket = batch.pop(); socket !== undefined; socket = batch.pop()) {
        socket._emitClose();
        // Each is a callback of its own in node: ticks and microtasks run before the next one.
        if (batch.length > 0) runTicks();
      }
    } catch (error) {
      // A tick threw: the sockets after it must still be notified.
      report(error);
    }
  }
}
