/** sendBufferSize, recvBufferSize and allowSmallBuffers: on both transports, and what they do to a peer that does not read. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { describe, expect, it } from 'vitest';
import * as nearwire from 'nearwire';
import { Channel, ChannelServer, type ConnectTarget } from 'nearwire/channel';
import * as nearwireHttp from 'nearwire/http';
import { getSocketOptions, setSocketOptions } from 'nearwire/tune';
import { childResult, startChild } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, closed, listen, nextTurn, pair, socketPath } from '../support/sockets.js';
import { families, js, native, type Family, type Subject } from '../support/subjects.js';

type Socket = nearwire.Socket;

const hasAddon = requireOrSkip('addon') !== undefined;
const both = [native, js];
const ways = both.flatMap((subject) => families.map((family) => ({ subject, family, name: subject.name })));
/** Linux doubles buffers, and nothing looks at a UNIX connection's receive buffer there: it is set all the same. */
const factor = process.platform === 'linux' ? 2 : 1;
const MIB = 1024 * 1024;
const BUFFERS = { sendBufferSize: 400_000, recvBufferSize: 300_000 };
const SIZES = { send: 400_000 * factor, recv: 300_000 * factor };

/** How many bytes of a long write a peer that does not read lets the sender be rid of. */
async function taken(subject: Subject, options: nearwire.BufferOptions, bytes = 8 * MIB): Promise<number> {
  const { client, peer } = await pair(subject, 'unix', { client: options, server: { pauseOnConnect: true } });
  client.on('error', () => undefined);
  client.write(Buffer.alloc(bytes));
  await nextTurn();
  client.destroy();
  await closed(client);
  let length = 0;
  peer.on('data', (chunk: Buffer) => (length += chunk.length));
  peer.resume();
  await closed(peer);
  return length;
}

