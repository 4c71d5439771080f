/** Serves the uwsgi protocol, for nginx's `uwsgi_pass`, in place of uWSGI. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import type { Codec, RequestHead, RequestReader } from '../exchange/codec.js';
import { serverArguments, type ExchangeServerOptions, type OwnOptions } from '../exchange/options.js';
import { ExchangeServer } from '../exchange/server.js';
import { checkLimit, checkWhole } from '../config/options.js';
import { UwsgiReader, type ReaderLimits } from './server-reader.js';
import { Variables } from './variables.js';

/** The largest size that a packet's header can express. */
const MAX_VARIABLES_SIZE = 65_535;
/** nginx sends about 15 in addition to the request's headers, which it limits to 32 KiB. */
const DEFAULT_VARIABLES = 1000;

/** Options of a uwsgi server. */
export interface UwsgiServerOptions extends ExchangeServerOptions {
  /**
   * The maximum size in bytes of a request's variables, including its headers; larger requests get a 431. Default:
   * 65,535, the protocol's limit.
   */
  maxVariablesSize?: number | undefined;
  /** The maximum number of variables of a request; beyond it, a 431. Default: 1,000. */
  maxVariables?: number | undefined;
  /**
   * The maximum size in bytes of a request's body; larger ones get a 413, unread. Default: no limit; nginx has its own,
   * `client_max_body_size`.
   */
  maxBodySize?: number | undefined;
}

/** A request that was received using the uwsgi protocol. */
export interface UwsgiRequest extends http.IncomingMessage {
  /**
   * All variables as sent by the reverse proxy: `PATH_INFO`, `SCRIPT_NAME`, `REMOTE_USER`, ... Each character is a byte
   * (latin1), as in node's headers. Built on first access.
   */
  readonly uwsgi: Readonly<Record<string, string>>;
}

/** Called with each request and its response, as the listener of `http.createServer`. */
export type UwsgiListener<Response extends http.ServerResponse = http.ServerResponse> = (
  request: UwsgiRequest,
  response: Response,
) => unknown;

const VARIABLES = Symbol('variables');

interface WithVariables {
  readonly [VARIABLES]: Variables;
}

function variablesOf(this: WithVariables): Readonly<Record<string, string>> {
  return this[VARIABLES].all;
}

type DefineGetter = (this: object, name: string, get: (this: never) => unknown) => void;

function defineByDescriptor(this: object, name: string, get: (this: never) => unknown): void {
  Object.defineProperty(this, name, { get, enumerable: true, configurable: true });
}

/**
 * Does what the other does, in half the time on Node 26: V8 reads no descriptor. (ECMA-262, B.2.2.2; programs that harden
 * their objects remove it.)
 */
const { __defineGetter__: defineGetter = defineByDescriptor } = Object.prototype as { __defineGetter__?: DefineGetter };

function limitsOf({ maxVariablesSize, maxVariables, maxBodySize }: UwsgiServerOptions): ReaderLimits {
  checkWhole(maxVariablesSize, 'options.maxVariablesSize', 1, MAX_VARIABLES_SIZE);
  checkWhole(maxVariables, 'options.maxVariables', 1, MAX_VARIABLES_SIZE);
  checkLimit(maxBodySize, 'options.maxBodySize');
  return {
    variablesSize: maxVariablesSize ?? MAX_VARIABLES_SIZE,
    variablesCount: maxVariables ?? DEFAULT_VARIABLES,
    bodySize: maxBodySize ?? Number.POSITIVE_INFINITY,
  };
}

const NO_KEEP_ALIVE = 'has no effect: in the uwsgi protocol, a connection carries one request';
const NO_HTTP_REQUEST = 'has no effect: the reverse proxy has parsed and checked the HTTP request';

const OWN_OPTIONS: OwnOptions = {
  names: ['maxVariablesSize', 'maxVariables', 'maxBodySize'] satisfies (keyof UwsgiServerOptions)[],
  reasons: {
    keepAliveTimeout: NO_KEEP_ALIVE,
    keepAliveTimeoutBuffer: NO_KEEP_ALIVE,
    insecureHTTPParser: NO_HTTP_REQUEST,
    httpValidation: NO_HTTP_REQUEST,
    requireHostHeader: NO_HTTP_REQUEST,
    maxHeaderSize: 'is called maxVariablesSize here, as headers are sent as variables',
    shouldUpgradeCallback: 'has no effect: the uwsgi protocol carries no other protocol',
    optimizeEmptyRequests: 'has no effect: a request without a body costs nothing extra',
  },
};

class UwsgiCodec implements Codec {
  readonly name = 'uwsgi';
  readonly peerSpeaksFirst = true;
  /** nginx takes the first response that it gets for the final one, and has sent `100 Continue` itself. */
  readonly sendsInformation = false;
  private readonly limits: ReaderLimits;

  constructor(limits: ReaderLimits) {
    this.limits = limits;
  }

  createReader(engine: Engine | undefined): RequestReader {
    return new UwsgiReader(this.limits, engine);
  }

  decorate(request: object, head: RequestHead): void {
    (request as { [VARIABLES]?: RequestHead })[VARIABLES] = head;
    // An own property, like `rawHeaders`: a framework may change the request's prototype.
    defineGetter.call(request, 'uwsgi', variablesOf);
  }

  refuseUpgrade(protocol: string): string | undefined {
    // Others (h2c) are offers, which a server may ignore. A WebSocket client cannot continue without the upgrade.
    if (!/\bwebsocket\b/i.test(protocol)) return undefined;
    return 'The uwsgi protocol does not support WebSockets: nginx needs proxy_pass to an HTTP server for them.\n';
  }
}

/** The class of requests, as node's types of an `http.Server` have it. */
type UwsgiRequestClass = typeof http.IncomingMessage & (new (socket: net.Socket) => UwsgiRequest);

/** A server for nginx's `uwsgi_pass`: a real `http.Server`, whose connections speak uwsgi. */
export class UwsgiServer extends ExchangeServer<UwsgiRequestClass> {
  constructor(options?: UwsgiServerOptions | UwsgiListener | null, listener?: UwsgiListener) {
    const [given, requestListener] = serverArguments<UwsgiServerOptions>(
      options as UwsgiServerOptions,
      listener as http.RequestListener | undefined,
    );
    super(new UwsgiCodec(limitsOf(given)), given, OWN_OPTIONS, requestListener);
  }
}
