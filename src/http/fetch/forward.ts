/** Gives light objects what they do not have themselves: that of the genuine ones behind them. */

type GenuineOf = (light: never) => object;

/** All accessors and methods of a genuine prototype that the light one lacks. */
export function forward(from: object, to: object, genuineOf: GenuineOf): void {
  for (const name of Reflect.ownKeys(from)) {
    if (name === 'constructor' || Object.hasOwn(to, name)) continue;
    const { value, get } = Object.getOwnPropertyDescriptor(from, name) as { value?: unknown; get?(): unknown };
    if (get !== undefined) {
      define(to, name, (light) => get.call(genuineOf(light)));
    } else if (typeof value === 'function') {
      const method = function (this: never, ...args: unknown[]): unknown {
        return Reflect.apply(value as () => unknown, genuineOf(this), args);
      };
      Object.defineProperty(to, name, { value: method, writable: true, configurable: true });
    }
  }
  likeGenuine(from, to);
}

/** Members of both are enumerated, and their functions are called, as the genuine ones. */
export function likeGenuine(from: object, to: object): void {
  for (const name of Reflect.ownKeys(from)) {
    const own = Object.getOwnPropertyDescriptor(to, name);
    const genuine = Object.getOwnPropertyDescriptor(from, name) as PropertyDescriptor;
    if (own?.configurable !== true || name === 'constructor' || name === 'prototype') continue;
    const made: unknown = own.get ?? own.value;
    const model: unknown = genuine.get ?? genuine.value;
    if (typeof made !== 'function' || typeof model !== 'function') continue;
    Object.defineProperty(to, name, { enumerable: genuine.enumerable });
    copyNames(model, made);
  }
}

/** The name of a function, and the number of its parameters. */
export function copyNames(from: object, to: object): void {
  const { name, length } = from as { name: string; length: number };
  Object.defineProperties(to, {
    name: { value: name, configurable: true },
    length: { value: length, configurable: true },
  });
}

/** The state of undici's own objects, where that is under symbols: its code then takes the light ones for them. */
export function forwardSymbols(sample: object, to: object, genuineOf: GenuineOf): void {
  for (const name of Object.getOwnPropertySymbols(sample)) {
    define(to, name, (light) => (genuineOf(light) as Record<symbol, unknown>)[name]);
  }
}

function define(to: object, name: string | symbol, get: (light: never) => unknown): void {
  Object.defineProperty(to, name, {
    get(this: never) {
      return get(this);
    },
    enumerable: typeof name === 'string',
    configurable: true,
  });
}
