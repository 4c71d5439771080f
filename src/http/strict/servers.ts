/** Servers that refuse what the RFC has them refuse: on whatever kind of socket a request comes. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { argValueError } from '../../errors/index.js';
import { NativeSocket } from '../../net/socket.js';
import { replaceConnectionListener, serveByNode } from '../../node/http-server.js';
import { readByListener } from '../../node/http-parser.js';
import { follow } from '../follow-parsers.js';
import { guard } from './gate.js';

/** `1`: of all servers whose program does not say otherwise. */
const STRICT_VARIABLE = 'NEARWIRE_HTTP_STRICT';

/** What has been decided for a server. */
const decided = new WeakMap<net.Server, boolean>();

/** Throws ERR_INVALID_ARG_VALUE if the variable has another value. */
export function isStrictByDefault(): boolean {
  const value = process.env[STRICT_VARIABLE];
  if (value !== undefined && value !== '' && value !== '0' && value !== '1') {
    throw argValueError(STRICT_VARIABLE, value, "must be '0' or '1'");
  }
  return value === '1';
}

export function isStrict(server: net.Server): boolean {
  return decided.get(server) === true;
}

/** Takes the place of node's own listener of 'connection'. */
export function serveStrictly(this: http.Server, socket: net.Socket): void {
  const others = socket.listeners('data');
  serveByNode(this, socket);
  guard(this, socket, 0, others);
  if (socket instanceof NativeSocket) return;
  readByListener(socket);
  follow(socket);
}

/** Call it before the server listens. Without `strict` the environment decides. */
export function setStrictness(server: http.Server, strict: boolean | undefined): void {
  // An earlier call may have failed later.
  if (isStrict(server)) return;
  const isWanted = strict ?? isStrictByDefault();
  if (isWanted && !replaceConnectionListener(server, serveStrictly)) {
    throw argValueError('server', server, "must have node's own listener of 'connection' to be strict");
  }
  decided.set(server, isWanted);
}

/** Unless its program has decided. One that does not read HTTP by node's parser is left as it is. */
export function makeStrictByDefault(server: http.Server): void {
  if (!decided.has(server)) decided.set(server, replaceConnectionListener(server, serveStrictly));
}
