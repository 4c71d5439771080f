/** Descriptors into the engine and out of it: adopt, adoptListener, detach, duplicateListener. */
import { execFileSync } from 'node:child_process';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import * as net from 'node:net';
import { constants } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type * as ThreadEngineModule from '../../src/engine/thread-engine.js';
import type * as ConnectionModule from '../../src/engine/connection.js';
import type * as ListenerModule from '../../src/engine/listener.js';
import { requireOrSkip } from '../support/requirements.js';
import { addressOf, cleanup, closeAtEnd, freshAddress, nextTurn, type Address } from '../support/sockets.js';
import { families, type Family } from '../support/subjects.js';

const { EAGAIN, EBADF, EBUSY, EEXIST, EINVAL, ENOTCONN, ENOTSOCK } = constants.errno;
const OPTIONS = {
  owned: true,
  sendBufferSize: 0,
  recvBufferSize: 0,
  noDelay: false,
  keepAlive: false,
  keepAliveDelay: 0,
  paused: false,
};
const LISTEN_OPTIONS = { ...OPTIONS, backlog: 16, mode: -1, reusePort: false, deferAccept: false };

interface TestConnection extends ConnectionModule.EngineConnection {
  chunks: Buffer[];
  seen: number;
  /** Runs inside the callback of a read, after it has been noted. */
  whenRead: () => void;
  connected: Promise<void>;
  drainedOnce: Promise<void>;
}

/** Node keeps the state of a datagram socket, and in it the handle, under a symbol. */
function descriptorOf(socket: dgram.Socket): number {
  const symbols = Object.getOwnPropertySymbols(socket) as (keyof dgram.Socket)[];
  const states = symbols.map((symbol) => socket[symbol] as { handle?: { fd: number } } | boolean | undefined);
  const state = states.find((value) => typeof value === 'object' && value.handle !== undefined);
  return typeof state === 'object' ? (state.handle?.fd ?? Number.NaN) : Number.NaN;
}

interface Outcome<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

