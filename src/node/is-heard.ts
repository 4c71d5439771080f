/** Whether an event of an emitter's is heard. */
import { EventEmitter } from 'node:events';
import { isNodesOwn } from './own-method.js';

interface Emitting {
  readonly emit: unknown;
}

interface Emitter extends Emitting {
  readonly _eventsCount: number;
}

const { emit } = EventEmitter.prototype;
/** Unless it was replaced before. */
const nodesEmit = isNodesOwn(emit, 'kErrorMonitor') ? emit : undefined;

/** Whether its `emit` is node's own: listeners are all that hears of it. */
export function emitsAsNode(emitter: Emitting): boolean {
  return emitter.emit === nodesEmit;
}

/** It has listeners, or its `emit` is a program's, as tracers and domains replace it. */
export function isHeard(emitter: Emitter): boolean {
  return emitter._eventsCount > 0 || !emitsAsNode(emitter);
}