describe.skipIf(!hasAddon).each(ways)('buffer sizes on $name over $family', ({ subject, family }) => {
  it('are those of the sockets that a server accepts', async () => {
    const { client, peer, server } = await pair(subject, family, { server: BUFFERS as never });
    expect((peer as Socket).bufferSizes).toEqual(SIZES);
    expect((server as nearwire.Server).bufferSizes).toEqual(SIZES);
    expect(getSocketOptions(peer).sendBufferSize).toBe(SIZES.send);
    expect((client as Socket).bufferSizes).not.toEqual(SIZES);
  });

  it('are those of a socket that connects', async () => {
    const { client, peer } = await pair(subject, family, { client: BUFFERS });
    expect((client as Socket).bufferSizes).toEqual(SIZES);
    expect((peer as Socket).bufferSizes).not.toEqual(SIZES);
  });

  it('are those of a socket made first and connected later, each time', async () => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const socket = subject.socket(BUFFERS) as Socket;
    for (let i = 0; i < 2; i++) {
      socket.connect(address as never);
      await once(socket, 'connect');
      expect(socket.bufferSizes).toEqual(SIZES);
      socket.destroy();
      await closed(socket);
      expect(socket.bufferSizes).toBeUndefined();
    }
  });

  it('are those of channels, at both ends', async () => {
    const transport = subject.name as 'native' | 'js';
    const sizes = await new Promise<unknown[]>((resolve, reject) => {
      const found: unknown[] = [];
      const note = (channel: Channel): void => {
        if (found.push(channel.bufferSizes) === 2) resolve(found);
        cleanup(() => {
          channel.destroy();
        });
      };
      const at = family === 'unix' ? { path: socketPath() } : { port: 0 };
      const server = ChannelServer.listen(
        { ...at, ...BUFFERS, transport },
        {
          onConnection: note,
          onListening(self) {
            const address = self.address();
            const to = typeof address === 'string' ? { path: address } : { port: address?.port };
            Channel.connect({ ...to, ...BUFFERS, transport } as ConnectTarget, { onConnect: note });
          },
          onServerError: (_server, error) => {
            reject(error);
          },
        },
      );
      cleanup(() => {
        server.close();
      });
    });
    expect(sizes).toEqual([SIZES, SIZES]);
  });

  it("are those of an http server's and an agent's sockets", async () => {
    const transport = subject.name as 'native' | 'js';
    let served: unknown;
    const server = nearwireHttp.createServer({ ...BUFFERS, transport }, (request, response) => {
      served = (request.socket as Socket).bufferSizes;
      response.end('hello');
    });
    const address = await listen(server, family);
    const agent = new nearwireHttp.Agent({ ...BUFFERS, transport, keepAlive: true });
    cleanup(() => {
      agent.destroy();
    });
    const to = address.path === undefined ? address : { socketPath: address.path };
    const request = http.get({ ...to, agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(served).toEqual(SIZES);
    expect((request.socket as Socket).bufferSizes).toEqual(SIZES);
    response.resume();
    await once(response, 'end');
  });

  it('are never below the system default, unless forced', async () => {
    const small = { sendBufferSize: 5000, recvBufferSize: 5000 };
    const plain = await pair(subject, family);
    const spared = await pair(subject, family, { client: small, server: small as never });
    for (const end of ['client', 'peer'] as const) {
      expect((spared[end] as Socket).bufferSizes).toEqual((plain[end] as Socket).bufferSizes);
    }
    const forced = { ...small, allowSmallBuffers: true };
    const { client, peer } = await pair(subject, family, { client: forced, server: forced as never });
    for (const socket of [client, peer] as Socket[]) {
      expect(socket.bufferSizes).toEqual({ send: 5000 * factor, recv: 5000 * factor });
    }
  });
});

describe.skipIf(!hasAddon).each(both)('a send buffer on $name', (subject) => {
  it('is what a peer that does not read takes', async () => {
    const before = await taken(subject, {});
    // The kernel counts its bookkeeping too: of its doubled number, all that was asked for has room.
    for (const sendBufferSize of [512 * 1024, MIB]) {
      const length = await taken(subject, { sendBufferSize });
      expect(length).toBeGreaterThanOrEqual(Math.min(sendBufferSize, 8 * MIB));
      expect(length).toBeLessThanOrEqual(sendBufferSize * factor + 64 * 1024);
      expect(length).toBeGreaterThan(before);
    }
    expect(await taken(subject, { sendBufferSize: 8192, allowSmallBuffers: true })).toBeLessThan(before / 4);
  });
});

describe.skipIf(!hasAddon)("sendBufferSize: 'auto'", () => {
  const AUTO = { sendBufferSize: 'auto', recvBufferSize: 'auto' } as const;

  it('takes a write whole, whoever reads it, up to 2 MiB', async () => {
    expect(await taken(native, AUTO, 100_000)).toBe(100_000);
    for (const bytes of [300_000, MIB, 2 * MIB]) expect(await taken(native, AUTO, bytes)).toBe(bytes);
    const most = await taken(native, AUTO, 16 * MIB);
    expect(most).toBeGreaterThanOrEqual(2 * MIB);
    expect(most).toBeLessThanOrEqual(2 * factor * MIB);
  });

  it('does so for what was written before the connection stood', async () => {
    const server = native.createServer({ pauseOnConnect: true });
    const address = await listen(server, 'unix');
    const client = native.connect({ ...address, ...AUTO });
    client.write(Buffer.alloc(MIB));
    await once(client, 'connect');
    while (client.writableLength > 0) await nextTurn();
    expect((client as Socket).bufferSizes?.send).toBe(factor * MIB);
    client.destroy();
  });

  it('grows by what is handed over at once, not by what waits', async () => {
    const { client } = await pair(native, 'unix', { client: AUTO, server: { pauseOnConnect: true } });
    const before = (client as Socket).bufferSizes?.send ?? 0;
    for (let i = 0; i < 100; i++) client.write(Buffer.alloc(64 * 1024));
    await nextTurn();
    expect(client.writableLength).toBeGreaterThan(4 * MIB);
    expect((client as Socket).bufferSizes?.send).toBe(before);
  });

  it('never shrinks what has grown, nor is shrunk by a fast reader', async () => {
    const { client, peer } = await pair(native, 'unix', { client: AUTO });
    peer.resume();
    let largest = 0;
    for (const bytes of [MIB, 3 * MIB, 100_000, 8 * MIB, MIB, 8 * MIB]) {
      await new Promise<void>((resolve) => {
        client.write(Buffer.alloc(bytes), () => {
          resolve();
        });
      });
      const { send = 0 } = (client as Socket).bufferSizes ?? {};
      expect(send).toBeGreaterThanOrEqual(largest);
      largest = send;
    }
    expect(largest).toBeGreaterThanOrEqual(2 * MIB);
  });

  it('is for the connections of a server, and of an agent and channels, too', async () => {
    const { client, peer } = await pair(native, 'unix', { server: AUTO as never });
    client.pause();
    expect(peer.write(Buffer.alloc(MIB))).toBe(true);
    expect(peer.writableLength).toBe(0);
    const channel = await new Promise<Channel>((resolve) => {
      const path = socketPath();
      const server = ChannelServer.listen(
        { path, transport: 'native' },
        {
          onConnection: (accepted) => {
            accepted.pause();
          },
          onListening: () => Channel.connect({ path, transport: 'native', ...AUTO }, { onConnect: resolve }),
        },
      );
      cleanup(() => {
        server.close();
      });
    });
    expect(channel.write(Buffer.alloc(MIB))).toBe(true);
    channel.destroy();
  });

  it('ends where the buffer is set by hand', async () => {
    const { client } = await pair(native, 'unix', { client: AUTO, server: { pauseOnConnect: true } });
    const { sendBufferSize } = setSocketOptions(client, { sendBufferSize: 150_000 });
    expect(sendBufferSize?.effective).toBe(150_000 * factor);
    client.write(Buffer.alloc(MIB));
    await nextTurn();
    expect((client as Socket).bufferSizes?.send).toBe(150_000 * factor);
  });

  it.each([
    ['native', native, 'tcp'],
    ['js', js, 'unix'],
    ['js', js, 'tcp'],
  ] as const)('leaves the system its own on %s, %s over %s', async (_name, subject: Subject, family: Family) => {
    const plain = await pair(subject, family, { server: { pauseOnConnect: true } });
    const auto = await pair(subject, family, { client: AUTO, server: { pauseOnConnect: true } });
    const sizes = (socket: NetSocket): unknown => (socket as Socket).bufferSizes;
    expect(sizes(auto.client)).toEqual(sizes(plain.client));
    auto.client.write(Buffer.alloc(100_000));
    if (family === 'unix') expect(sizes(auto.client)).toEqual(sizes(plain.client));
  });
});

describe('buffer options', () => {
  it.each([
    [{ sendBufferSize: 'large' }, 'ERR_INVALID_ARG_TYPE'],
    [{ recvBufferSize: 'AUTO' }, 'ERR_INVALID_ARG_TYPE'],
    [{ sendBufferSize: null }, 'ERR_INVALID_ARG_TYPE'],
    [{ sendBufferSize: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ recvBufferSize: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
    [{ allowSmallBuffers: 1 }, 'ERR_INVALID_ARG_TYPE'],
  ])('that make no sense are refused by all that takes them: %j', (options, code) => {
    const given = options as never;
    const throws = expect.objectContaining({ code }) as Error;
    for (const transport of ['auto', 'js'] as const) {
      const all = { transport, ...(given as object) };
      expect(() => nearwire.createServer(all)).toThrow(throws);
      expect(() => nearwire.connect({ path: '/none', ...all })).toThrow(throws);
      expect(() => new nearwire.Socket(all)).toThrow(throws);
      expect(() => nearwireHttp.createServer(all)).toThrow(throws);
      expect(() => new nearwireHttp.Agent(all)).toThrow(throws);
      expect(() => Channel.connect({ path: '/none', ...all }, {})).toThrow(throws);
      expect(() => ChannelServer.listen({ path: '/none', ...all }, {})).toThrow(throws);
    }
  });

  it('are no reason to fail without the addon, which bufferSizes tells', async () => {
    const tune = new URL('../../dist/bundle/tune.js', import.meta.url).href;
    const code = `
      const { getSocketOptions } = await import(${JSON.stringify(tune)});
      const server = createServer({ sendBufferSize: 400_000 }).listen(${JSON.stringify(socketPath())});
      await once(server, 'listening');
      const client = connect({ path: server.address(), sendBufferSize: 400_000, recvBufferSize: 'auto' });
      await once(client, 'connect');
      say([client.transport, client.bufferSizes ?? null, server.bufferSizes ?? null]);
      try {
        getSocketOptions(client);
      } catch ({ code }) {
        say(code);
      }
      process.exit();`;
    const before = process.env['NEARWIRE_ADDON'];
    process.env['NEARWIRE_ADDON'] = '/nonexistent/nearwire.node';
    const child = startChild('js', code);
    if (before === undefined) delete process.env['NEARWIRE_ADDON'];
    else process.env['NEARWIRE_ADDON'] = before;
    expect(await childResult(child)).toMatchObject({
      stderr: '',
      said: [['js', null, null], 'ERR_NEARWIRE_NO_ADDON'],
    });
  });
});
