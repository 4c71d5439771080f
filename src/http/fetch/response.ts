/**
 * A Response that costs little: what the handler has given is kept as it is until a program asks for more than the server
 * needs. A genuine one makes a stream of every body.
 */
import { copyNames, forward, forwardSymbols, likeGenuine } from './forward.js';
import { genuine } from './genuine.js';
import { ResponseHeader, responseHeader } from './response-header.js';

/** What a response without a genuine one has. */
export interface LightResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly ResponseHeader[];
  readonly body: string | Uint8Array | null;
}

const TYPE = 'content-type';
const TEXT = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json';
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

const LIGHT = Symbol('light');
const HEADERS = Symbol('headers');
const GENUINE = Symbol('genuine');
const SPENT = Symbol('spent');

type Body = ConstructorParameters<typeof globalThis.Response>[0];
/** The header list of an `init`; undefined: the genuine constructor is to judge it. */
function headersOf(given: unknown): ResponseHeader[] | undefined {
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null) return undefined;
  if (given instanceof genuine().Headers) return allOf(given);
  if (Array.isArray(given) || Symbol.iterator in given || Object.getPrototypeOf(given) !== Object.prototype) {
    return undefined;
  }
  const names = Object.keys(given);
  const list = new Array<ResponseHeader>(names.length);
  for (let i = 0; i < names.length; i++) {
    const header = unchanged(given as Record<string, unknown>, names[i] as string);
    // The genuine one joins those of one name.
    if (header === undefined || isAmong(list, i, header)) return undefined;
    list[i] = header;
  }
  // As the genuine one lists them.
  return names.length < 2 ? list : list.sort(({ name: a }, { name: b }) => (a < b ? -1 : 1));
}

function allOf(headers: Headers): ResponseHeader[] | undefined {
  const list: ResponseHeader[] = [];
  for (const [name, value] of headers) {
    const header = responseHeader(name, value);
    if (header === undefined) return undefined;
    list.push(header);
  }
  return list;
}

/** undefined: the genuine constructor would change it, or refuse it. */
function unchanged(headers: Record<string, unknown>, name: string): ResponseHeader | undefined {
  // Nodes differ in what they make of it.
  if (name === '__proto__') return undefined;
  const value = headers[name];
  const header = typeof value === 'string' ? responseHeader(name, value) : undefined;
  return header?.isTrimmed === true ? header : undefined;
}

function isAmong(list: readonly ResponseHeader[], count: number, { name }: ResponseHeader): boolean {
  for (let i = 0; i < count; i++) if ((list[i] as ResponseHeader).name === name) return true;
  return false;
}

/** As the Headers constructor takes them. */
function pairsOf(headers: readonly ResponseHeader[]): [name: string, value: string][] {
  return headers.map(({ name, value }) => [name, value]);
}

function isInit(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304 || status < 200;
}

/** undefined: it takes a genuine Response, or the genuine constructor throws. */
function lighten(body: unknown, init: unknown): LightResponse | undefined {
  if (body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) return undefined;
  if (body instanceof Uint8Array && !isPlain(body)) return undefined;
  if (init === undefined || init === null)
    return { status: 200, statusText: '', headers: typed([], body), body: own(body) };
  if (typeof init !== 'object') return undefined;
  const { status = 200, statusText = '', headers } = init as Record<string, unknown>;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) return undefined;
  if (body !== null && isBodiless(status)) return undefined;
  if (typeof statusText !== 'string' || (statusText !== '' && !REASON.test(statusText))) return undefined;
  const list = headersOf(headers);
  return list && { status, statusText, headers: typed(list, body), body: own(body) };
}

/** Not in memory that others write to, that may shrink, or that is gone: nodes differ in what they make of it. */
function isPlain({ buffer, length }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && length > 0 && (buffer as { resizable?: boolean }).resizable !== true;
}

/** As the genuine one, which copies bytes: the handler may use them again. */
function own(body: string | Uint8Array | null): string | Uint8Array | null {
  return body === null || typeof body === 'string' ? body : new Uint8Array(body);
}

const TEXT_TYPE = new ResponseHeader(TYPE, TEXT);

function typed(list: ResponseHeader[], body: string | Uint8Array | null): ResponseHeader[] {
  if (typeof body !== 'string') return list;
  if (list.length === 0) return [TEXT_TYPE];
  let before = 0;
  for (const { name } of list) {
    if (name === TYPE) return list;
    if (name < TYPE) before++;
  }
  list.splice(before, 0, TEXT_TYPE);
  return list;
}

interface Fields {
  /** What it was made of. undefined: the genuine one has it. */
  [LIGHT]: LightResponse | undefined;
  /** Asked for before the genuine one was made: they may have been changed since. */
  [HEADERS]: Headers | undefined;
  [GENUINE]: Response | undefined;
  /** Its body has been sent. */
  [SPENT]: boolean;
}

