/**
 * The rest of a request's body that node's parser reads: it has been given the head anew, and would count the server's
 * `requestTimeout` from there.
 */
import { requestTimeoutError } from '../errors/index.js';
import type { HostedConnection, Incoming } from '../exchange/contracts.js';
import type { HttpHost } from './host.js';
import type { HttpSocket } from './http-socket.js';

export class LateBody implements HostedConnection {
  place = -1;
  readonly isIdle = false;
  private readonly host: HttpHost;
  private readonly socket: HttpSocket;
  private readonly request: Incoming;
  /** When the request began. */
  private readonly startedAt: number;

  constructor(host: HttpHost, socket: HttpSocket, request: Incoming, startedAt: number) {
    this.host = host;
    this.socket = socket;
    this.request = request;
    this.startedAt = startedAt;
  }

  destroy(): void {
    // Node's server closes the connections that its parsers read.
  }

  checkTime(now: number, _: number, requestTimeout: number): void {
    const isOver = this.request.complete || this.socket.destroyed;
    const isLate = requestTimeout > 0 && now - this.startedAt >= requestTimeout;
    if (isOver || isLate) this.host.forget(this);
    if (!isOver && isLate) this.refuse();
  }

  /** By the listener of 'error' with which node's server begins: it is what node calls then. */
  private refuse(): void {
    this.socket.listeners('error')[0]?.call(this.socket, requestTimeoutError());
  }
}
