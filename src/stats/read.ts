/** The counters of any server that nearwire carries. */
import * as net from 'node:net';
import { argTypeError } from '../errors/index.js';
import type { TransportName } from '../config/options.js';
import { connectionsOf } from '../node/server-connections.js';
import { counterOf } from './server-counter.js';
import type { ServerStats } from './server-stats.js';

/** An object with `stats()`: nearwire's servers, including those of http and channels. */
export interface CountingServer {
  /** What the server and its connections have counted. */
  stats(): ServerStats;
}

function counts(server: object): server is CountingServer {
  return typeof (server as Partial<CountingServer>).stats === 'function';
}

/**
 * As `server.stats()`, but also for a server of an unchanged program under `nearwire/register`, which has no such
 * method. Returns undefined for a server that nearwire does not carry, or one under `nearwire/register` that has not
 * listened yet. Throws ERR_INVALID_ARG_TYPE for anything else.
 */
export function serverStats(server: net.Server | CountingServer): ServerStats | undefined {
  const given: unknown = server;
  if (typeof given !== 'object' || given === null) throw argTypeError('server', 'a server', given);
  if (counts(given)) return given.stats();
  if (!(given instanceof net.Server)) throw argTypeError('server', 'a server', given);
  const { transport = 'js' } = given as net.Server & { transport?: TransportName };
  return counterOf(given)?.stats(transport, connectionsOf(given));
}
