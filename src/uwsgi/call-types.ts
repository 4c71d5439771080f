/** What a call to a uwsgi server goes to, what it is limited by, and what comes of it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { ChannelOptions, ChannelTarget } from '../channel/types.js';

/**
 * Where the server listens: `path`, or `port` and `host`, which may be a name here. With the options of a channel:
 * `transport`, `sendBufferSize`, `noDelay` and so on.
 */
export type RequestTarget = ChannelTarget &
  ChannelOptions & {
    /**
     * Milliseconds. Of a path: for room in the listener's queue, as a channel's `backlogTimeout`. Over TCP: for the connection,
     * from when the address is known, and `0` is the system's own patience. Default: `configure()`'s `backlogTimeout`.
     */
    connectTimeout?: number | undefined;
  };

/** In bytes and milliseconds; 0 is no limit for the latter. */
export interface Limits {
  body: number;
  head: number;
  headersTimeout: number;
  bodyTimeout: number;
}

/** What `request()` resolves with. */
export interface UwsgiResponse {
  /** The status of the response, of three digits. */
  statusCode: number;
  /** What stands behind the status; else what `http.STATUS_CODES` has for it. */
  statusMessage: string;
  /** As `message.headers` of node:http. */
  headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  rawHeaders: string[];
  /**
   * To be read, or destroyed, which closes the connection. It ends by Content-Length, by the last chunk of a chunked one
   * (which are undone), or where the server closes; it fails if the first two are cut short (ERR_NEARWIRE_SHORT_BODY).
   */
  body: Readable;
}
