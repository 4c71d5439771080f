/** Whether an event of an emitter's is heard. */
import { EventEmitter } from 'node:events';
import { isNodesOwn } from './own-method.js';

interface Emitter {
  readonly _eventsCount: number;
  readonly emit: unknown;
}

const { emit } = EventEmitter.prototype;
/** Unless it was replaced before. */
const nodesEmit = isNodesOwn(emit, 'kErrorMonitor') ? emit : undefined;

/** It has listeners, or its `emit` is a program's, as tracers and domains replace it. */
export function isHeard(emitter: Emitter): boolean {
  return emitter._eventsCount > 0 || emitter.emit !== nodesEmit;
}
