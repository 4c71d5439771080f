/** An `http.Server` whose plain requests are read without node's parser, as its connections see it. */
import type { RequestClass, ResponseClass } from '../exchange/contracts.js';
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import { ServerHost } from '../exchange/host.js';
import {
  dropsEmptyBodies,
  exceptFromExpiry,
  listensAlone,
  listensFirst,
  requestClassOf,
  responseClassOf,
  type ServerWithFields,
} from '../node/http-server.js';
import { nodeHttp } from '../runtime/http.js';
import { scanHead, type PlainHead } from './plain-request.js';

/** A socket, as far as node's server looks whether it is idle. */
interface ServedSocket {
  _httpMessage: unknown;
}

/** Who counts the time of a message that node's parser reads. */
interface Clock {
  readonly isOver: boolean;
}

/** What node's server takes for a response that has not been ended. */
const UNFINISHED = { finished: false };

export class HttpHost extends ServerHost {
  /** Sockets in whose request node's parser would be, but has been given all of it. */
  private readonly active = new Set<ServedSocket>();
  private readonly clocks = new WeakMap<object, Clock>();

  constructor(server: ServerWithFields) {
    super(server, {
      request: requestClassOf(server) as RequestClass,
      response: responseClassOf(server) as ResponseClass,
    });
  }

  /** The longest header block in bytes. */
  get longestHead(): number {
    return this.emitter.maxHeaderSize ?? nodeHttp.maxHeaderSize;
  }

  /** The time of what this parser reads is counted elsewhere, and not by node, until that is over. */
  countTime(parser: object, clock: Clock): void {
    this.clocks.set(parser, clock);
    exceptFromExpiry(this.emitter, this.isCounted);
  }

  private readonly isCounted = (parser: object): boolean => this.clocks.get(parser)?.isOver === false;

  /** Whether node's own code may be spared: with these options it treats plain requests in a way of its own. */
  get servesPlain(): boolean {
    return listensFirst(this.emitter) && this.leavesPlain;
  }

  protected get leavesPlain(): boolean {
    const { emitter: server } = this;
    return (
      !server.insecureHTTPParser &&
      server.httpValidation === undefined &&
      !server.maxHeadersCount &&
      !(server.maxRequestsPerSocket as number) &&
      !dropsEmptyBodies(server)
    );
  }

  /** Whether 'connection' has no listener but the server's own. */
  get listensAlone(): boolean {
    return listensAlone(this.emitter);
  }

  /** As `scanHead`. */
  scan(engine: Engine, data: Buffer, start: number, end: number): PlainHead | undefined {
    return scanHead(this, engine, data, start, end);
  }

  /** While its request is read, node's server is not to take the socket for idle. */
  beginActive(socket: object): void {
    this.active.add(socket as ServedSocket);
  }

  endActive(socket: object): void {
    this.active.delete(socket as ServedSocket);
  }

  /** Has node's code close what it takes for idle: sockets whose parser is between two messages, and that owe no response. */
  closeIdleOfNode(closeIdle: () => void): void {
    const before = [...this.active].map((socket) => [socket, socket._httpMessage] as const);
    for (const [socket] of before) socket._httpMessage = UNFINISHED;
    try {
      closeIdle();
    } finally {
      for (const [socket, message] of before) socket._httpMessage = message;
    }
  }

  /** Called when node's code serves a socket from now on, and so many bytes of a body are to come. */
  readonly guard: ((socket: net.Socket, bodyLeft: number) => void) | undefined = undefined;
}
