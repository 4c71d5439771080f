/** An engine whose kernel is missing: its writes go nowhere, and its turns are made by hand. */
import { Engine } from '../../src/engine.js';
import { Shared, type NativeAddon, type NativeEngine } from '../../src/native.js';

export interface SilentEngine {
  readonly engine: Engine;
  readonly native: NativeEngine;
  /** Hands a turn of so many completions to the engine's JS half, as the addon does. */
  turn(completions: number): void;
}

export function createSilentEngine(addon: NativeAddon): SilentEngine {
  const real = addon.createEngine();
  let turnHandler: (() => void) | undefined;
  let channels = 0;
  const overrides: Partial<NativeEngine> = {
    setTurnHandler(handler) {
      turnHandler = handler;
    },
    connect: () => channels++,
    flush() {
      real.layout.shared[Shared.Submitted] = 0;
      return 0;
    },
  };
  // What is not overridden is the real thing, its memory above all; native methods want their own receiver.
  const native = new Proxy(real, {
    get(target, key) {
      if (Object.hasOwn(overrides, key)) return Reflect.get(overrides, key) as unknown;
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    engine: new Engine(native),
    native,
    turn(completions) {
      const { shared } = real.layout;
      shared[Shared.Completions] = completions;
      turnHandler?.();
      shared[Shared.Submitted] = 0;
    },
  };
}
