/** What the parts of `serve()` know of each other. */
import type { RequestBody } from './request-body.js';

/** The client's address, as the handler's second argument has it. */
export interface ClientAddress {
  /** The client's IP address; undefined over UNIX sockets, and when the connection has closed. */
  readonly remoteAddress: string | undefined;
  /** The client's port. */
  readonly remotePort: number | undefined;
  /** `'IPv4'` or `'IPv6'`. */
  readonly remoteFamily: string | undefined;
}

/** What a handler gets besides the request: the connection's peer. */
export interface FetchInfo extends ClientAddress {
  /**
   * For code that asks an IncomingMessage for its client, such as `getConnInfo` of `@hono/node-server/conninfo`: its
   * `socket` has the three properties above, and nothing else. There is no IncomingMessage.
   */
  readonly incoming: {
    /** The client's address. */
    readonly socket: ClientAddress;
  };
}

/** Answers a request. */
export type FetchHandler = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** Answers a request whose handler has failed. */
export type FetchErrorHandler = (error: unknown) => Response | Promise<Response>;

/** A request that has arrived, as the object that the handler gets sees it. */
export interface RequestOrigin {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Names and values by turns, as they came. */
  readonly rawHeaders: readonly string[];
  /** undefined: it has none. */
  readonly body: RequestBody | undefined;
  /** Aborts when the client is gone before the response is over. */
  readonly signal: AbortSignal;
  /** Aborts behind it: a copy of the request hears of it when the request itself has. */
  readonly copiesSignal: AbortSignal;
}

/** A server's handlers. */
export interface FetchApp {
  readonly handle: FetchHandler;
  readonly onError: FetchErrorHandler | undefined;
  /** Bytes of a body that may wait for the handler, or for the client. */
  readonly highWaterMark: number;
  makeRequest(origin: RequestOrigin): Request;
}
