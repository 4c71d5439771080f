/** Whether an event of an emitter's is heard. */
import { EventEmitter } from 'node:events';

interface Emitter {
  readonly _eventsCount: number;
  readonly emit: unknown;
}

const { emit } = EventEmitter.prototype;

/** It has listeners, or its `emit` is a program's, as tracers and domains replace it. */
export function isHeard(emitter: Emitter): boolean {
  return emitter._eventsCount > 0 || emitter.emit !== emit;
}
