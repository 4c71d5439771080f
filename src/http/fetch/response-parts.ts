/** What a Response is to send, in a form that does not depend on where it goes. */
import { genuine } from './genuine.js';
import { isHeaderName, responseHeader, type ResponseHeader } from './response-header.js';
import { takeLight } from './response.js';

export interface ResponseParts {
  status: number;
  statusText: string;
  /** Without those that are the connection's matter. */
  headers: readonly ResponseHeader[];
  /** The handler wants the connection closed. */
  closes: boolean;
  hasDate: boolean;
  /** Whether a value has a character beyond ASCII. */
  isBeyondAscii: boolean;
  /** The handler's Content-Length. */
  length: number | undefined;
  body: string | Uint8Array | ReadableStream<Uint8Array> | null;
}

const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Throws what the handler has to answer for: not a Response, one that has been read, or one that HTTP cannot send. */
export function partsOf(response: unknown): ResponseParts {
  if (!isResponse(response)) throw new TypeError('The fetch handler has not returned a Response');
  const light = takeLight(response);
  if (light !== undefined) {
    const { status, statusText, headers, body } = light;
    return sift(status, statusText, isListed(headers) ? headers : checked(headers), body);
  }
  // First the body: a class that makes its genuine Response at that, as srvx's does, has all headers only then.
  const { bodyUsed, body } = response;
  const { status, statusText, headers } = response;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`A response of status ${String(status)} cannot be sent`);
  }
  if (bodyUsed || body?.locked === true)
    throw new TypeError('The body of the response has been read, or is being read');
  return sift(status, statusText, checked(headers), body);
}

/** Other packages have a Response of their own; that of undici is the same, but not node's. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof genuine().Response || Object.prototype.toString.call(value) === '[object Response]';
}

function isListed(headers: readonly ResponseHeader[] | Headers): headers is readonly ResponseHeader[] {
  return Array.isArray(headers);
}

/** Checked in any case: whatever class the Response has, no header may become two. */
function checked(headers: Iterable<readonly [name: string, value: string]>): ResponseHeader[] {
  const list: ResponseHeader[] = [];
  for (const [name, value] of headers) {
    const header = responseHeader(name, value);
    if (header === undefined) {
      const what = isHeaderName(name) ? 'Invalid value of the response header' : 'Invalid response header';
      throw new TypeError(`${what} ${JSON.stringify(name.toLowerCase())}`);
    }
    list.push(header);
  }
  return list;
}

function sift(
  status: number,
  statusText: string,
  headers: readonly ResponseHeader[],
  body: ResponseParts['body'],
): ResponseParts {
  if (statusText !== '' && !VALUE.test(statusText)) throw new TypeError('Invalid status text of a response');
  const parts: ResponseParts = {
    status,
    statusText,
    headers,
    closes: false,
    hasDate: false,
    isBeyondAscii: false,
    length: undefined,
    body,
  };
  for (const header of headers) {
    if (!header.isOrdinary) {
      note(parts, headers);
      break;
    }
  }
  return parts;
}

/** What follows from the headers, and which of them are sent. */
function note(parts: ResponseParts, headers: readonly ResponseHeader[]): void {
  const sent = headers.filter(({ isOfTheConnection }) => !isOfTheConnection);
  parts.headers = sent;
  parts.closes = headers.some(({ closes }) => closes);
  parts.hasDate = sent.some(({ isDate }) => isDate);
  parts.isBeyondAscii = headers.some(({ isBeyondAscii }) => isBeyondAscii);
  for (const { length } of headers) parts.length = length ?? parts.length;
}
