/**
 * The Request that a handler gets.
 *
 * A genuine one is dear to make, and most handlers look at its method and URL only. So they get a light one, which makes
 * the genuine one on any other use. It passes for genuine in `new Request(light)` and `fetch(light)`, too, where this
 * node's own code keeps its state under symbols (20 and 22): it finds the genuine one's. Where that is in private fields,
 * nothing but a genuine Request has them, and handlers get one at once (eager-request.ts); unless the globals that would
 * look for them have been replaced: see global-objects.ts.
 */
import type { RequestOrigin } from './contracts.js';
import { makeEagerRequest } from './eager-request.js';
import { forward, forwardSymbols } from './forward.js';
import { genuine } from './genuine.js';
import { areGlobalsReplaced } from './replaced.js';

const ORIGIN = Symbol('origin');
const GENUINE = Symbol('genuine');
const HEADERS = Symbol('headers');
const TAKEN = Symbol('taken');

/** Own fields of a light request. */
export interface LightFields {
  readonly [ORIGIN]: RequestOrigin;
  [GENUINE]: Request | undefined;
  [HEADERS]: Headers | undefined;
  /** Its body has been read by the short way. */
  [TAKEN]: boolean;
}

type LightRequest = LightFields & Request;

/** Without a body in the sense of the fetch API, whatever came. */
export function hasBody({ method, body }: RequestOrigin): boolean {
  return body !== undefined && method !== 'GET' && method !== 'HEAD';
}

function fill(headers: Headers, { rawHeaders }: RequestOrigin): Headers {
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string);
  return headers;
}

/** The genuine Request behind a light one; any other value as it is. */
export function unwrapped<T>(value: T): T | Request {
  return typeof value === 'object' && value !== null && ORIGIN in value ? genuineOf(value as T & LightRequest) : value;
}

function genuineOf(light: LightRequest): Request {
  return (light[GENUINE] ??= makeGenuine(light));
}

function makeGenuine(light: LightRequest): Request {
  const { [ORIGIN]: origin } = light;
  const { method, url, copiesSignal: signal } = origin;
  const init: RequestInit = { method: method === 'TRACE' ? 'GET' : method, headers: light.headers, signal };
  const sendsBody = hasBody(origin) && method !== 'TRACE';
  if (sendsBody) Object.assign(init, { body: light[TAKEN] ? '' : origin.body?.stream(), duplex: 'half' });
  const request = new (genuine().Request)(url, init);
  // As one whose body has been read.
  if (sendsBody && light[TAKEN]) void request.arrayBuffer();
  return request;
}

/** Of a body that has not been touched, with less ado than a stream; as the genuine one would otherwise. */
async function take<T>(light: LightRequest, name: string, convert: (bytes: Uint8Array) => T): Promise<T> {
  const { [ORIGIN]: origin } = light;
  const isUntouched = light[GENUINE] === undefined && !light[TAKEN] && hasBody(origin);
  if (!isUntouched || origin.body === undefined) {
    const request = genuineOf(light) as unknown as Record<string, () => Promise<T>>;
    return (request[name] as () => Promise<T>).call(request);
  }
  light[TAKEN] = true;
  return convert(await origin.body.whole());
}

/** Made with the first text: the global is one that node loads when it is asked for. */
let decoder: InstanceType<typeof TextDecoder> | undefined;
const asText = (bytes: Uint8Array): string => (decoder ??= new TextDecoder()).decode(bytes);
const asJson = (bytes: Uint8Array): unknown => JSON.parse(asText(bytes));
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): unknown =>
  byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
const asBytes = (bytes: Uint8Array): Uint8Array => new Uint8Array(asBuffer(bytes) as ArrayBuffer);

const getter = (get: (light: LightRequest) => unknown): PropertyDescriptor => ({
  get(this: LightRequest) {
    return get(this);
  },
  enumerable: true,
  configurable: true,
});

const method = (name: string, convert: (bytes: Uint8Array) => unknown): PropertyDescriptor => ({
  value(this: LightRequest) {
    return take(this, name, convert);
  },
  enumerable: true,
  writable: true,
  configurable: true,
});

const OWN: PropertyDescriptorMap = {
  method: getter((light) => light[ORIGIN].method),
  url: getter((light) => light[ORIGIN].url),
  headers: getter((light) => (light[HEADERS] ??= fill(new (genuine().Headers)(), light[ORIGIN]))),
  signal: getter((light) => light[ORIGIN].signal),
  bodyUsed: getter((light) => light[TAKEN] || (light[GENUINE]?.bodyUsed ?? false)),
  text: method('text', asText),
  json: method('json', asJson),
  arrayBuffer: method('arrayBuffer', asBuffer),
};

type LightClass = new (origin: RequestOrigin) => LightRequest;

function makeLightClass(): LightClass {
  const { Request } = genuine();
  function Light(this: LightFields, origin: RequestOrigin): void {
    (this as { [ORIGIN]: RequestOrigin })[ORIGIN] = origin;
    this[GENUINE] = undefined;
    this[HEADERS] = undefined;
    this[TAKEN] = false;
  }
  const prototype = Object.create(Request.prototype, OWN) as object;
  if ('bytes' in Request.prototype) Object.defineProperty(prototype, 'bytes', method('bytes', asBytes));
  forward(Request.prototype, prototype, genuineOf);
  forwardSymbols(new Request('http://localhost/'), prototype, genuineOf);
  Light.prototype = prototype;
  return Light as unknown as LightClass;
}

let lightClass: LightClass | undefined;

let passes: boolean | undefined;

/** Whether this node takes a light one for a Request. */
function doesLightPass(Light: LightClass): boolean {
  try {
    const { Request } = genuine();
    const { signal } = new AbortController();
    const origin = {
      method: 'POST',
      url: 'http://localhost/a',
      rawHeaders: ['X-Name', 'value'],
      body: undefined,
      signal,
      copiesSignal: signal,
    };
    const copy = new Request(new Light(origin));
    return copy.url === origin.url && copy.method === 'POST' && copy.headers.get('x-name') === 'value';
  } catch {
    return false;
  }
}

/** Makes what a handler gets. Throws if the request is one that the fetch API cannot have. */
export function makeRequest(origin: RequestOrigin): Request {
  lightClass ??= makeLightClass();
  passes ??= doesLightPass(lightClass);
  return passes || areGlobalsReplaced() ? new lightClass(origin) : makeEagerRequest(origin, fill, hasBody(origin));
}
