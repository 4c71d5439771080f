/** The buffers that servers and sockets are given by option: on the border for native ones, by the addon for node's own. */
import type { Server, Socket } from 'node:net';
import { descriptorUnder } from '../engine/descriptor.js';
import { addonStatus, AUTO_BUFFER, type NativeBuffers } from '../binding/addon.js';
import type { BufferOptions, BufferSizes } from '../config/options.js';

/** What the options ask for, as the border has it. */
export function nativeBuffers(options: BufferOptions | null | undefined): NativeBuffers {
  const { sendBufferSize = 0, recvBufferSize = 0, allowSmallBuffers = false } = options ?? {};
  return {
    sendBufferSize: sendBufferSize === 'auto' ? AUTO_BUFFER : sendBufferSize,
    // The kernel sees to it by itself where it matters, which is on TCP.
    recvBufferSize: recvBufferSize === 'auto' ? 0 : recvBufferSize,
    smallBuffers: allowSmallBuffers,
  };
}

function asksForBytes({ sendBufferSize, recvBufferSize }: NativeBuffers): boolean {
  return sendBufferSize > 0 || recvBufferSize > 0;
}

function giveBuffers(socket: Socket, { sendBufferSize, recvBufferSize, smallBuffers = false }: NativeBuffers): void {
  // Without the addon there is no way; and what the system refuses is not worth a connection: the sizes can be read back.
  addonStatus().addon?.setBuffers(descriptorUnder(socket), sendBufferSize, recvBufferSize, smallBuffers);
}

/** Gives a socket of node's the buffers that its options ask for, each time that it gets connected. */
export function giveBuffersToSocket(socket: Socket, options: BufferOptions | undefined): void {
  const buffers = nativeBuffers(options);
  if (!asksForBytes(buffers)) return;
  if (descriptorUnder(socket) >= 0 && !socket.connecting) giveBuffers(socket, buffers);
  // Before those of the caller: what they write finds the room.
  socket.prependListener('connect', () => {
    giveBuffers(socket, buffers);
  });
}

/** The same for what a server of node's accepts. To be called once. */
export function giveBuffersToAccepted(server: Server, options: BufferOptions | undefined): void {
  const buffers = nativeBuffers(options);
  if (!asksForBytes(buffers)) return;
  server.prependListener('connection', (socket: Socket) => {
    giveBuffers(socket, buffers);
    if (!sizesOfFirst.has(server)) sizesOfFirst.set(server, readNodesBuffers(socket));
  });
}

/** What the kernel made of the sizes asked for, on the first connection: a listening socket does not show it. */
const sizesOfFirst = new WeakMap<Server, BufferSizes | undefined>();

export function buffersOfFirst(server: Server): BufferSizes | undefined {
  return sizesOfFirst.get(server);
}

/** SO_SNDBUF and SO_RCVBUF of a socket of node's; undefined without the addon, and where there is no socket. */
export function readNodesBuffers(socket: Socket): BufferSizes | undefined {
  const fd = descriptorUnder(socket);
  const sizes = fd < 0 ? -1 : addonStatus().addon?.bufferSizes(fd);
  return typeof sizes === 'object' ? { send: sizes[0], recv: sizes[1] } : undefined;
}
