/** The headers of a file response, set on the response like the application's own before it is sent. */
import type { OutgoingHttpHeader, ServerResponse } from 'node:http';
import { decide, fileEtag, httpDate, isYoung, parseDate, type Outcome } from './conditions.js';

/** Headers by name; null for one that the response must not have. */
export type FileHeaders = Readonly<Record<string, OutgoingHttpHeader | null | undefined>>;

/** What is served: a whole file, or a slice of it. Sizes in bytes, times in milliseconds. */
export interface Served {
  readonly fileSize: number;
  /** Whole seconds. */
  readonly modified: number;
  /** The offset of its first byte in the file, and its length. */
  readonly start: number;
  readonly size: number;
}

/** Headers that describe a body and are removed with it. */
const BODY_HEADERS = ['Content-Length', 'Content-Type', 'Content-Encoding', 'Content-Language', 'Transfer-Encoding'];
/** Headers that control caching of the content: not for an error response. */
const CACHE_HEADERS = ['Cache-Control', 'Expires', 'ETag', 'Last-Modified'];

const CONDITIONS = ['range', 'if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since'] as const;

const NONE: readonly string[] = [];

/** Returns the names of the headers that are left out, in lower case. */
function applyHeaders(response: ServerResponse, headers: FileHeaders): readonly string[] {
  let leftOut = NONE;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (value === null) {
      response.removeHeader(name);
      leftOut = [...leftOut, name.toLowerCase()];
    } else {
      response.setHeader(name, value);
    }
  }
  return leftOut;
}

function isConditional({ req }: ServerResponse): boolean {
  return CONDITIONS.some((name) => req.headers[name] !== undefined);
}

/** Decides by the response's own headers, no matter who set them. */
function outcomeOf(response: ServerResponse, young: boolean, size: number, takesRanges: boolean): Outcome {
  const etag = response.getHeader('ETag');
  const modified = response.getHeader('Last-Modified');
  const validators = {
    etag: typeof etag === 'string' ? etag : undefined,
    modified: typeof modified === 'string' ? parseDate(modified) : NaN,
    young,
  };
  const { method, headers } = response.req;
  return decide(method, headers, validators, size, takesRanges);
}

function removeHeaders(response: ServerResponse, names: readonly string[]): void {
  for (const name of names) response.removeHeader(name);
}

function setLength(response: ServerResponse, length: number): void {
  // Content-Length must not be combined with Transfer-Encoding.
  if (!response.hasHeader('Transfer-Encoding')) response.setHeader('Content-Length', length);
}

/**
 * Sets the headers and status of what is served. Preconditions and ranges apply to GET and HEAD, unless the application
 * has set a status of its own: an error page is sent unchanged.
 */
export function makeHead(response: ServerResponse, headers: FileHeaders | undefined, served: Served): Outcome {
  const { fileSize, modified, start, size } = served;
  const leftOut = headers === undefined ? NONE : applyHeaders(response, headers);
  const young = isYoung(modified, Date.now());
  if (!leftOut.includes('etag') && !response.hasHeader('ETag')) {
    const slice = size === fileSize ? '' : `-${start.toString(16)}-${size.toString(16)}`;
    response.setHeader('ETag', fileEtag(modified, fileSize, young, slice));
  }
  if (!leftOut.includes('last-modified') && !response.hasHeader('Last-Modified')) {
    response.setHeader('Last-Modified', httpDate(modified));
  }
  const takesRanges = !leftOut.includes('accept-ranges');
  if (takesRanges) response.setHeader('Accept-Ranges', 'bytes');

  const { method } = response.req;
  const asked = (method === 'GET' || method === 'HEAD') && response.statusCode === 200 && isConditional(response);
  const outcome = asked ? outcomeOf(response, young, size, takesRanges) : { status: 200, offset: 0, length: size };
  if (outcome.status !== 200) response.statusCode = outcome.status;
  switch (outcome.status) {
    case 200:
      break;
    case 206: {
      const last = outcome.offset + outcome.length - 1;
      response.setHeader('Content-Range', `bytes ${String(outcome.offset)}-${String(last)}/${String(size)}`);
      break;
    }
    case 304:
      removeHeaders(response, BODY_HEADERS);
      return outcome;
    default:
      removeHeaders(response, BODY_HEADERS);
      removeHeaders(response, CACHE_HEADERS);
      if (outcome.status === 416) response.setHeader('Content-Range', `bytes */${String(size)}`);
  }
  setLength(response, outcome.length);
  return outcome;
}

/** Keeps the headers as the application set them, except for the length. */
export function keepHead(response: ServerResponse, headers: FileHeaders | undefined, size: number): Outcome {
  if (headers !== undefined) applyHeaders(response, headers);
  setLength(response, size);
  return { status: response.statusCode, offset: 0, length: size };
}
