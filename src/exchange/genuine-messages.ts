/**
 * Node's own message classes with the fields that node's server sets from outside: its public types do not have them.
 */
import { bareResponse } from '../node/http-messages.js';
import { nodeHttp } from '../runtime/http.js';
import type { Incoming, Outgoing } from './contracts.js';

/** The methods of all outgoing messages. */
export const outgoingMethods = nodeHttp.OutgoingMessage.prototype as unknown as Outgoing;

/** Those of responses. */
export const responseMethods = nodeHttp.ServerResponse.prototype as unknown as Outgoing;

/** A request that no server has received. */
export function newRequest(socket: unknown): Incoming {
  return new nodeHttp.IncomingMessage(socket as never) as unknown as Incoming;
}

/** A response that is not published as each of a server's is. */
export function newResponse(request: Incoming, options: object): Outgoing {
  return bareResponse(request as never, options) as unknown as Outgoing;
}
