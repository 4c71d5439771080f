/** What a program is given is its own memory: whatever it does to it, no other connection sees. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Channel, ChannelServer, type ChannelServerHandlers } from 'nearwire/channel';
import { target } from '../support/http.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, freshAddress, listen, nextTurn, pair, pattern, readBytes, socketPath } from '../support/sockets.js';
import { everyWay, families } from '../support/subjects.js';

const hasAddon = requireOrSkip('addon') !== undefined;
const KIB = 1024;
/** Within an array, out of it, within one page, and around one full read. */
const SIZES = [1, 64, 65, 100, 4096, 20_000, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 300_000];

/** Chunk by chunk what comes, up to so many bytes. */
async function chunksOf(socket: Socket, bytes: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  const note = (chunk: Buffer): void => {
    chunks.push(chunk);
  };
  socket.on('data', note);
  await readBytes(socket, bytes);
  socket.off('data', note);
  return chunks;
}

/** Gives the memory to another owner, as a program does for a worker. */
function transfer(chunk: Buffer): void {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(chunk, [chunk.buffer as ArrayBuffer]);
  receiveMessageOnPort(port2);
  port1.close();
}

/** From Node 26 on node leaves nearly full buffers as long as they are. */
const leavesFullBuffers = Number(process.versions.node.split('.')[0]) >= 26;

function expectNearlyOwn(chunk: Uint8Array): void {
  expect(chunk.byteOffset).toBe(0);
  expect(chunk.buffer.byteLength - chunk.length).toBeLessThanOrEqual(chunk.buffer.byteLength / 4);
}

function expectOwn(chunk: Uint8Array): void {
  expect(chunk.byteOffset).toBe(0);
  expect(chunk.buffer.byteLength).toBe(chunk.length);
}

describe.each(everyWay)('chunks of $name over $family', ({ subject, family }) => {
  it.each(SIZES)('have memory of their own, of exactly their length: a write of %i bytes', async (size) => {
    const { client, peer } = await pair(subject, family);
    const sent = pattern(size);
    // A second and a third time: what a read is expected to come to is learnt from the ones before.
    for (let i = 0; i < 3; i++) {
      const coming = chunksOf(peer, size);
      client.write(sent);
      const chunks = await coming;
      for (const chunk of chunks) {
        if (subject.name === 'native' || !leavesFullBuffers) expectOwn(chunk);
        else expectNearlyOwn(chunk);
      }
      expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    }
  });

  it('have it by read() too, and where they come while the stream rests', async () => {
    const { client, peer } = await pair(subject, family);
    peer.pause();
    client.write(pattern(5000));
    await once(peer, 'readable');
    const chunk = peer.read() as Buffer;
    expectOwn(chunk);
    expect(chunk.equals(pattern(5000).subarray(0, chunk.length))).toBe(true);
  });

  it('can be transferred, changed and kept, and nobody else loses a byte', async () => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const wanted = 30_000;
    const received: (Buffer[] | undefined)[] = [];
    const whole = new Promise<void>((resolve) => {
      let open = 0;
      server.on('connection', (socket: Socket) => {
        open++;
        let length = 0;
        let kept: Buffer[] | undefined;
        let place = -1;
        socket.on('data', (chunk: Buffer) => {
          if (place < 0) {
            place = chunk[0] as number;
            // Every other connection gives away what it gets.
            kept = place % 2 === 0 ? [] : undefined;
            received[place] = kept;
          }
          length += chunk.length;
          if (kept === undefined) transfer(chunk);
          else kept.push(chunk);
          if (length === wanted && --open === 0) resolve();
        });
      });
    });
    for (let i = 0; i < 64; i++) {
      const client = subject.connect(address);
      cleanup(() => {
        client.destroy();
      });
      const bytes = Buffer.alloc(wanted, i);
      client.write(bytes.subarray(0, 100));
      client.write(bytes.subarray(100, 5000));
      client.write(bytes.subarray(5000));
    }
    await whole;
    for (let i = 0; i < 64; i += 2) {
      expect(Buffer.concat(received[i] ?? []).equals(Buffer.alloc(wanted, i))).toBe(true);
    }
  });

  it('show a clone nothing but their own bytes', async () => {
    const { client, peer } = await pair(subject, family);
    const coming = once(peer, 'data') as Promise<[Buffer]>;
    client.write('secret of nobody');
    const [chunk] = await coming;
    const clone = structuredClone(chunk);
    expect(clone.buffer.byteLength).toBe(16);
  });

  it('hold no more than they are, kept one in many', async () => {
    const { client, peer } = await pair(subject, family);
    const kept: Buffer[] = [];
    for (let i = 0; i < 200; i++) {
      const coming = once(peer, 'data') as Promise<[Buffer]>;
      client.write(pattern(100));
      const [chunk] = await coming;
      if (i % 20 === 0) kept.push(chunk);
    }
    const held = kept.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    expect(held).toBe(kept.length * 100);
  });
});

