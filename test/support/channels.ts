/** Channels for tests: pairs of them, over each transport and family, and what a peer can do between two turns of the loop. */
import { readSync } from 'node:fs';
import * as net from 'node:net';
import { once } from 'node:events';
import {
  Channel,
  ChannelServer,
  type ChannelHandlers,
  type ChannelServerHandlers,
  type ListenTarget,
} from 'nearwire/channel';
import { cleanup, freshAddress, type Address } from './sockets.js';
import { families, subjects, type Family } from './subjects.js';

export type ChannelTransport = 'native' | 'js';

export const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));
/** Every transport over every family. */
export const channelWays = transports.flatMap((transport) => families.map((family) => ({ transport, family })));

export interface ChannelListener {
  server: ChannelServer;
  address: Address;
}

type ListenOptions = Omit<ListenTarget, 'path' | 'host' | 'port' | 'transport'>;

/** A server that listens, until the test is over; so do the channels that it accepts. */
export function listenChannels(
  transport: ChannelTransport,
  family: Family,
  handlers: ChannelServerHandlers,
  options: ListenOptions = {},
): Promise<ChannelListener> {
  return new Promise((resolve, reject) => {
    const target = { ...options, ...freshAddress(family), transport } as ListenTarget;
    const accepted = new Set<Channel>();
    const server = ChannelServer.listen(target, {
      ...handlers,
      onConnection(channel) {
        accepted.add(channel);
        handlers.onConnection?.(channel);
      },
      onClose(channel, hadError) {
        accepted.delete(channel);
        handlers.onClose?.(channel, hadError);
      },
      onListening() {
        const at = server.address();
        if (at === null) throw new Error('a listening server has an address');
        resolve({ server, address: typeof at === 'string' ? { path: at } : { host: at.address, port: at.port } });
      },
      onServerError(_, error) {
        reject(error);
      },
    });
    cleanup(() => {
      for (const channel of accepted) channel.destroy();
      server.close();
    });
  });
}

export interface NetPeer {
  channel: Channel;
  /** node's own socket at the other end, which does not read. */
  peer: net.Socket;
}

/** An accepted channel, and its peer. */
export async function withNetPeer(
  transport: ChannelTransport,
  family: Family,
  handlers: ChannelHandlers,
  options?: ListenOptions,
): Promise<NetPeer> {
  const { peers } = await withNetPeers(1, transport, family, handlers, options);
  return peers[0] as NetPeer;
}

/** Several of one server, which shares the handlers among them. */
export async function withNetPeers(
  count: number,
  transport: ChannelTransport,
  family: Family,
  handlers: ChannelServerHandlers,
  options?: ListenOptions,
): Promise<{ peers: NetPeer[]; server: ChannelServer }> {
  let onAccepted: ((channel: Channel) => void) | undefined;
  const { address, server } = await listenChannels(
    transport,
    family,
    {
      ...handlers,
      onConnection(channel) {
        onAccepted?.(channel);
        handlers.onConnection?.(channel);
      },
    },
    options,
  );
  const peers: NetPeer[] = [];
  for (let i = 0; i < count; i++) {
    const accepted = new Promise<Channel>((resolve) => (onAccepted = resolve));
    const peer = net.connect({ ...address, allowHalfOpen: true } as net.NetConnectOpts).pause();
    peer.on('error', () => undefined);
    cleanup(() => peer.destroy());
    await once(peer, 'connect');
    peers.push({ channel: await accepted, peer });
  }
  return { peers, server };
}

/** Writes until this answers false; answers the bytes. */
export function fillChannel(channel: Channel, size = 4096): number {
  const chunk = Buffer.alloc(size, 'f');
  for (let written = size; ; written += size) if (!channel.write(chunk)) return written;
}

const room = Buffer.alloc(64 * 1024);

/** Reads what has come to a socket that is paused, here and now: no turn of the loop is between this and what follows. */
export function readNow(peer: net.Socket): Buffer {
  const { fd } = (peer as net.Socket & { _handle: { fd: number } })._handle;
  const chunks: Buffer[] = [];
  for (;;) {
    try {
      const length = readSync(fd, room, 0, room.length, null);
      if (length === 0) break;
      chunks.push(Buffer.from(room.subarray(0, length)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') break;
      throw error;
    }
  }
  return Buffer.concat(chunks);
}
