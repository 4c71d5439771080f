/** Selects the server event that a request is emitted as. */
import { emitRequest } from '../node/http-request-event.js';
import type { RequestHead } from './codec.js';
import type { Incoming, OneRequestServer, Outgoing } from './contracts.js';

const EXPECTATION_FAILED = 417;
const NOT_IMPLEMENTED = 501;

const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

export function dispatch(server: OneRequestServer, head: RequestHead, request: Incoming, response: Outgoing): void {
  if (head.expect !== undefined || head.upgrade !== undefined) dispatchSpecial(server, head, request, response);
  else emitRequest(server.emitter, request, response);
}

function dispatchSpecial(server: OneRequestServer, head: RequestHead, request: Incoming, response: Outgoing): void {
  const refusal = head.upgrade === undefined ? undefined : server.codec.refuseUpgrade(head.upgrade);
  if (refusal !== undefined) {
    response.writeHead(NOT_IMPLEMENTED, { 'Content-Type': 'text/plain' });
    response.end(refusal);
  } else if (head.expect === undefined) {
    server.emitter.emit('request', request, response);
  } else if (CONTINUE.test(head.expect)) {
    response._expect_continue = true;
    if (server.emitter.emit('checkContinue', request, response)) return;
    response.writeContinue();
    server.emitter.emit('request', request, response);
  } else if (!server.emitter.emit('checkExpectation', request, response)) {
    response.writeHead(EXPECTATION_FAILED);
    response.end();
  }
}
