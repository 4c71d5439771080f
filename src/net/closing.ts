/**
 * The 'close' events of sockets. They come where node's do: in the closing phase of the loop, behind the immediates of
 * the iteration that closed, and the last that closed first, which is libuv's order.
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

/** Has `_emitClose` called soon. All that close before the next closing phase share one call from the addon. */
export function tellClosed(socket: Closed): void {
  if (waiting.push(socket) > 1) return;
  const native = getEngine()?.native;
  if (!installed) {
    installed = true;
    native?.setClosingHandler(tellAll);
  }
  // While the environment ends there is no such phase any more.
  if (native === undefined || native.callWhenClosing() < 0) setImmediate(tellAll);
}

function tellAll(): void {
  const batch = waiting;
  waiting = [];
  while (batch.length > 0) {
    try {
      for (let socket = batch.pop(); socket !== undefined; socket = batch.pop()) {
        socket._emitClose();
        // Each is a callback of its own to node: ticks and microtasks run before the next one.
        if (batch.length > 0) runTicks();
      }
    } catch (error) {
      // A tick threw: those behind it are still told.
      report(error);
    }
  }
}
