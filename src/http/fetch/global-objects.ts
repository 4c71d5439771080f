/**
 * Puts nearwire's objects in the place of the global ones, for `overrideGlobalObjects`: frameworks write `new Response()`.
 * `Request` and `fetch` have to know the light requests then: undici's own look for private fields.
 */
import { genuine } from './genuine.js';
import { areGlobalsReplaced, noteReplaced } from './replaced.js';
import { unwrapped } from './request.js';
import { FastResponse, linkResponse } from './response.js';

type Input = Parameters<typeof globalThis.fetch>[0];

export function replaceGlobals(): void {
  if (areGlobalsReplaced()) return;
  const { Request, fetch } = genuine();
  noteReplaced();
  const NewRequest = class extends Request {
    static override [Symbol.hasInstance](value: unknown): boolean {
      return this === NewRequest ? value instanceof Request : Function.prototype[Symbol.hasInstance].call(this, value);
    }

    constructor(input: Input, init?: RequestInit) {
      super(unwrapped(input), init);
    }
  };
  Object.defineProperty(NewRequest, 'name', { value: 'Request' });
  // Packages look through what the global classes have when they are loaded, before any Response has been made.
  linkResponse();
  replace('Request', NewRequest);
  replace('Response', FastResponse);
  replace('fetch', function (this: unknown, input: Input, init?: RequestInit) {
    return fetch.call(this, unwrapped(input), init);
  });
}

function replace(name: 'Request' | 'Response' | 'fetch', value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
