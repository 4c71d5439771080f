/** The diagnostics channel that tells of every socket that connects. */
import * as diagnostics from 'node:diagnostics_channel';
import type * as net from 'node:net';

const connectingSockets = diagnostics.channel('net.client.socket');

export function publishClient(socket: net.Socket): void {
  if (connectingSockets.hasSubscribers) connectingSockets.publish({ socket });
}
