/** What requests, responses and sockets are told when their connection has come to its end. */
import { abortedError, writeDestroyedError } from '../errors.js';
import { closes, type CloseEvent } from '../stats/events.js';
import type { Incoming, Outgoing } from './internals.js';
import { endUnheard, isUnheard } from './request.js';
import type { ExchangeServer } from './server.js';
import type { ExchangeSocket } from './socket.js';
import { tellEach } from './tell-each.js';

export type WriteCallback = (error?: Error | null) => void;

/** A connection that is closed, as it was then. */
export interface Ended {
  readonly server: ExchangeServer;
  readonly socket: ExchangeSocket;
  readonly request: Incoming | undefined;
  readonly response: Outgoing | undefined;
  /** Why it has been closed, if for an error. */
  readonly failure: Error | undefined;
  /** Of writes that the kernel has not taken. */
  readonly callbacks: readonly WriteCallback[];
  readonly event: CloseEvent | undefined;
}

/** In node's order: writes, errors, the request, the response, the socket. */
export function tellEnded(ended: Ended): void {
  const { server, socket, request, response, failure, callbacks, event } = ended;
  const calls = callbacks.map((callback) => () => {
    callback(failure ?? writeDestroyedError());
  });
  if (socket._hadError && failure !== undefined) {
    calls.push(
      () => {
        if (socket.listenerCount('error') > 0) socket.emit('error', failure);
      },
      () => server.emit('clientError', failure, socket),
    );
  }
  calls.push(
    () => {
      if (request === undefined || request._dumped) return;
      if (socket._httpMessage !== null || !request.complete) request.destroy(abortedError());
    },
    () => {
      if (response !== undefined && socket._httpMessage === response) closeResponse(response);
    },
    () => {
      if (event !== undefined) closes.publish(event);
      socket.emit('close', socket._hadError);
    },
  );
  tellEach(calls);
}

/** As node: what nobody reads of an answered request is read away. */
export function leaveRequest(request: Incoming): void {
  if (request._consuming || request._readableState.resumeScheduled) return;
  if (request.complete && isUnheard(request)) endUnheard(request);
  else request._dump();
}

export function closeResponse(response: Outgoing): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit('close');
}
