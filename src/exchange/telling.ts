/** The events of requests that node:http publishes through `node:diagnostics_channel`. */
import * as diagnostics from 'node:diagnostics_channel';

const started = diagnostics.channel('http.server.request.start');
const finished = diagnostics.channel('http.server.response.finish');

export function tellStarted(request: unknown, response: unknown, socket: unknown, server: unknown): void {
  if (started.hasSubscribers) started.publish({ request, response, socket, server });
}

/** Whether node's channels of requests have subscribers. */
export function areRequestsWatched(): boolean {
  return started.hasSubscribers || finished.hasSubscribers;
}

export function areResponsesWatched(): boolean {
  return finished.hasSubscribers;
}

export function tellFinished(request: unknown, response: unknown, socket: unknown, server: unknown): void {
  if (finished.hasSubscribers) finished.publish({ request, response, socket, server });
}
