/** The `js` transport: node:net's own objects, with labels that say so. */
import * as net from 'node:net';
import type { FileSender, FileTarget } from '../files/options.js';
import { patienceOf, type BufferOptions, type BufferSizes, type BacklogOptions } from '../config/options.js';
import { receiveFile, type FileReceiver, type ReceiveFileOptions } from './receive-file.js';
import { connections, drops, tellNodeClose, type ConnectionEvent, type DropEvent } from '../stats/events.js';
import { counterFor } from '../stats/server-counter.js';
import { sendFileByStream } from '../files/stream-file.js';
import { buffersOfFirst, giveBuffersToAccepted, giveBuffersToSocket, readNodesBuffers } from './buffers.js';
import { divertsAccepted, onAccepted } from '../node/accepted-sockets.js';

const TRANSPORT: PropertyDescriptor = { value: 'js', enumerable: true, configurable: true };

const SOCKET_LABELS: PropertyDescriptorMap = {
  transport: TRANSPORT,
  bufferSizes: {
    get(this: net.Socket) {
      return readNodesBuffers(this);
    },
    enumerable: true,
    configurable: true,
  },
};

const SERVER_LABELS: PropertyDescriptorMap = {
  transport: TRANSPORT,
  bufferSizes: {
    get(this: net.Server) {
      return buffersOfFirst(this);
    },
    enumerable: true,
    configurable: true,
  },
};

const RECEIVE_FILE: PropertyDescriptor = {
  value(this: net.Socket, file: FileTarget, options?: ReceiveFileOptions) {
    return receiveFile(this, file, options);
  },
  writable: true,
  configurable: true,
};

const SEND_FILE: PropertyDescriptor = {
  value(this: net.Socket, file: unknown, options: unknown) {
    return sendFileByStream(this, file, options);
  },
  writable: true,
  configurable: true,
};

/** The properties that distinguish a `js` object from a native one. */
export interface JsLabels {
  readonly transport: 'js';
  readonly bufferSizes: BufferSizes | undefined;
}

/** Labels a server of node:net. */
export function tagJsServer<T extends net.Server>(server: T): T & JsLabels {
  return Object.defineProperties(server, SERVER_LABELS) as T & JsLabels;
}

/** The same for a socket, which also gets methods to send and receive files, and the requested buffer sizes. */
export function tagJsSocket<T extends net.Socket>(
  socket: T,
  buffers?: BufferOptions,
): T & JsLabels & FileSender & FileReceiver {
  Object.defineProperties(socket, { ...SOCKET_LABELS, sendFile: SEND_FILE, receiveFile: RECEIVE_FILE });
  giveBuffersToSocket(socket, buffers);
  const labelled: object = socket;
  return labelled as T & JsLabels & FileSender & FileReceiver;
}

/**
 * Labels and counts what a server of node:net accepts, before any other listener sees it, and sets its buffer sizes.
 */
export function tagAccepted(server: net.Server, buffers?: BufferOptions): void {
  giveBuffersToAccepted(server, buffers);
  onAccepted(server, (socket) => {
    tagJsSocket(socket);
    if (divertsAccepted(server)) return;
    tellNodeClose(server, socket);
    if (connections.hasSubscribers) connections.publish({ server, socket } satisfies ConnectionEvent);
  });
  server.prependListener('drop', () => {
    if (drops.hasSubscribers) drops.publish({ server, reason: 'maxConnections' } satisfies DropEvent);
  });
  counterFor(server).watch(server);
}

/** node's own function, even if a program replaces it later. */
const originalConnect = net.connect;

let wantsNode = false;

/** During this call, sockets that start to connect are node:net's own, also under `nearwire/register`. */
export function byNode<T>(act: () => T): T {
  const before = wantsNode;
  wantsNode = true;
  try {
    return act();
  } finally {
    wantsNode = before;
  }
}

/** As `net.connect`. Rejects an invalid `backlogTimeout` as the native transport does; a valid one has no effect. */
export function connectByNode(
  options: net.NetConnectOpts & BufferOptions & BacklogOptions,
  listener?: () => void,
): net.Socket & JsLabels & FileSender & FileReceiver {
  patienceOf(options);
  return byNode(() => tagJsSocket(originalConnect(options, listener), options));
}

/** Whether a server or socket must stay node:net's own: `nearwire/register` leaves it alone. */
export function isJs(object?: object): boolean {
  return wantsNode || (object as Partial<JsLabels> | undefined)?.transport === 'js';
}
