/**
 * Node's own classes of the fetch API. They are getters of the global object, which load the undici inside Node: nothing
 * here may touch them before a program uses `serve()` or `FastResponse`.
 */

export interface Genuine {
  readonly Request: typeof globalThis.Request;
  readonly Response: typeof globalThis.Response;
  readonly Headers: typeof globalThis.Headers;
  readonly fetch: typeof globalThis.fetch;
}

let found: Genuine | undefined;

/** As they were when they were first asked for. */
export function genuine(): Genuine {
  if (found !== undefined) return found;
  const { Request, Response, Headers, fetch } = globalThis;
  return (found = { Request, Response, Headers, fetch });
}
