/** A listening socket of the native engine, as the layers above see it. */
import { warnOutOfDescriptors } from '../binding/out-of-descriptors.js';
import { DESCRIPTOR } from './descriptor.js';
import type { Engine } from './engine.js';
import type { ListenerCallbacks } from './callbacks.js';

export abstract class EngineListener implements ListenerCallbacks {
  id: number;
  readonly engine: Engine;
  /** Connections that were closed because no descriptor was free. */
  dropped = 0;
  private warned = false;

  constructor(engine: Engine, id: number) {
    this.engine = engine;
    this.id = id;
    if (id >= 0) engine.attach(id, this);
  }

  get isListener(): true {
    return true;
  }

  abstract onAccept(id: number): void;
  abstract onAcceptError(errno: number): void;

  /** Warns only once: the condition usually persists. */
  onDropped(count: number, errno: number): void {
    this.dropped += count;
    if (this.warned) return;
    this.warned = true;
    warnOutOfDescriptors(errno, this.engine.native.listenerAddress(this.id));
  }

  get [DESCRIPTOR](): number {
    return this.engine.native.listenerDescriptor(this.id);
  }

  close(): void {
    if (this.id < 0) return;
    const id = this.id;
    this.id = -1;
    this.engine.releaseListener(id);
  }

  setRef(on: boolean): void {
    if (this.id >= 0) this.engine.native.refListener(this.id, on);
  }
}
