/** How node counts the connections of a server: what its close(), its limits and a cluster go by. */
import type * as net from 'node:net';
import { ZERO_CONNECTIONS_IS_A_LIMIT } from '../runtime/version.js';

/** A server as far as it counts connections. */
export interface ConnectionCounting {
  /** Node's types leave it out. */
  _connections: number;
  maxConnections?: number;
  /** Node calls it for each connection that has ended: emits 'close' if the server is closed and this was the last one. */
  _emitCloseIfDrained(): void;
}

/** The open connections; `getConnections()` reports the same number asynchronously. */
export function connectionsOf(server: net.Server | ConnectionCounting): number {
  return (server as ConnectionCounting)._connections;
}

/** A connection of the server is open. */
export function countConnection(server: ConnectionCounting): void {
  server._connections++;
}

/** It is not this one that is open: another will be counted in its place. */
export function uncountConnection(server: ConnectionCounting): void {
  server._connections--;
}

/** It has ended: the server's 'close' waits for all of them. */
export function endConnection(server: ConnectionCounting): void {
  server._connections--;
  server._emitCloseIfDrained();
}

/** How many more connections the server takes; Infinity without a limit. Below 0 if the limit was lowered. */
export function roomOf(server: ConnectionCounting): number {
  const { maxConnections } = server;
  if (maxConnections === undefined) return Infinity;
  const isLimit = Boolean(maxConnections) || (ZERO_CONNECTIONS_IS_A_LIMIT && maxConnections === 0);
  return isLimit ? maxConnections - server._connections : Infinity;
}

/** Calls back for each connection that has ended, before node does what is due. */
export function onConnectionEnd(server: ConnectionCounting, callback: () => void): void {
  const ended = server._emitCloseIfDrained.bind(server);
  server._emitCloseIfDrained = () => {
    callback();
    ended();
  };
}

/** What node looks at in the server of a socket that is sent to another process, which counts the connection from then on. */
export interface SendingServer {
  _connectionKey?: string | undefined;
  _connections: number;
  _setupWorker(list: unknown): void;
}

/** Stands for the server where node would count down, though the connection has not ended in this process. */
export function uncountedServer(server: SendingServer): SendingServer {
  return {
    _connectionKey: server._connectionKey,
    _connections: server._connections,
    _setupWorker: (list) => {
      server._setupWorker(list);
    },
  };
}
