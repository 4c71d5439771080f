/** The variables of one request. What every request needs is found by UwsgiReader; the others are strings on access. */
import type { RequestHead } from '../exchange/codec.js';

const HTTP_PREFIX = 'HTTP_';
const PREFIX_LENGTH = HTTP_PREFIX.length;

/** Few reverse proxies send requests, and they repeat the same names. */
const headerNames = new Map<string, string>();
const MAX_NAMES = 1000;
const MAX_NAME_LENGTH = 64;

/** `HTTP_USER_AGENT` to `user-agent`: the protocol has lost upper and lower case, and whether `_` was a `-`. */
function headerName(variable: string): string {
  const known = headerNames.get(variable);
  if (known !== undefined) return known;
  const name = variable.slice(PREFIX_LENGTH).toLowerCase().replaceAll('_', '-');
  // V8 keeps the whole parent of a substring alive: cached strings must be copies, or they would keep the packet.
  if (headerNames.size < MAX_NAMES && variable.length <= MAX_NAME_LENGTH) headerNames.set(copy(variable), copy(name));
  return name;
}

function copy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/**
 * Headers that are skipped: the first two also come as CONTENT_TYPE and CONTENT_LENGTH, and the reverse proxy has
 * already decoded a chunked body.
 */
const SKIPPED = new Set(['content-type', 'content-length', 'transfer-encoding']);

const DIGITS = /^\d{1,15}$/;

/** Characters of a path that need no escape in a URL (RFC 3986's pchar and `/`). */
const PLAIN_IN_PATH = /[A-Za-z0-9\-._~!$&'()*+,;=:@/]/;

function escapePath(path: string): string {
  return Array.from(path, (char) =>
    PLAIN_IN_PATH.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

const VERSION = /^HTTP\/(\d)(?:\.(\d))?$/;

export class Variables implements RequestHead {
  /** Of all variables, repeated ones included. */
  count = 0;
  method = '';
  bodyLength = 0;
  expect: string | undefined = undefined;
  upgrade: string | undefined = undefined;
  versionMajor = 1;
  versionMinor = 1;
  url = '';
  readonly rawHeaders: string[] = [];
  /** All variables as received, one character per byte. */
  private readonly text: string;
  private made: Record<string, string> | undefined = undefined;
  private hasLength = false;

  constructor(text: string) {
    this.text = text;
  }

  /** A header of the client's. */
  addHeader(variable: string, value: string): void {
    // Compared as a header name, so that HTTP_content_length is skipped as well.
    const name = headerName(variable);
    if (!SKIPPED.has(name)) this.rawHeaders.push(name, value);
  }

  /** The value of CONTENT_LENGTH. Returns what is wrong with it. */
  takeLength(value: string): string | undefined {
    if (!DIGITS.test(value)) return 'CONTENT_LENGTH is not a number';
    const length = Number(value);
    if (this.hasLength && length !== this.bodyLength) return 'the values of CONTENT_LENGTH differ';
    this.bodyLength = length;
    this.hasLength = true;
    this.rawHeaders.push('content-length', value);
    return undefined;
  }

  /** Sets the version from SERVER_PROTOCOL; anything but `HTTP/x.y` leaves 1.1. */
  setVersion(protocol: string): void {
    const [, major, minor = '0'] = VERSION.exec(protocol) ?? [];
    if (major === undefined) return;
    this.versionMajor = Number(major);
    this.versionMinor = Number(minor);
  }

  /** For a reverse proxy that sends no REQUEST_URI: re-encodes the path that it has decoded. */
  composeUrl(): void {
    const { SCRIPT_NAME = '', PATH_INFO = '', QUERY_STRING = '' } = this.all;
    const path = escapePath(SCRIPT_NAME + PATH_INFO) || '/';
    this.url = QUERY_STRING === '' ? path : `${path}?${QUERY_STRING}`;
  }

  /** The end of the name or value whose length is at `at`. */
  private endOf(at: number): number {
    const { text } = this;
    return at + 2 + (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8));
  }

  /** All variables by name; if a name is repeated, the last. */
  get all(): Record<string, string> {
    if (this.made !== undefined) return this.made;
    const { text } = this;
    const made = Object.create(null) as Record<string, string>;
    for (let at = 0; at < text.length;) {
      const nameEnd = this.endOf(at);
      const end = this.endOf(nameEnd);
      made[text.slice(at + 2, nameEnd)] = text.slice(nameEnd + 2, end);
      at = end;
    }
    this.made = made;
    return made;
  }

  private given(name: string): string | undefined {
    return this.all[name] || undefined;
  }

  private port(name: string): number | undefined {
    const value = this.given(name);
    return value === undefined ? undefined : Number(value);
  }

  get remoteAddress(): string | undefined {
    return this.given('REMOTE_ADDR');
  }

  get remotePort(): number | undefined {
    return this.port('REMOTE_PORT');
  }

  get localAddress(): string | undefined {
    return this.given('SERVER_ADDR');
  }

  get localPort(): number | undefined {
    return this.port('SERVER_PORT');
  }

  get encrypted(): boolean {
    const { HTTPS = '', REQUEST_SCHEME = '' } = this.all;
    return HTTPS === '' ? REQUEST_SCHEME === 'https' : HTTPS.toLowerCase() !== 'off';
  }
}
