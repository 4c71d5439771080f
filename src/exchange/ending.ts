/** The events of requests, responses and sockets when their connection ends or becomes idle. */
import { abortedError } from '../errors/index.js';
import { closes, type CloseEvent } from '../stats/events.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { Incoming, Outgoing, ServerContract, SocketContract } from './contracts.js';
import { endUnheard, isUnheard } from './request.js';
import { tellEach } from './tell-each.js';
import { tellingLost } from './writers.js';

/** The state of a connection when it was closed. */
export interface Ended {
  readonly server: ServerContract;
  readonly socket: SocketContract;
  readonly request: Incoming | undefined;
  readonly response: Outgoing | undefined;
  /** The error that closed it, if any. */
  readonly failure: Error | undefined;
  /** Callbacks of writes that the kernel has not taken. */
  readonly callbacks: readonly WriteCallback[];
  readonly event: CloseEvent | undefined;
}

/** First among the events of the end, as in node: write callbacks, then the error. */
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

/** Nothing has been read or written for a while. Returns whether any listener handled it. */
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

/** As in node: the unread rest of an answered request is discarded. */
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
