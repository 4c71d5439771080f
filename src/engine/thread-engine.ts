/** The engine of a thread: one, made on first use. */
import { now } from './clock.js';
import { Engine } from './engine.js';
import { addonStatus } from '../binding/addon.js';
import { spinOfThread } from '../config/settings.js';

let engineOfThread: Engine | undefined;

/** The engine of this thread, made on first use; undefined where the addon did not load. */
export function getEngine(): Engine | undefined {
  if (engineOfThread === undefined) {
    const { addon } = addonStatus();
    if (addon !== undefined) {
      const spin = spinOfThread();
      engineOfThread = new Engine(addon.createEngine());
      engineOfThread.native.setSpin(spin);
    }
  }
  return engineOfThread;
}

/** The engine of this thread if it has been made. */
export function madeEngine(): Engine | undefined {
  return engineOfThread;
}

/** Milliseconds on the clock of `now()`, but cheaper: see Engine.loopTime. */
export function loopTime(): number {
  return engineOfThread === undefined ? now() : engineOfThread.loopTime();
}
