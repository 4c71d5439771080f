/** The request line: RFC 9112, 3. */
import { authorityOf } from './authority.js';
import { violation, type Violation } from './violation.js';

/** RFC 9110, 5.6.2; for a character class. */
export const TOKEN = "[!#$%&'*+\\-.^_`|~\\dA-Za-z]+";

/** Several blanks between its parts: RFC 9112, 3, allows that, and so does node. */
const REQUEST_LINE = new RegExp(`^(${TOKEN}) +([^ ]+) +HTTP/(\\d)\\.(\\d)$`);
/** RFC 3986 has less. What browsers send unescaped is left alone: the RFC only says SHOULD. */
const TARGET = /^[\x21-\x7e]+$/;
const SCHEME = /^[A-Za-z][A-Za-z\d+\-.]*:/;
const WEB_AUTHORITY = /^https?:\/\/([^/?#]*)/i;
const WEB_SCHEME = /^https?:/i;
const MAX_PORT = 65535;

export interface RequestLine {
  readonly method: string;
  /** Of HTTP/1. */
  readonly minorVersion: number;
  /** Whether the target says which host is meant. */
  readonly namesHost: boolean;
}

export function readRequestLine(line: string): RequestLine | Violation {
  const [, method, target, major, minor] = REQUEST_LINE.exec(line) ?? [];
  if (method === undefined || target === undefined) return violation('an invalid request line', '9112, 3');
  if (major !== '1') return violation('an unsupported version', '9110, 15.6.6', 505);
  const wrong = wrongTarget(method, target);
  return wrong ?? { method, minorVersion: Number(minor), namesHost: target !== '*' && !target.startsWith('/') };
}

function wrongTarget(method: string, target: string): Violation | undefined {
  if (!TARGET.test(target)) return violation('a target with bytes that no URI has', '9112, 3.2');
  if (method === 'CONNECT') return wrongTunnel(target);
  if (target === '*') {
    return method === 'OPTIONS'
      ? undefined
      : violation('the target "*" with another method than OPTIONS', '9112, 3.2.4');
  }
  if (target.startsWith('/')) return undefined;
  if (!SCHEME.test(target)) return violation('a target in none of the four forms', '9112, 3.2');
  if (!WEB_SCHEME.test(target)) return undefined;
  const text = WEB_AUTHORITY.exec(target)?.[1] ?? '';
  // A user in front of the host is for the program to judge: RFC 9110, 4.2.4.
  const authority = authorityOf(text.slice(text.lastIndexOf('@') + 1));
  return authority === undefined || authority.host === ''
    ? violation('a target without a valid host', '9110, 4.2.1')
    : undefined;
}

function wrongTunnel(target: string): Violation | undefined {
  const authority = authorityOf(target);
  const isRight = authority !== undefined && authority.host !== '' && Number(authority.port ?? 0) > 0;
  if (isRight && Number(authority.port) <= MAX_PORT) return undefined;
  return violation('CONNECT to something else than a host and a port', '9110, 9.3.6');
}
