/** What requests, responses and sockets are told when their connection comes to its end, or nothing more happens on it. */
import { abortedError } from '../errors/index.js';
import { closes, type CloseEvent } from '../stats/events.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { Incoming, Outgoing, ServerContract, SocketContract } from './contracts.js';
import { endUnheard, isUnheard } from './request.js';
import { tellEach } from './tell-each.js';
import { tellingLost } from './writers.js';

/** A connection that is closed, as it was then. */
export interface Ended {
  readonly server: ServerContract;
  readonly socket: SocketContract;
  readonly request: Incoming | undefined;
  readonly response: Outgoing | undefined;
  /** Why it has been closed, if for an error. */
  readonly failure: Error | undefined;
  /** Of writes that the kernel has not taken. */
  readonly callbacks: readonly WriteCallback[];
  readonly event: CloseEvent | undefined;
}

/** Before anything else of the end, as node has it: writes, then the error. */
export function tellFailed({ server, socket, callbacks }: Ended, failure: Error): void {
  tellEach([
    ...tellingLost(callbacks, failure),
    () => {
      if (socket.listenerCount('error') > 0) socket.emit('error', failure);
    },
    () => server.emit('clientError', failure, socket),
  ]);
}

/** In node's order: writes, the request, the response, the socket. */
export function tellEnded(ended: Ended): void {
  const { socket, request, response, failure, callbacks, event } = ended;
  const calls = tellingLost(callbacks, failure);
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

/** Nothing has been read or written for a while. Answers whether anybody cares. */
export function tellIdle({
  server,
  socket,
  request,
  response,
}: Omit<Ended, 'failure' | 'callbacks' | 'event'>): boolean {
  socket.emit('timeout');
  const heard = [
    request !== undefined && !request.complete && request.emit('timeout', socket),
    response !== undefined && socket._httpMessage === response && response.emit('timeout', socket),
    server.emit('timeout', socket),
  ];
  return heard.includes(true);
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
