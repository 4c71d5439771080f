/** An engine without a kernel: its connects never complete, and what it sends is discarded. */
import { Engine } from 'nearwire/internal';
import { addonStatus, Shared, SUBMISSION_WORDS, type NativeEngine } from 'nearwire/internal';

export interface SilentEngine {
  readonly engine: Engine;
  /** Bytes that would have been handed to the kernel so far. */
  taken(): number;
}

export function createSilentEngine(): SilentEngine {
  const { addon, reason } = addonStatus();
  if (!addon) throw reason ?? new Error('the addon did not load');
  const real = addon.createEngine();
  const { shared, submissions } = real.layout;
  let channels = 0;
  let bytes = 0;
  const overrides: Partial<NativeEngine> = {
    connect: () => channels++,
    flush() {
      const count = shared[Shared.Submitted] ?? 0;
      for (let at = 0; at < count; at++) bytes += submissions[at * SUBMISSION_WORDS + 2] ?? 0;
      shared[Shared.Submitted] = 0;
      return 0;
    },
  };
  // Everything else is the real engine, its memory in particular; native methods need their own receiver.
  const native = new Proxy(real, {
    get(target, key) {
      if (Object.hasOwn(overrides, key)) return Reflect.get(overrides, key) as unknown;
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { engine: new Engine(native), taken: () => bytes };
}
