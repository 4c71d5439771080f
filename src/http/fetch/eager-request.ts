/** A genuine Request, where nothing else passes for one: see request.ts. */
import type { RequestOrigin } from './contracts.js';
import { genuine } from './genuine.js';

const ORIGIN = Symbol('origin');

type EagerRequest = Request & { [ORIGIN]: RequestOrigin };
type EagerClass = new (url: string, init?: RequestInit) => EagerRequest;

let eagerClass: EagerClass | undefined;

function makeClass(): EagerClass {
  const Eager = class extends genuine().Request {
    [ORIGIN]: RequestOrigin | undefined = undefined;
  };
  Object.defineProperties(Eager.prototype, {
    method: {
      get(this: EagerRequest) {
        return this[ORIGIN].method;
      },
      enumerable: true,
      configurable: true,
    },
    // A signal in `init` would cost more than all of the rest: see innerSignal().
    signal: {
      get(this: EagerRequest) {
        return this[ORIGIN].signal;
      },
      enumerable: true,
      configurable: true,
    },
    // Undici has a clone follow the signal that the request was made with, and there is none.
    clone: {
      value: function clone(this: EagerRequest): Request {
        const { Request } = genuine();
        const copy = Reflect.apply(Request.prototype.clone, this, []);
        return new Request(copy, { signal: this[ORIGIN].copiesSignal });
      },
      enumerable: true,
      writable: true,
      configurable: true,
    },
  });
  return Eager as unknown as EagerClass;
}

/** The signal that copies of the request follow, which undici has made. */
export function innerSignal(request: Request): AbortSignal | undefined {
  if (eagerClass === undefined || !(request instanceof eagerClass)) return undefined;
  return Reflect.get(genuine().Request.prototype, 'signal', request);
}

export function makeEagerRequest(
  origin: RequestOrigin,
  fill: (headers: Headers, origin: RequestOrigin) => Headers,
  hasBody: boolean,
): Request {
  eagerClass ??= makeClass();
  const { method, url } = origin;
  let request: EagerRequest;
  if (method === 'GET' || method === 'TRACE') request = new eagerClass(url);
  else request = new eagerClass(url, hasBody ? { method, body: origin.body?.stream(), duplex: 'half' } : { method });
  request[ORIGIN] = origin;
  // In `init` they would be converted, and copied twice.
  fill(request.headers, origin);
  return request;
}
