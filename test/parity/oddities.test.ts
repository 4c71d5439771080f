/** What programs meet in node:net and rely on, and node's own tests do not see. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  closeAtEnd,
  closed,
  fill,
  freshAddress,
  listen,
  nextTurn,
  pair,
  pattern,
  readAll,
  readBytes,
} from '../support/sockets.js';
import { everyWay, hasAbstractNames, reference, subjects, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

describe.each(everyWay)('oddities: $name over $family', ({ subject, family }) => {
  it('what the kernel takes at once answers true, past the high-water mark, and owes no drain', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    let drained = 0;
    client.on('drain', () => drained++);
    expect(client.write('x'.repeat(60_000))).toBe(true);
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(drained).toBe(0);
  });

  it('a waiting string counts by characters, a Buffer by bytes', async () => {
    const { client } = await pair(subject, family);
    fill(client);
    const before = client.writableLength;
    client.write('ä€');
    expect(client.writableLength - before).toBe(2);
    client.write(Buffer.from('ä€'));
    expect(client.writableLength - before).toBe(7);
  });

  it("'end' comes to a paused socket, if nothing is buffered", async () => {
    const { client, peer } = await pair(subject, family);
    peer.pause();
    client.end();
    await once(peer, 'end');
  });

  it("'end' does not overtake what is buffered", async () => {
    const { client, peer } = await pair(subject, family);
    peer.pause();
    let ended = false;
    peer.on('end', () => (ended = true));
    client.end('data');
    await once(peer, 'readable');
    await nextTurn();
    expect(ended).toBe(false);
    peer.resume();
    await once(peer, 'end');
  });

  it('a write after both sides have ended names no system call', async () => {
    const { client, peer } = await pair(subject, family);
    client.resume();
    peer.end();
    const told: NodeJS.ErrnoException[] = [];
    client.on('error', (error) => told.push(error));
    const over = closed(client);
    // One tick after 'end' the stream ends itself; by the next it has, and is not closed yet.
    client.on('end', () => {
      process.nextTick(() => {
        process.nextTick(() => {
          expect(client.write('x', (error) => told.push(error as NodeJS.ErrnoException))).toBe(false);
        });
      });
    });
    await over;
    expect(told.map(({ code, syscall }) => [code, syscall])).toEqual([
      ['EPIPE', undefined],
      ['EPIPE', undefined],
    ]);
    expect(told[0]?.message).toBe('This socket has been ended by the other party');
  });

  it('resetAndDestroy', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => peer.once('error', resolve));
    if (family === 'unix') {
      expect(() => client.resetAndDestroy()).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_HANDLE_TYPE' }) as Error,
      );
      expect(client.destroyed).toBe(false);
      return;
    }
    const over = closed(client);
    client.resetAndDestroy();
    expect((await failed).code).toBe('ECONNRESET');
    await over;
  });

  it('for await does with a half-open socket what node does when it is through', async () => {
    // Whether it destroys it depends on the version: node 24 does not.
    const destroyedBy = async (by: Subject): Promise<boolean> => {
      const { client, peer } = await pair(by, family, { server: { allowHalfOpen: true } });
      client.end('x');
      for await (const chunk of peer) expect(String(chunk)).toBe('x');
      await nextTurn();
      return peer.destroyed;
    };
    expect(await destroyedBy(subject)).toBe(await destroyedBy(reference));
  });

  it("a server's 'close' waits for its connections to be destroyed, not for their 'close'", async () => {
    const { client, peer, server } = await pair(subject, family);
    client.resume();
    const order: string[] = [];
    peer.on('close', () => order.push('socket'));
    server.close(() => order.push('server'));
    await nextTurn();
    await nextTurn();
    expect(order).toEqual([]);
    peer.destroy();
    await new Promise<void>((resolve) => server.once('close', resolve));
    await nextTurn();
    expect(order).toEqual(['server', 'socket']);
  });

  it('close() of a server that does not listen has its error', async () => {
    const server = subject.createServer();
    const error = await new Promise<Error | undefined>((resolve) => server.close(resolve));
    expect((error as NodeJS.ErrnoException).code).toBe('ERR_SERVER_NOT_RUNNING');
  });

  it("the error flag of 'close'", async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    client.on('error', () => undefined);
    const flags = [
      new Promise((resolve) => client.once('close', resolve)),
      new Promise((resolve) => peer.once('close', resolve)),
    ];
    client.destroy(new Error('mine'));
    expect(await Promise.all(flags)).toEqual([true, false]);
  });

  it('destroySoon loses nothing', async () => {
    const { client, peer } = await pair(subject, family);
    const sent = pattern(5_000_000);
    const received = readAll(peer);
    client.write(sent);
    client.destroySoon();
    expect((await received).equals(sent)).toBe(true);
  });

  it('a read of 64 KiB is whole, and stays as it is when more comes', async () => {
    const { client, peer } = await pair(subject, family);
    const sent = pattern(65_536 * 40);
    const chunks: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (let i = 0; i < 40; i++) {
      if (!client.write(sent.subarray(i * 65_536, (i + 1) * 65_536))) await once(client, 'drain');
    }
    client.end();
    await once(peer, 'end');
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(65_536);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it("a chunk's memory is not read into again", async () => {
    const { client, peer } = await pair(subject, family);
    const kept: { chunk: Buffer; copy: Buffer }[] = [];
    let length = 0;
    const all = new Promise<void>((resolve) => {
      peer.on('data', (chunk: Buffer) => {
        kept.push({ chunk, copy: Buffer.from(chunk) });
        length += chunk.length;
        if (length === 3_000_000) resolve();
      });
    });
    for (let i = 0; i < 3000; i++) {
      if (!client.write(pattern(1000, i + 1))) await once(client, 'drain');
      if (i % 10 === 0) await nextTurn();
    }
    await all;
    for (const { chunk, copy } of kept) expect(chunk.equals(copy)).toBe(true);
  });

  it("takes a server's highWaterMark for both directions", async () => {
    const { peer } = await pair(subject, family, { server: { highWaterMark: 1234 } });
    expect([peer.readableHighWaterMark, peer.writableHighWaterMark]).toEqual([1234, 1234]);
  });

  it('a silent write after end() does not happen', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    client.end();
    const code = await new Promise((resolve) => {
      client.on('error', () => undefined);
      client.write('x', (error) => {
        resolve((error as NodeJS.ErrnoException).code);
      });
    });
    expect(code).toBe('ERR_STREAM_WRITE_AFTER_END');
  });

  it("'connection' comes before what is written in the same turn is read", async () => {
    const order: string[] = [];
    const server = subject.createServer({}, (socket) => {
      order.push('connection');
      process.nextTick(() => order.push('tick'));
      void Promise.resolve().then(() => order.push('microtask'));
      socket.on('data', () => order.push('data'));
    });
    const address = await listen(server, family);
    const client = subject.connect(address);
    client.write('x');
    await once(client, 'connect');
    while (!order.includes('data')) await nextTurn();
    expect(order).toEqual(['connection', 'tick', 'microtask', 'data']);
  });

  it('runs events in the async context of connect(), of listen(), and in none', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: Record<string, string | undefined> = {};
    const note = (name: string) => (): void => void (seen[name] = storage.getStore());
    const server = subject.createServer({}, (socket) => {
      note('connection')();
      socket.on('data', note('accepted data'));
      socket.on('end', note('accepted end'));
      socket.on('close', note('accepted close'));
      socket.on('data', () => socket.write('answer', () => undefined));
    });
    closeAtEnd(server);
    storage.run('listen', () => {
      server.listen(freshAddress(family));
      server.on('listening', note('listening'));
    });
    await once(server, 'listening');
    const client = storage.run('connect', () => subject.connect(addressOf(server) as { path: string }));
    for (const name of ['connect', 'ready', 'data', 'end', 'close', 'finish']) client.on(name, note(name));
    await once(client, 'connect');
    storage.run('write', () => client.write('question', note('write callback')));
    await once(client, 'data');
    storage.run('end', () => client.end());
    await closed(client);
    await nextTurn();
    expect(seen).toEqual({
      listening: 'listen',
      connection: 'listen',
      'accepted data': undefined,
      'accepted end': undefined,
      'accepted close': undefined,
      connect: 'connect',
      ready: 'connect',
      data: 'connect',
      end: 'connect',
      close: 'connect',
      finish: 'end',
      'write callback': 'write',
    });
  });

  it('what one connection enters does not leak into another', async () => {
    const storage = new AsyncLocalStorage<number>();
    let next = 0;
    const seen: unknown[] = [];
    const server = subject.createServer({}, (socket) => {
      socket.on('data', () => {
        seen.push(storage.getStore());
        storage.enterWith(++next);
        socket.end('x');
      });
    });
    const address = await listen(server, family);
    const clients = Array.from({ length: 10 }, () => subject.connect(address));
    for (const client of clients) {
      client.resume();
      client.write('x');
    }
    await Promise.all(clients.map(closed));
    expect(seen).toEqual(Array.from({ length: 10 }, () => undefined));
  });

  it('tells each socket of its end, though a listener throws', async () => {
    const { client, peer } = await pair(subject, family);
    const other = await pair(subject, family);
    const caught: unknown[] = [];
    onUncaught((error) => caught.push(error.message));
    peer.on('data', () => {
      throw new Error('in data');
    });
    client.on('close', () => {
      throw new Error('in close');
    });
    const over = Promise.all([closed(peer), closed(other.client), closed(other.peer)]);
    const answered = once(other.client, 'data');
    other.peer.on('data', (chunk: Buffer) => other.peer.write(chunk));
    client.write('x');
    other.client.write('y');
    expect(String((await answered)[0])).toBe('y');
    other.peer.resume();
    client.destroy();
    other.client.destroy();
    await over;
    expect(caught).toEqual(['in data', 'in close']);
  });

  it('a throwing write callback does not keep the next one from coming', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    const caught: unknown[] = [];
    onUncaught((error) => caught.push(error.message));
    client.write('a', () => {
      throw new Error('first');
    });
    await new Promise<void>((resolve) => {
      client.write('b', () => {
        resolve();
      });
    });
    expect(caught).toEqual(['first']);
  });
});

describe.each(subjects)('socket files: $name', (subject) => {
  it('are there while listening, and gone when closed', async () => {
    const server = subject.createServer();
    const { path = '' } = await listen(server, 'unix');
    expect(existsSync(path)).toBe(true);
    expect(server.address()).toBe(path);
    server.close();
    await once(server, 'close');
    expect(existsSync(path)).toBe(false);
    expect(server.address()).toBe(path);
  });

  it('are not left behind by a failed listen', async () => {
    const { path = '' } = await listen(subject.createServer(), 'unix');
    const second = subject.createServer();
    second.listen(path);
    await once(second, 'error');
    expect(readdirSync(dirname(path))).toHaveLength(1);
  });

  it.runIf(subject.name === 'native')('are left alone when somebody else has bound the path since', async () => {
    const server = subject.createServer();
    const { path = '' } = await listen(server, 'unix');
    renameSync(path, `${path}.old`);
    writeFileSync(path, 'mine');
    server.close();
    await once(server, 'close');
    expect(existsSync(path)).toBe(true);
  });

  it('can be abstract names', async () => {
    const path = `\0nearwire-test-${String(process.pid)}-${subject.name}`;
    const server = subject.createServer({}, (socket) => socket.end('hi'));
    closeAtEnd(server);
    server.listen(path);
    const outcome = Promise.race([once(server, 'listening').then(() => 'listening'), once(server, 'error')]);
    if (!hasAbstractNames(subject.name)) {
      expect(await outcome).toMatchObject([{ code: 'EINVAL', syscall: 'listen' }]);
      return;
    }
    expect(await outcome).toBe('listening');
    const client = subject.connect({ path });
    expect((await readBytes(client, 2)).toString()).toBe('hi');
  });
});
