/** What a call to a uwsgi server goes to, what it is limited by, and what comes of it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { ConnectTarget } from '../channel/types.js';

/**
 * Where the server listens: `path`, or `port` and `host`, which may be a name here. With the options of a channel:
 * `transport`, `sendBuffer`, `noDelay` and so on. `connectTimeout` holds for TCP too, where `0` is the system's own
 * patience; it begins when the address is known.
 */
export type RequestTarget = ConnectTarget;

/** In bytes and milliseconds; 0 is no limit for the latter. */
export interface Limits {
  body: number;
  head: number;
  headersTimeout: number;
  bodyTimeout: number;
}

export interface Answer {
  statusCode: number;
  statusMessage: string;
  /** As `message.headers` of node:http. */
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  /**
   * To be read, or destroyed, which closes the connection. It ends by Content-Length, by the last chunk of a chunked one
   * (which are undone), or where the server closes; it fails if the first two are cut short (ERR_NEARWIRE_SHORT_BODY).
   */
  body: Readable;
}
