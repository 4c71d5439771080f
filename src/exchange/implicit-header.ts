/**
 * `writeHead(statusCode)` for a response whose program has not called it: what it does where the program has given no
 * reason phrase, with the status lines cached. Its checks are of what a program gives.
 */
import { outHeadersOf } from '../node/http-messages.js';
import { isNodesOwn } from '../node/own-method.js';
import { nodeHttp } from '../runtime/http.js';
import type { Outgoing } from './contracts.js';
import { responseMethods } from './genuine-messages.js';

const { writeHead, _implicitHeader: implicitHeader } = responseMethods;
const IS_KNOWN = isNodesOwn(writeHead, 'ERR_HTTP_INVALID_STATUS_CODE') && isNodesOwn(implicitHeader, 'this.writeHead(');

const FIRST_FINAL = 200;
const LAST = 999;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** By status code. */
const reasons: string[] = [];
const lines: string[] = [];

/** The status line with node's reason phrase, which a program may have changed. */
export function statusLine(code: number): string {
  const reason = nodeHttp.STATUS_CODES[code] ?? 'unknown';
  if (reasons[code] !== reason) {
    reasons[code] = reason;
    lines[code] = `HTTP/1.1 ${String(code)} ${reason}\r\n`;
  }
  return lines[code] as string;
}

export function makeImplicitHeader(response: Outgoing): void {
  const { statusCode: code } = response;
  const isOrdinary =
    IS_KNOWN &&
    response.writeHead === writeHead &&
    response._implicitHeader === implicitHeader &&
    // Of undefined as long as the program has set none.
    !response.statusMessage &&
    !response._expect_continue &&
    code >= FIRST_FINAL &&
    code <= LAST &&
    Number.isInteger(code);
  if (!isOrdinary) {
    response._implicitHeader();
    return;
  }
  const line = statusLine(code);
  response.statusMessage = reasons[code] as string;
  if (code === NO_CONTENT || code === NOT_MODIFIED) response._hasBody = false;
  response._storeHeader(line, outHeadersOf(response) ?? undefined);
}
