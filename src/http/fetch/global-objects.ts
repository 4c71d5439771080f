/**
 * Puts nearwire's objects in the place of the global ones, for `overrideGlobalObjects`: frameworks write `new Response()`.
 * `Request` and `fetch` have to know the light requests then: undici's own look for private fields.
 */
import { copyNames } from './forward.js';
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

    constructor(...args: [input: Input, init?: RequestInit]) {
      // As many as there are: none are an error of its own.
      super(...unwrappedAll(args));
    }
  };
  copyNames(Request, NewRequest);
  // Packages look through what the global classes have when they are loaded, before any Response has been made.
  linkResponse();
  replace('Request', NewRequest);
  replace('Response', FastResponse);
  const newFetch = function (this: unknown, ...args: [input: Input, init?: RequestInit]): Promise<Response> {
    return fetch.apply(this, unwrappedAll(args));
  };
  copyNames(fetch, newFetch);
  replace('fetch', newFetch);
}

function unwrappedAll(args: [input: Input, init?: RequestInit]): [input: Input, init?: RequestInit] {
  if (args.length > 0) args[0] = unwrapped(args[0]);
  return args;
}

function replace(name: 'Request' | 'Response' | 'fetch', value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
