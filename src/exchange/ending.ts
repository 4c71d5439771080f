/** The events of requests, responses and sockets when their connection ends or becomes idle. */
import { EventEmitter } from 'node:events';
import { abortedError } from '../errors/index.js';
import { hasEndCallbacks } from '../node/http-messages.js';
import { closes, type CloseEvent } from '../stats/events.js';
import { isHeard } from '../node/is-heard.js';
import { type WriteCallback, readableState } from '../node/stream-state.js';
import type { Incoming, Outgoing, ServerContract, SocketContract } from './contracts.js';
import type { Exchange } from './exchange.js';
import { endUnheard, isUnheard } from './request.js';
import { tellEach } from './tell-each.js';
import { areResponsesWatched } from './telling.js';
import { tellingLost } from './writers.js';

export interface Pending {
  readonly requests: readonly Incoming[];
  readonly responses: readonly Outgoing[];
  /** Responses that never owned the connection. */
  readonly waiting?: readonly Outgoing[];
}

/** The state of a connection when it was closed. */
export interface Ended {
  readonly server: ServerContract;
  readonly socket: SocketContract;
  /** The requests and responses that are not over when it is told, oldest first. */
  pending(): Pending;
  /** The error that closed it, if any. */
  readonly failure: Error | undefined;
  /** Callbacks of writes that the kernel has not taken. */
  readonly callbacks: readonly WriteCallback[];
  readonly event: CloseEvent | undefined;
  /** Whether the failure is to be emitted as 'clientError'. */
  readonly tellsClientError: boolean;
}

/** First among the events of the end, as in node: write callbacks, then the error. */
export function tellFailed({ server, socket, callbacks, tellsClientError }: Ended, failure: Error): void {
  tellEach([
    ...tellingLost(callbacks, failure),
    () => {
      if (socket.listenerCount('error') > 0) EventEmitter.prototype.emit.call(socket, 'error', failure);
    },
    () => {
      if (tellsClientError) server.emitter.emit('clientError', failure, socket);
    },
  ]);
}

/** In node's order: writes, the request, the response, the socket. */
export function tellEnded(ended: Ended): void {
  const { socket, failure, callbacks, event } = ended;
  tellEach([
    ...tellingLost(callbacks, failure),
    () => {
      tellPending(ended.pending());
    },
    () => {
      if (event !== undefined) closes.publish(event);
      socket.emit('close', socket._hadError);
    },
  ]);
}

function tellPending({ requests, responses, waiting = [] }: Pending): void {
  tellEach([
    ...requests.map((request) => () => {
      if (!request._dumped) request.destroy(abortedError());
    }),
    ...responses.map((response) => () => {
      closeResponse(response);
    }),
    ...waiting.map((response) => () => {
      response.destroy(abortedError());
    }),
  ]);
}

/** Nothing has been read or written for a while. Returns whether any listener handled it. */
export function tellIdle({
  server,
  socket,
  request,
  response,
}: Pick<Ended, 'server' | 'socket'> & { request: Incoming | undefined; response: Outgoing | undefined }): boolean {
  socket.emit('timeout');
  const heard = [
    request !== undefined && !request.complete && request.emit('timeout', socket),
    response !== undefined && socket._httpMessage === response && response.emit('timeout', socket),
    server.emitter.emit('timeout', socket),
  ];
  return heard.includes(true);
}

/** The program reads it, or has had node discard it. */
function isTaken(request: Incoming): boolean {
  return request._consuming || readableState(request).resumeScheduled;
}

/** Whether nothing of the program's is called when the kernel has taken a whole response. */
export function endsUnheard({ request, response }: Exchange, { emitter }: ServerContract): boolean {
  const isRequestQuiet = isTaken(request) || (request.complete && isUnheard(request));
  const isResponseQuiet = !isHeard(response) && !hasEndCallbacks(response);
  // A server that listens no longer ends with its last connection.
  const isServerQuiet = emitter.listening && !areResponsesWatched();
  return isRequestQuiet && isResponseQuiet && isServerQuiet;
}

/** As in node: the unread rest of an answered request is discarded. */
export function leaveRequest(request: Incoming): void {
  if (isTaken(request)) return;
  if (request.complete && isUnheard(request)) endUnheard(request);
  else request._dump();
}

export function closeResponse(response: Outgoing): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  if (isHeard(response)) response.emit('close');
}
