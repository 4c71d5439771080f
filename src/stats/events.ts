/** Events published through `node:diagnostics_channel`. They are built only if the channel has subscribers. */
import * as diagnostics from 'node:diagnostics_channel';
import type * as net from 'node:net';
import { CONNECTION_COUNTERS, type NativeEngine } from '../binding/addon.js';
import type { ConnectionStats } from './server-stats.js';

/** Why a connection was closed as soon as it had been accepted. */
export type DropReason = 'maxConnections' | 'blockList';

/**
 * `nearwire:connection`: a server has accepted a connection. Published before 'connection' or `onConnection`. Both
 * objects are those that the program knows; index.ts lists the possible types.
 */
export interface ConnectionEvent<Server extends object = object, Connection extends object = object> {
  /** The server that accepted it. */
  server: Server;
  /** The connection. */
  socket: Connection;
}

/** `nearwire:drop`: a connection was closed as soon as it had been accepted. */
export interface DropEvent<Server extends object = object> {
  /** The server that accepted and closed it. */
  server: Server;
  /** Why the server closed it. */
  reason: DropReason;
}

/** `nearwire:close`: a connection accepted by a server is closed. Published before 'close' or `onClose`. */
export interface CloseEvent<Server extends object = object, Connection extends object = object> {
  /** The server that accepted it. */
  server: Server;
  /** The connection, closed. */
  socket: Connection;
  /** Its final counters. */
  stats: ConnectionStats;
}

export const connections = diagnostics.channel('nearwire:connection');
export const drops = diagnostics.channel('nearwire:drop');
export const closes = diagnostics.channel('nearwire:close');

const NANOS_PER_MILLI = 1e6;

/** The counters of a native connection; undefined if it is closed. */
export function connectionStats(native: NativeEngine, id: number): ConnectionStats | undefined {
  const values = native.connectionCounters(id);
  if (typeof values === 'number') return undefined;
  const of = (name: (typeof CONNECTION_COUNTERS)[number]): number => values[CONNECTION_COUNTERS.indexOf(name)] ?? 0;
  return {
    bytesRead: of('bytesRead'),
    bytesWritten: of('bytesWritten'),
    messages: of('messages'),
    sends: of('sends'),
    partialSends: of('partialSends'),
    sendEagains: of('sendEagains'),
    waits: of('waits'),
    waitMillis: of('waitNanos') / NANOS_PER_MILLI,
  };
}

/** The counters of one of node's own sockets. */
export function nodeConnectionStats({ bytesRead, bytesWritten }: net.Socket): ConnectionStats {
  const unseen = { messages: undefined, sends: undefined, partialSends: undefined, sendEagains: undefined };
  return { bytesRead, bytesWritten, ...unseen, waits: undefined, waitMillis: undefined };
}

/**
 * Publishes the end of one of node's own connections, if the channel has subscribers now. `told` represents it in the
 * event.
 */
export function tellNodeClose(server: object, socket: net.Socket, told: object = socket): void {
  if (!closes.hasSubscribers) return;
  socket.prependOnceListener('close', () => {
    closes.publish({ server, socket: told, stats: nodeConnectionStats(socket) } satisfies CloseEvent);
  });
}
