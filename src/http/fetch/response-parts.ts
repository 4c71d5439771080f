/** What a Response is to send, in a form that does not depend on where it goes. */
import { genuine } from './genuine.js';
import { takeLight } from './response.js';

export interface ResponseParts {
  status: number;
  statusText: string;
  /** Names and values by turns; without those that are the connection's matter. */
  headers: string[];
  /** The handler wants the connection closed. */
  closes: boolean;
  hasDate: boolean;
  /** Whether a value has a character beyond ASCII. */
  isBeyondAscii: boolean;
  /** The handler's Content-Length. */
  length: number | undefined;
  body: string | Uint8Array | ReadableStream<Uint8Array> | null;
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const PLAIN_VALUE = /^[\t\x20-\x7e]*$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const DIGITS = /^\d+$/;
const CLOSE = /(?:^|[\s,])close(?:$|[\s,])/i;

/** How a message ends, and whether another follows, is decided by who sends it. */
const OF_THE_CONNECTION = new Set(['transfer-encoding', 'keep-alive', 'upgrade', 'proxy-connection', 'trailer']);

/** Throws what the handler has to answer for: not a Response, one that has been read, or one that HTTP cannot send. */
export function partsOf(response: unknown): ResponseParts {
  if (!isResponse(response)) throw new TypeError('The fetch handler has not returned a Response');
  const light = takeLight(response);
  if (light !== undefined) return sift(light.status, light.statusText, light.headers, light.body);
  // First the body: a class that makes its genuine Response at that, as srvx's does, has all headers only then.
  const { bodyUsed, body } = response;
  const { status, statusText, headers } = response;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`A response of status ${String(status)} cannot be sent`);
  }
  if (bodyUsed || body?.locked === true)
    throw new TypeError('The body of the response has been read, or is being read');
  return sift(status, statusText, headers, body);
}

/** Other packages have a Response of their own; that of undici is the same, but not node's. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof genuine().Response || Object.prototype.toString.call(value) === '[object Response]';
}

function sift(
  status: number,
  statusText: string,
  headers: Iterable<readonly [name: string, value: string]>,
  body: ResponseParts['body'],
): ResponseParts {
  const parts: ResponseParts = {
    status,
    statusText,
    headers: [],
    closes: false,
    hasDate: false,
    isBeyondAscii: false,
    length: undefined,
    body,
  };
  if (!VALUE.test(statusText)) throw new TypeError('Invalid status text of a response');
  for (const [name, value] of headers) add(parts, name.toLowerCase(), value);
  return parts;
}

/** Checked here in any case: whatever class the Response has, no header may become two. */
function add(parts: ResponseParts, name: string, value: string): void {
  if (!PLAIN_VALUE.test(value)) {
    if (!VALUE.test(value)) throw new TypeError(`Invalid value of the response header ${JSON.stringify(name)}`);
    parts.isBeyondAscii = true;
  }
  if (!NAME.test(name)) throw new TypeError(`Invalid response header ${JSON.stringify(name)}`);
  switch (name.length) {
    case 4:
      if (name === 'date') parts.hasDate = true;
      break;
    case 7:
    case 16:
    case 17:
      if (OF_THE_CONNECTION.has(name)) return;
      break;
    case 10:
      if (name === 'connection') parts.closes ||= CLOSE.test(value);
      if (name === 'connection' || name === 'keep-alive') return;
      break;
    case 14:
      if (name !== 'content-length') break;
      if (DIGITS.test(value)) parts.length = Number(value);
      return;
  }
  parts.headers.push(name, value);
}
