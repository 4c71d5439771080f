/** Ticks that an exception of a program's has left behind, before a connection's own read. */
import type { Engine } from '../engine/engine.js';
import { report, reports } from '../net/async-scopes.js';
import { runTicks } from '../node/run-ticks.js';

/** The exceptions that this thread had reported when the ticks that they left were last run. */
let seenExceptions = 0;

/** An exception leaves ticks behind, and errors that these throw do not belong to this connection. */
export function runOthersTicks(engine: Engine): void {
  while (seenExceptions !== engine.exceptions + reports) {
    seenExceptions = engine.exceptions + reports;
    try {
      runTicks();
    } catch (error) {
      report(error);
    }
  }
}
