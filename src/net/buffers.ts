/**
 * Applies the buffer sizes given in options: passed to the engine for native sockets, set through the addon for node's
 * own.
 */
import type { Server, Socket } from 'node:net';
import { descriptorUnder } from '../engine/descriptor.js';
import { addonStatus, AUTO_BUFFER, type NativeBuffers } from '../binding/addon.js';
import type { BufferOptions, BufferSizes } from '../config/options.js';
import { onAccepted } from '../node/accepted-sockets.js';

/** The requested sizes as encoded at the JavaScript/native boundary. */
export function nativeBuffers(options: BufferOptions | null | undefined): NativeBuffers {
  const { sendBufferSize = 0, recvBufferSize = 0, allowSmallBuffers = false } = options ?? {};
  return {
    sendBufferSize: sendBufferSize === 'auto' ? AUTO_BUFFER : sendBufferSize,
    // The kernel sizes it by itself where that matters, which is on TCP.
    recvBufferSize: recvBufferSize === 'auto' ? 0 : recvBufferSize,
    smallBuffers: allowSmallBuffers,
  };
}

function asksForBytes({ sendBufferSize, recvBufferSize }: NativeBuffers): boolean {
  return sendBufferSize > 0 || recvBufferSize > 0;
}

function giveBuffers(socket: Socket, { sendBufferSize, recvBufferSize, smallBuffers = false }: NativeBuffers): void {
  // Not possible without the addon; and a refused size is no reason to fail a connection, as the sizes can be read
  // back.
  addonStatus().addon?.setBuffers(descriptorUnder(socket), sendBufferSize, recvBufferSize, smallBuffers);
}

/** Applies the requested buffer sizes to one of node's sockets, each time that it connects. */
export function giveBuffersToSocket(socket: Socket, options: BufferOptions | undefined): void {
  const buffers = nativeBuffers(options);
  if (!asksForBytes(buffers)) return;
  if (descriptorUnder(socket) >= 0 && !socket.connecting) giveBuffers(socket, buffers);
  // Before the caller's listeners, so that their writes find the room.
  socket.prependListener('connect', () => {
    giveBuffers(socket, buffers);
  });
}

/** The same for sockets accepted by one of node's servers. Call it once. */
export function giveBuffersToAccepted(server: Server, options: BufferOptions | undefined): void {
  const buffers = nativeBuffers(options);
  if (!asksForBytes(buffers)) return;
  onAccepted(server, (socket) => {
    giveBuffers(socket, buffers);
    if (!sizesOfFirst.has(server)) sizesOfFirst.set(server, readNodesBuffers(socket));
  });
}

/** The sizes that the kernel applied, read from the first connection, because a listening socket does not show them. */
const sizesOfFirst = new WeakMap<Server, BufferSizes | undefined>();

export function buffersOfFirst(server: Server): BufferSizes | undefined {
  return sizesOfFirst.get(server);
}

/** SO_SNDBUF and SO_RCVBUF of one of node's sockets; undefined without the addon, and if there is no descriptor. */
export function readNodesBuffers(socket: Socket): BufferSizes | undefined {
  const fd = descriptorUnder(socket);
  const sizes = fd < 0 ? -1 : addonStatus().addon?.bufferSizes(fd);
  return typeof sizes === 'object' ? { send: sizes[0], recv: sizes[1] } : undefined;
}
