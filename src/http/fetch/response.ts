/**
 * A Response that costs little: what the handler has given is kept as it is until a program asks for more than the server
 * needs. A genuine one makes a stream of every body.
 */
import { copyNames, forward, forwardSymbols, likeGenuine } from './forward.js';
import { genuine } from './genuine.js';

/** What a response without a genuine one has. */
export interface LightResponse {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array | null;
}

const TYPE = 'content-type';
const TEXT = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json';
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
const EDGES = /^[\t ]|[\t ]$/;

const LIGHT = Symbol('light');
const HEADERS = Symbol('headers');
const GENUINE = Symbol('genuine');
const SPENT = Symbol('spent');

type Body = ConstructorParameters<typeof globalThis.Response>[0];
type Pair = [name: string, value: string];

/** The header list of an `init`; undefined: the genuine constructor is to judge it. */
function pairsOf(given: unknown): Pair[] | undefined {
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null) return undefined;
  if (given instanceof genuine().Headers) return [...given];
  if (Array.isArray(given) || Symbol.iterator in given || Object.getPrototypeOf(given) !== Object.prototype) {
    return undefined;
  }
  const pairs: Pair[] = [];
  for (const name of Object.keys(given)) {
    // Nodes differ in what they make of it.
    if (name === '__proto__') return undefined;
    const value = (given as Record<string, unknown>)[name];
    if (typeof value !== 'string' || !NAME.test(name) || !VALUE.test(value) || EDGES.test(value)) return undefined;
    const lower = name.toLowerCase();
    // The genuine one joins them.
    if (pairs.some(([other]) => other === lower)) return undefined;
    pairs.push([lower, value]);
  }
  // As the genuine one lists them.
  return pairs.length < 2 ? pairs : pairs.sort(([a], [b]) => (a < b ? -1 : 1));
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
  if (typeof statusText !== 'string' || !REASON.test(statusText)) return undefined;
  const pairs = pairsOf(headers);
  return pairs && { status, statusText, headers: typed(pairs, body), body: own(body) };
}

/** Not in memory that others write to, that may shrink, or that is gone: nodes differ in what they make of it. */
function isPlain({ buffer, length }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && length > 0 && (buffer as { resizable?: boolean }).resizable !== true;
}

/** As the genuine one, which copies bytes: the handler may use them again. */
function own(body: string | Uint8Array | null): string | Uint8Array | null {
  return body === null || typeof body === 'string' ? body : new Uint8Array(body);
}

function typed(pairs: Pair[], body: string | Uint8Array | null): Pair[] {
  if (typeof body !== 'string' || pairs.some(([name]) => name === TYPE)) return pairs;
  const after = pairs.findIndex(([name]) => name > TYPE);
  pairs.splice(after < 0 ? pairs.length : after, 0, [TYPE, TEXT]);
  return pairs;
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
  const init = { status, statusText, headers: fast[HEADERS] ?? (headers as [string, string][]) };
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
    return (this[HEADERS] = new (genuine().Headers)(light.headers as [string, string][]));
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

/**
 * What a FastResponse is to send; it counts as read then. undefined: it is another object, or it has been read, or a
 * genuine one has been made of it.
 */
export function takeLight(response: object): LightResponse | undefined {
  if (!(LIGHT in response)) return undefined;
  const fast = response as Fields;
  const { [LIGHT]: light, [HEADERS]: headers } = fast;
  if (light === undefined || fast[SPENT]) return undefined;
  fast[SPENT] = light.body !== null;
  return headers === undefined ? light : { ...light, headers: [...headers] };
}

/**
 * A `Response` that costs a fraction of a genuine one to make and to send, as long as its body is a string, bytes or
 * nothing, and only `serve()` reads it. On any other use it makes a genuine one. It is an `instanceof Response`, and
 * throws what the genuine constructor throws. Undici's own functions that look into a Response, such as `Cache.put()`, take
 * it on Node 20 and 22 only. `serve({ overrideGlobalObjects: true })` puts it in the place of the global one.
 */
export const FastResponse = Light as unknown as typeof globalThis.Response;