/** From now on, the genuine one has the body. */
function genuineOf(fast: Fields): Response {
  const { [GENUINE]: made, [LIGHT]: light } = fast;
  if (made !== undefined) return typedAs(made, fast[HEADERS]);
  const { status, statusText, headers, body } = light as LightResponse;
  const init = { status, statusText, headers: fast[HEADERS] ?? pairsOf(headers) };
  const response = new (genuine().Response)(body as Body, init);
  if (fast[SPENT]) void response.arrayBuffer();
  fast[LIGHT] = undefined;
  return (fast[GENUINE] = typedAs(response, fast[HEADERS]));
}

/** The type of its body is what its headers say, and these are other ones; a string has brought one. */
function typedAs(response: Response, headers: Headers | undefined): Response {
  if (headers === undefined) return response;
  const type = headers.get(TYPE);
  if (type === null) response.headers.delete(TYPE);
  else if (type !== response.headers.get(TYPE)) response.headers.set(TYPE, type);
  return response;
}

class Light implements Fields {
  [LIGHT]: LightResponse | undefined;
  [HEADERS]: Headers | undefined;
  [GENUINE]: Response | undefined;
  [SPENT] = false;

  constructor(body?: unknown, init?: unknown) {
    if (!isLinked) linkResponse();
    const light = lighten(body ?? null, init);
    this[LIGHT] = light;
    this[HEADERS] = undefined;
    this[GENUINE] = light === undefined ? new (genuine().Response)(body as Body, init as ResponseInit) : undefined;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (this === Light && value instanceof genuine().Response) return true;
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }

  // Without a receiver, as the genuine one may be called.
  static json(...args: [data: unknown, init?: ResponseInit]): unknown {
    const [data, init] = args;
    const isLight = args.length > 0 && (init === undefined || isInit(init)) && init?.headers === undefined;
    const text: unknown = isLight ? JSON.stringify(data) : undefined;
    if (text === undefined) return genuine().Response.json(...args);
    return new Light(text, { status: init?.status, statusText: init?.statusText, headers: { [TYPE]: JSON_TYPE } });
  }

  // Not inherited: they may be called before anything else is.
  static redirect(...args: Parameters<typeof globalThis.Response.redirect>): Response {
    return genuine().Response.redirect(...args);
  }

  static error(): Response {
    return genuine().Response.error();
  }

  get headers(): Headers {
    const { [LIGHT]: light, [HEADERS]: headers } = this;
    if (headers !== undefined) return headers;
    if (light === undefined) return genuineOf(this).headers;
    return (this[HEADERS] = new (genuine().Headers)(pairsOf(light.headers)));
  }

  get status(): number {
    return (this[LIGHT] ?? genuineOf(this)).status;
  }

  get statusText(): string {
    return (this[LIGHT] ?? genuineOf(this)).statusText;
  }

  get ok(): boolean {
    const { status } = this[LIGHT] ?? genuineOf(this);
    return status >= 200 && status < 300;
  }

  get bodyUsed(): boolean {
    return this[SPENT] || (this[GENUINE]?.bodyUsed ?? false);
  }

  clone(): unknown {
    const { headers } = this;
    const { body, status, statusText } = genuineOf(this).clone();
    return new Light(body, { status, statusText, headers });
  }
}

let isLinked = false;

/** Derives it from the genuine class, which is not loaded before the first of these is made, or takes its place. */
export function linkResponse(): void {
  isLinked = true;
  const { Response } = genuine();
  Object.setPrototypeOf(Light, Response);
  Object.setPrototypeOf(Light.prototype, Response.prototype);
  forward(Response.prototype, Light.prototype, genuineOf);
  forwardSymbols(new Response(null), Light.prototype, genuineOf);
  likeGenuine(Response, Light);
  copyNames(Response, Light);
}

/** What a FastResponse is to send. */
export interface TakenResponse extends Omit<LightResponse, 'headers'> {
  /** Of a program that has asked for them, which may have changed them: what they are now. */
  readonly headers: readonly ResponseHeader[] | Headers;
}

/**
 * What a FastResponse is to send; it counts as read then. undefined: it is another object, or it has been read, or a
 * genuine one has been made of it.
 */
export function takeLight(response: object): TakenResponse | undefined {
  if (!(LIGHT in response)) return undefined;
  const fast = response as Fields;
  const { [LIGHT]: light, [HEADERS]: headers } = fast;
  if (light === undefined || fast[SPENT]) return undefined;
  fast[SPENT] = light.body !== null;
  return headers === undefined ? light : { ...light, headers };
}

/**
 * A `Response` that costs a fraction of a genuine one to make and to send, as long as its body is a string, bytes or
 * nothing, and only `serve()` reads it. On any other use it makes a genuine one. It is an `instanceof Response`, and
 * throws what the genuine constructor throws. Undici's own functions that look into a Response, such as `Cache.put()`, take
 * it on Node 20 and 22 only. `serve({ overrideGlobalObjects: true })` puts it in the place of the global one.
 */
export const FastResponse = Light as unknown as typeof globalThis.Response;
