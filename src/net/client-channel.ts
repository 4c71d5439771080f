/** The diagnostics channel that reports every connecting socket. */
import * as diagnostics from 'node:diagnostics_channel';
import type * as net from 'node:net';

const connectingSockets = diagnostics.channel('net.client.socket');

export function publishClient(socket: net.Socket): void {
  if (connectingSockets.hasSubscribers) connectingSockets.publish({ socket });
}
