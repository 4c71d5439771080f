/** The types of a call to a uwsgi server: target, limits and response. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { ChannelOptions, ChannelTarget } from '../channel/types.js';

/**
 * Where the server listens: `path`, or `port` and `host`, which may be a name here. In addition the options of a
 * channel: `transport`, `sendBufferSize`, `noDelay` and so on.
 */
export type RequestTarget = ChannelTarget &
  ChannelOptions & {
    /**
     * Milliseconds. With a path: the time to wait for room in the listener's accept queue, as a channel's
     * `backlogTimeout`. Over TCP: the time to connect, after the address has been resolved; `0` leaves it to the
     * system. Default: the `backlogTimeout` of `configure()`.
     */
    connectTimeout?: number | undefined;
  };

/** In bytes and milliseconds; for the latter, 0 is no limit. */
export interface Limits {
  body: number;
  head: number;
  headersTimeout: number;
  bodyTimeout: number;
}

/** What `request()` resolves with. */
export interface UwsgiResponse {
  /** The status code of the response, with three digits. */
  statusCode: number;
  /** The reason phrase; otherwise the one in `http.STATUS_CODES`. */
  statusMessage: string;
  /** As `message.headers` of node:http. */
  headers: IncomingHttpHeaders;
  /** Names and values alternately, as received. */
  rawHeaders: string[];
  /**
   * Read it, or destroy it, which closes the connection. It ends at its Content-Length, at the last chunk of a chunked
   * body (which is decoded), or when the server closes. It fails if one of the first two is cut short
   * (ERR_NEARWIRE_SHORT_BODY).
   */
  body: Readable;
}
