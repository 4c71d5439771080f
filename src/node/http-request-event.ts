/**
 * `server.emit('request', …)`, which calls a single listener by itself: node's `emit` takes 330 instructions for that, of
 * a short request's 16,000. It does so where the two come to the same: `emit` is node's own, no other code hears of an
 * event, and what the listener returns is not looked at. test/http/emitted-requests.test.ts fails where one does not hold.
 */
import { EventEmitter } from 'node:events';
import { requestListener } from './http-server.js';
import { emitsAsNode } from './is-heard.js';

/** Whether rejections of what listeners return are caught; an own property of each emitter. */
const CAPTURES = Object.getOwnPropertySymbols(new EventEmitter()).find(({ description }) => description === 'kCapture');

/** Without the symbol, what the listener returns may matter. */
function catchesRejections(server: EventEmitter): boolean {
  return CAPTURES === undefined || (server as unknown as Record<symbol, unknown>)[CAPTURES] !== false;
}

export function emitRequest(server: EventEmitter, request: object, response: object): void {
  const listener = requestListener(server);
  if (typeof listener === 'function' && emitsAsNode(server) && !catchesRejections(server)) {
    Reflect.apply(listener, server, [request, response]);
  } else {
    server.emit('request', request, response);
  }
}