function outcome<T>(): Outcome<T> {
  const made = {} as Outcome<T>;
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

describe.skipIf(requireOrSkip('addon') === undefined)('descriptors of the engine', () => {
  let engine: Engine;
  let connectionOf: (id: number) => TestConnection;
  let listenerOf: (id: number, onAccept: (id: number) => void) => ListenerModule.EngineListener;

  beforeAll(async () => {
    const load = (name: string): Promise<unknown> => import(new URL(`../../dist/src/${name}.js`, import.meta.url).href);
    engine = ((await load('engine/thread-engine')) as typeof ThreadEngineModule).getEngine() as Engine;
    const { EngineConnection } = (await load('engine/connection')) as typeof ConnectionModule;
    const { EngineListener } = (await load('engine/listener')) as typeof ListenerModule;
    connectionOf = (id) => {
      const connected = outcome<undefined>();
      const drained = outcome<undefined>();
      const made = new (class extends EngineConnection implements TestConnection {
        readonly nodeTicks = false;
        chunks: Buffer[] = [];
        seen = 0;
        whenRead = (): void => undefined;
        connected = connected.promise;
        drainedOnce = drained.promise;
        override onInbox(memory: Buffer, start: number, end: number): void {
          this.onBlock(Buffer.from(memory.subarray(start, end)));
        }
        override onBlock(chunk: Buffer): boolean {
          this.chunks.push(chunk);
          this.seen += chunk.length;
          this.whenRead();
          return true;
        }
        onConnect(status: number): void {
          if (status === 0) connected.resolve(undefined);
          else connected.reject(new Error(`connect: ${String(status)}`));
        }
        onDrain(): void {
          drained.resolve(undefined);
        }
        onEnd(): void {
          this.close();
        }
        onReadError = this.onEnd;
        onWriteError = this.onEnd;
        onShutdown = (): void => undefined;
        onFlushed = (): void => undefined;
      })(engine, id);
      cleanup(() => {
        made.close();
      });
      return made;
    };
    listenerOf = (id, onAccept) =>
      new (class extends EngineListener {
        onAccept = onAccept;
        onAcceptError = (): void => undefined;
      })(engine, id);
  });

  function engineAddress(address: Address): { path: string } | { host: string; port: number } {
    const { path, host, port } = address;
    return path === undefined ? { host: host ?? '', port: port ?? 0 } : { path };
  }

  /** An engine's channel, connected to a socket of node's. */
  async function connectedPair(
    family: Family,
    options = OPTIONS,
  ): Promise<{ connection: TestConnection; peer: net.Socket }> {
    const server = net.createServer();
    closeAtEnd(server);
    server.listen(freshAddress(family));
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const connection = connectionOf(engine.connect(engineAddress(addressOf(server)), options));
    const [[peer]] = await Promise.all([accepted, connection.connected]);
    return { connection, peer };
  }

  describe.each(families)('over %s', (family) => {
    it('a channel leaves the engine and comes back', async () => {
      const { connection, peer } = await connectedPair(family);
      connection.writeString('before ', 'utf8');
      const fd = connection.detach(0);
      expect(fd).toBeGreaterThan(2);
      expect(connection.open).toBe(false);
      const back = connectionOf(engine.adopt(fd, OPTIONS));
      expect(engine.native.fileDescriptor(back.id)).toBe(fd);
      back.writeString('after', 'utf8');
      let text = '';
      for await (const chunk of peer.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        text += chunk.toString();
        if (text.length >= 'before after'.length) break;
      }
      expect(text).toBe('before after');
      peer.write('answer');
      await new Promise<void>((resolve) => (back.whenRead = resolve));
      expect(Buffer.concat(back.chunks).toString()).toBe('answer');
    });

    it('a half-closed socket is taken', async () => {
      const { connection, peer } = await connectedPair(family);
      const ended = once(peer.resume(), 'end');
      connection.shutdown();
      await ended;
      const back = connectionOf(engine.adopt(connection.detach(0), OPTIONS));
      expect(back.id).toBeGreaterThanOrEqual(0);
    });

    it('a channel whose bytes wait stays, and may leave when they are gone', async () => {
      const { connection, peer } = await connectedPair(family);
      peer.pause();
      const chunk = Buffer.alloc(4 * 1024 * 1024, 'x');
      expect(connection.writeLent([chunk])).toBeGreaterThan(0);
      expect(connection.detach(0)).toBe(-EAGAIN);
      expect(connection.open).toBe(true);
      let received = 0;
      peer.on('data', ({ length }: Buffer) => (received += length));
      peer.resume();
      await connection.drainedOnce;
      const fd = connection.detach(0);
      expect(fd).toBeGreaterThan(2);
      closeSync(fd);
      await once(peer, 'end');
      expect(received).toBe(chunk.length);
    });

    it('what is read and not delivered is told of, and can be taken', async () => {
      const { connection, peer } = await connectedPair(family, { ...OPTIONS, paused: true });
      // Over 64 KiB: several reads, and so several completions, in one batch.
      const sent = Buffer.alloc(150_000, 'abcdefghij');
      const results: number[] = [];
      let taken: Buffer[] = [];
      const left = new Promise<number>((resolve) => {
        connection.whenRead = (): void => {
          if (results.length > 0) return;
          results.push(connection.detach(connection.seen));
          taken = engine.takeUnread(connection.id, connection.seen);
          const bytes = taken.reduce((sum, { length }) => sum + length, connection.seen);
          resolve(connection.detach(bytes));
        };
      });
      await new Promise((resolve) => peer.write(sent, resolve));
      connection.resume();
      const fd = await left;
      expect(fd).toBeGreaterThan(2);
      const soFar = connection.seen + taken.reduce((sum, { length }) => sum + length, 0);
      // UNIX sockets answer a read with all that is there: the second one stood in the batch.
      if (taken.length > 0) expect(results).toEqual([-EBUSY]);
      const back = connectionOf(engine.adopt(fd, OPTIONS));
      back.chunks = [...connection.chunks, ...taken];
      const all = (): Buffer => Buffer.concat(back.chunks);
      if (soFar < sent.length) {
        await new Promise<void>((resolve) => {
          back.whenRead = (): void => {
            if (all().length >= sent.length) resolve();
          };
        });
      }
      expect(all().equals(sent)).toBe(true);
      expect(taken.length).toBeGreaterThan(0);
    });

    it('a connecting or closed channel does not leave', async () => {
      const { connection } = await connectedPair(family);
      const id = connection.id;
      connection.close();
      expect(engine.native.detach(id, 0)).toBe(-EBADF);
      const refused = engine.connect({ host: '127.0.0.1', port: 9 }, OPTIONS);
      expect(engine.native.detach(refused, 0)).toBe(-ENOTCONN);
      engine.release(refused, false);
    });

    it('a duplicate of a listening socket accepts when the first is closed', async () => {
      const at = engineAddress(freshAddress(family));
      const first = listenerOf(engine.listen(at, LISTEN_OPTIONS), (id) => {
        engine.release(id, false);
      });
      const name = engine.native.listenerAddress(first.id) as { path?: string; port?: number };
      const fd = engine.native.duplicateListener(first.id);
      expect(fd).not.toBe(engine.native.listenerDescriptor(first.id));
      first.close();
      expect(engine.native.duplicateListener(first.id)).toBe(-EBADF);
      const accepted = outcome<TestConnection>();
      const second = listenerOf(engine.adoptListener(fd, LISTEN_OPTIONS), (id) => {
        accepted.resolve(connectionOf(id));
      });
      expect(engine.native.listenerDescriptor(second.id)).toBe(fd);
      const client = name.path === undefined ? net.connect(name.port ?? 0, '127.0.0.1') : net.connect(name.path);
      cleanup(() => client.destroy());
      (await accepted.promise).writeString('hello', 'utf8');
      expect(String((await once(client, 'data'))[0])).toBe('hello');
      second.close();
      expect(() => fstatSync(fd)).toThrow('EBADF');
    });
  });

  it('refuses what is no socket to read, and leaves it open', async () => {
    const file = openSync('/dev/null', 'r');
    cleanup(() => {
      closeSync(file);
    });
    expect(engine.adopt(file, OPTIONS)).toBe(-ENOTSOCK);
    expect(engine.adoptListener(file, LISTEN_OPTIONS)).toBe(-ENOTSOCK);
    for (const fd of [-1, 2 ** 20]) {
      expect(engine.adopt(fd, OPTIONS)).toBe(-EBADF);
      expect(engine.adoptListener(fd, LISTEN_OPTIONS)).toBe(-EBADF);
    }
    const datagram = dgram.createSocket('udp4');
    cleanup(() => datagram.close());
    datagram.bind(0);
    await once(datagram, 'listening');
    expect(engine.adopt(descriptorOf(datagram), OPTIONS)).toBe(-EINVAL);
    const listener = listenerOf(engine.listen({ host: '127.0.0.1', port: 0 }, LISTEN_OPTIONS), () => undefined);
    const listening = engine.native.duplicateListener(listener.id);
    cleanup(() => {
      closeSync(listening);
      listener.close();
    });
    expect(engine.adopt(listening, OPTIONS)).toBe(-EINVAL);
    for (const fd of [file, listening]) expect(() => fstatSync(fd)).not.toThrow();
  });

  it.each(families)('refuses a descriptor that has an owner, over %s', async (family) => {
    const { connection, peer } = await connectedPair(family);
    const own = engine.native.fileDescriptor(connection.id);
    expect(engine.adopt(own, OPTIONS)).toBe(-EEXIST);
    expect(engine.adoptListener(own, LISTEN_OPTIONS)).toBe(-EEXIST);
    const nodes = (peer as unknown as { _handle: { fd: number } })._handle.fd;
    expect(engine.adopt(nodes, OPTIONS)).toBe(-EEXIST);
    // A connected socket can't listen.
    expect(engine.adoptListener(nodes, LISTEN_OPTIONS)).toBe(-EINVAL);
    await nextTurn();
    expect(connection.open).toBe(true);
  });

  it('no descriptor of ours goes to a child', async () => {
    const { connection } = await connectedPair('unix');
    const fd = connection.detach(0);
    const listener = listenerOf(engine.listen({ host: '127.0.0.1', port: 0 }, LISTEN_OPTIONS), () => undefined);
    const copy = engine.native.duplicateListener(listener.id);
    cleanup(() => {
      closeSync(fd);
      closeSync(copy);
      listener.close();
    });
    const list = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd';
    const open = execFileSync('ls', [list], { encoding: 'utf8' }).split('\n').map(Number);
    for (const one of [fd, copy]) expect(open).not.toContain(one);
  });
});
