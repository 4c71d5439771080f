/** Errors of invalid or unsupported uwsgi requests; `status` is the response that the reverse proxy gets. */
import type { ReadError } from '../exchange/codec.js';

const BAD_REQUEST = 400;
const CONTENT_TOO_LARGE = 413;
const HEADERS_TOO_LARGE = 431;

function readError(message: string, code: string, status: number): ReadError {
  return Object.assign(new Error(message), { code, status });
}

/** Lengths that don't fit, a request without a method, or an invalid CONTENT_LENGTH. */
export function badPacketError(what: string): ReadError {
  return readError(`Bad uwsgi packet: ${what}`, 'ERR_NEARWIRE_UWSGI_PACKET', BAD_REQUEST);
}

const FIRST_LETTER = 'A'.charCodeAt(0);
const LAST_LETTER = 'Z'.charCodeAt(0);
/** The first byte of a TLS handshake. */
const TLS_HANDSHAKE = 22;

/** Only requests (modifier1 0) are served. The first byte shows whether the peer speaks another protocol. */
export function modifierError(modifier: number): ReadError {
  const isHttp = modifier >= FIRST_LETTER && modifier <= LAST_LETTER;
  const hint = isHttp
    ? '. The peer seems to speak HTTP: nginx needs uwsgi_pass here, not proxy_pass'
    : modifier === TLS_HANDSHAKE
      ? '. The peer seems to speak TLS'
      : '';
  const message = `A uwsgi packet with modifier1 ${String(modifier)} is not supported, only 0${hint}`;
  return readError(message, 'ERR_NEARWIRE_UWSGI_MODIFIER', BAD_REQUEST);
}

export function variablesTooLongError(bytes: number, limit: number): ReadError {
  const message = `The variables of a request have ${String(bytes)} bytes, the limit is ${String(limit)}`;
  return readError(message, 'ERR_NEARWIRE_UWSGI_VARIABLES', HEADERS_TOO_LARGE);
}

export function tooManyVariablesError(count: number, limit: number): ReadError {
  const message = `A request has ${String(count)} variables, the limit is ${String(limit)}`;
  return readError(message, 'ERR_NEARWIRE_UWSGI_VARIABLES', HEADERS_TOO_LARGE);
}

export function bodyTooLongError(bytes: number, limit: number): ReadError {
  const message = `The body of a request has ${String(bytes)} bytes, the limit is ${String(limit)}`;
  return readError(message, 'ERR_NEARWIRE_BODY_TOO_LARGE', CONTENT_TOO_LARGE);
}
