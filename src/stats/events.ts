/** What is told by `node:diagnostics_channel`. Nothing is made up for a channel that nobody listens to. */
import * as diagnostics from 'node:diagnostics_channel';
import type * as net from 'node:net';
import type { Channel, ChannelServer } from '../channel.js';
import type { ExchangeServer } from '../exchange/server.js';
import type { ExchangeSocket } from '../exchange/socket.js';
import { CHANNEL_COUNTERS, type NativeEngine } from '../native.js';
import type { ConnectionStats } from './server-stats.js';

/** Why a connection was closed as soon as it had been accepted. */
export type DropReason = 'maxConnections' | 'blockList';

/** The server of an event: as its program has made it. */
export type ToldServer = net.Server | ChannelServer | ExchangeServer;

/** Its connection: a Socket, a Channel, or what stands as `req.socket` on a server of `nearwire/uwsgi`. */
export type ToldSocket = net.Socket | Channel | ExchangeSocket;

/** `nearwire:connection`: a server has accepted. Comes before 'connection', or `onConnection`. */
export interface ConnectionEvent {
  server: ToldServer;
  socket: ToldSocket;
}

/** `nearwire:drop`: a connection was closed as soon as it had been accepted. */
export interface DropEvent {
  server: ToldServer;
  reason: DropReason;
}

/** `nearwire:close`: a connection that a server had accepted is closed. Comes before 'close', or `onClose`. */
export interface CloseEvent {
  server: ToldServer;
  socket: ToldSocket;
  /** What it has counted in all. */
  stats: ConnectionStats;
}

export const connections = diagnostics.channel('nearwire:connection');
export const drops = diagnostics.channel('nearwire:drop');
export const closes = diagnostics.channel('nearwire:close');

const NANOS_PER_MILLI = 1e6;

/** Of a native connection; undefined if it is closed. */
export function connectionStats(native: NativeEngine, id: number): ConnectionStats | undefined {
  const values = native.channelCounters(id);
  if (typeof values === 'number') return undefined;
  const of = (name: (typeof CHANNEL_COUNTERS)[number]): number => values[CHANNEL_COUNTERS.indexOf(name)] ?? 0;
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

/** Of a socket of node's own. */
export function nodeConnectionStats({ bytesRead, bytesWritten }: net.Socket): ConnectionStats {
  const unseen = { messages: undefined, sends: undefined, partialSends: undefined, sendEagains: undefined };
  return { bytesRead, bytesWritten, ...unseen, waits: undefined, waitMillis: undefined };
}

/** Has the end of one of node's own connections told, if anybody listens now. `told` stands for it in the events. */
export function tellNodeClose(
  server: net.Server | ChannelServer,
  socket: net.Socket,
  told: net.Socket | Channel = socket,
): void {
  if (!closes.hasSubscribers) return;
  socket.prependOnceListener('close', () => {
    closes.publish({ server, socket: told, stats: nodeConnectionStats(socket) } satisfies CloseEvent);
  });
}