describe.each(everyWay)('request bodies of $name over $family', ({ subject, family }) => {
  it('are memory of their own from the first request of a connection to the fifth', async () => {
    const bodies: Buffer[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk));
      request.on('end', () => response.end('thanks'));
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (const size of [100, 5000, 100, 200_000, 100]) {
      const request = http.request({ ...target(address), agent, method: 'POST', headers: { 'Content-Length': size } });
      const sent = pattern(size, size);
      request.end(sent);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      await once(response, 'end');
      const got = bodies.splice(0);
      expect(Buffer.concat(got).equals(sent)).toBe(true);
      got.forEach(expectOwn);
      got.forEach(transfer);
    }
  });

  it("are nobody else's, whatever their length, with handlers that keep and give away what they get", async () => {
    const kept = new Map<string, Buffer[]>();
    const server = subject.http.createServer({}, (request, response) => {
      const chunks: Buffer[] = [];
      const gives = String(request.url).endsWith('1');
      request.on('data', (chunk: Buffer) => {
        expectOwn(chunk);
        chunks.push(gives ? Buffer.from(chunk) : chunk);
        if (gives) transfer(chunk);
      });
      request.on('end', () => {
        kept.set(String(request.url), chunks);
        response.end('thanks');
      });
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 24 });
    cleanup(() => {
      agent.destroy();
    });
    // With and without their heads around one read of the engine's, and around what it takes for a long one.
    const lengths = [64 * KIB, 64 * KIB - 100, 32 * KIB, 200_000, 40_000, 10, 64 * KIB + 100, 130_000];
    const sent = Array.from({ length: 240 }, async (_, i) => {
      const path = `/${String(i)}`;
      const body = pattern(lengths[i % lengths.length] ?? 0, i);
      const request = http.request({ ...target(address), path, agent, method: 'POST' });
      request.setHeader('Content-Length', body.length).end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      await once(response, 'end');
      return { path, body };
    });
    for (const { path, body } of await Promise.all(sent)) {
      expect(Buffer.concat(kept.get(path) ?? []).equals(body), path).toBe(true);
    }
  });
});

describe.skipIf(!hasAddon).each(families)('what a native channel lends over %s', (family) => {
  function listening(handlers: ChannelServerHandlers): Promise<object> {
    return new Promise((resolve) => {
      const at = family === 'unix' ? { path: socketPath() } : { port: 0 };
      const server = ChannelServer.listen(
        { ...at, transport: 'native' },
        {
          ...handlers,
          onListening: (self) => {
            const address = self.address();
            resolve(typeof address === 'string' ? { path: address } : freshAddressOf(address));
          },
        },
      );
      cleanup(() => {
        server.close();
      });
    });
  }

  function freshAddressOf(address: { port: number } | null): object {
    return { ...freshAddress('tcp'), port: address?.port };
  }

  function connect(address: object, onData: (bytes: Buffer) => void): Promise<Channel> {
    return new Promise((resolve) => {
      const channel = Channel.connect({ ...address, transport: 'native' } as never, {
        onConnect: resolve,
        onData: (_channel, data, start, end) => {
          onData(Buffer.from(data.subarray(start, end)));
        },
        onError: () => undefined,
      });
      cleanup(() => {
        channel.destroy();
      });
    });
  }

  /** Echoes to `count` clients, with `spoil` called for each piece that comes; all must get back what they sent. */
  async function echo(count: number, bytes: number, spoil: (piece: Uint8Array, turn: number) => void): Promise<void> {
    let pieces = 0;
    const address = await listening({
      onData(channel, data, start, end) {
        channel.write(data, start, end);
        spoil(data.subarray(start, end), pieces++);
      },
    });
    const results = Array.from({ length: count }, async (_, place) => {
      const sent = pattern(bytes, place + 1);
      const got: Buffer[] = [];
      let length = 0;
      await new Promise<void>((resolve) => {
        void connect(address, (piece) => {
          got.push(piece);
          length += piece.length;
          if (length === bytes) resolve();
        }).then((channel) => {
          for (let at = 0; at < bytes; at += 3000) channel.write(Buffer.from(sent.subarray(at, at + 3000)));
        });
      });
      return Buffer.concat(got).equals(sent);
    });
    expect(await Promise.all(results)).toEqual(results.map(() => true));
  }

  it('goes back whole to many at once', async () => {
    await echo(40, 100_000, () => undefined);
  });

  it('may be taken by a byte stream, and no connection loses a byte', async () => {
    await echo(40, 30_000, (piece, turn) => {
      if (turn % 3 !== 0) return;
      const stream = new ReadableStream({
        type: 'bytes',
        start(controller) {
          controller.enqueue(piece);
        },
      });
      void stream.cancel();
    });
  });

  it('may be transferred where the running node lets it, and no connection loses a byte', async () => {
    await echo(20, 30_000, (piece, turn) => {
      if (turn % 2 === 0) return;
      const { port1, port2 } = new MessageChannel();
      try {
        port1.postMessage(piece, [piece.buffer as ArrayBuffer]);
      } catch {
        // Newer ones refuse.
      }
      port1.close();
      port2.close();
    });
  });

  it.each([9 * KIB, 200 * KIB, 4 * KIB * KIB])('is not what waits for a slow reader: %i bytes', async (bytes) => {
    let paused: Channel | undefined;
    const address = await listening({
      onData(channel, data, start, end) {
        channel.write(data, start, end);
      },
    });
    const sent = pattern(bytes);
    const got: Buffer[] = [];
    let length = 0;
    const whole = new Promise<void>((resolve) => {
      void connect(address, (piece) => {
        got.push(piece);
        length += piece.length;
        if (length === bytes) resolve();
      }).then(async (slow) => {
        slow.pause();
        paused = slow;
        slow.write(sent);
        // Others' bytes come to where those that wait were read.
        const other = await connect(address, () => undefined);
        for (let i = 0; i < 50; i++) {
          other.write(Buffer.alloc(8000, 0xff));
          await nextTurn();
        }
        paused.resume();
      });
    });
    await whole;
    expect(Buffer.concat(got).equals(sent)).toBe(true);
  });
});
