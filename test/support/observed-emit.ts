/**
 * Lets a test see what emitters emit, without a listener or a method of its own that others could see.
 *
 * To be loaded before nearwire, which compares the `emit` of sockets with the one that it found when it was loaded: whoever
 * has another one is not given what the shortcuts past node's streams come to.
 */
import { EventEmitter } from 'node:events';

export type Emit = (event: string | symbol, ...args: unknown[]) => boolean;
export type Observer = (event: string | symbol, args: unknown[]) => void;

const observers = new WeakMap<object, Observer>();
const originalEmit = Reflect.get(EventEmitter.prototype, 'emit') as Emit;

/** Before its listeners. An 'error' that nobody listens to is told to the observer and throws nothing. */
export function observe(emitter: EventEmitter, observer: Observer): void {
  observers.set(emitter, observer);
}

Reflect.set(EventEmitter.prototype, 'emit', function emit(this: EventEmitter, ...args: Parameters<Emit>) {
  const observer = observers.get(this);
  if (observer !== undefined) {
    const [event, ...rest] = args;
    observer(event, rest);
    if (event === 'error' && this.listenerCount('error') === 0) return false;
  }
  return originalEmit.apply(this, args);
});
