/**
 * The rest of a request's body that node's parser reads: it has been given the head anew, and would count the server's
 * `requestTimeout` from there. It does so as well, which matters only where a listener of 'clientError' keeps the
 * connection: that is told again then.
 */
import type * as net from 'node:net';
import { requestTimeoutError } from '../errors/index.js';
import type { HostedConnection, Incoming } from '../exchange/contracts.js';
import { isLate } from '../exchange/is-late.js';
import { refuseByNode } from '../node/http-server.js';
import type { HttpHost } from './host.js';

export class LateBody implements HostedConnection {
  place = -1;
  readonly isIdle = false;
  private readonly host: HttpHost;
  /** The stand-in has become one. */
  private readonly socket: net.Socket;
  private readonly request: Incoming;
  /** When the request began. */
  private readonly startedAt: number;

  constructor(host: HttpHost, socket: net.Socket, request: Incoming, startedAt: number) {
    this.host = host;
    this.socket = socket;
    this.request = request;
    this.startedAt = startedAt;
  }

  destroy(): void {
    // Node's server closes the connections that its parsers read.
  }

  checkTime(now: number, headersTimeout: number, requestTimeout: number): void {
    const isOver = this.request.complete || this.socket.destroyed;
    const isOverdue = isLate(now - this.startedAt, true, headersTimeout, requestTimeout);
    if (isOver || isOverdue) this.host.forget(this);
    if (!isOver && isOverdue) refuseByNode(this.socket, requestTimeoutError());
  }
}
