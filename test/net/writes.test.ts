/** Backpressure, corking and callbacks. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { closed, fill, nextTurn, pair, pattern, readAll, readBytes } from '../support/sockets.js';
import { everyWay, reference, type Subject } from '../support/subjects.js';

describe.each(everyWay)('writes: $name over $family', ({ subject, family }) => {
  it('answer false when the kernel is full, and drain once it is empty again', async () => {
    const { client, peer } = await pair(subject, family);
    const written = fill(client);
    expect(client.writableNeedDrain).toBe(true);
    expect(client.writableLength).toBeGreaterThan(0);
    let drained = false;
    client.on('drain', () => (drained = true));
    await nextTurn();
    expect(drained).toBe(false);
    peer.resume();
    await once(client, 'drain');
    expect(client.writableLength).toBe(0);
    expect(client.writableNeedDrain).toBe(false);
    client.end();
    await once(peer, 'end');
    expect(peer.bytesRead).toBe(written);
  });

  it('are held back for small ones too', async () => {
    const { client, peer } = await pair(subject, family);
    const text = 'x'.repeat(1000);
    let count = 0;
    while (client.write(text)) {
      if (++count % 100 === 0) await nextTurn();
    }
    expect(client.writableLength).toBeGreaterThanOrEqual(client.writableHighWaterMark);
    const drained = once(client, 'drain');
    peer.resume();
    await drained;
    expect(client.writableLength).toBe(0);
  });

  it('call back in order, whatever their kind', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    const order: number[] = [];
    const pieces = [
      'a',
      Buffer.alloc(200_000),
      'b',
      Buffer.alloc(3_000_000),
      'c',
      'd',
      Buffer.alloc(10),
      Buffer.alloc(100_000),
    ];
    await Promise.all(
      pieces.map(
        (piece, i) =>
          new Promise<void>((resolve) => {
            client.write(piece, () => {
              order.push(i);
              resolve();
            });
          }),
      ),
    );
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('call back in order when large ones stand between small ones of one tick', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      client.write('no callback');
      client.write('a', () => order.push('a'));
      client.write(Buffer.alloc(20_000), () => order.push('large'));
      client.write('b', () => order.push('b'));
      client.cork();
      client.write('c', () => order.push('c'));
      client.uncork();
      client.write(Buffer.alloc(20_000));
      client.write('d', () => {
        order.push('d');
        resolve();
      });
    });
    await done;
    expect(order).toEqual(['a', 'large', 'b', 'c', 'd']);
  });

  it('do not call back before the kernel has them', async () => {
    const { client, peer } = await pair(subject, family);
    const size = 30_000_000;
    let done = false;
    client.write(Buffer.alloc(size), () => (done = true));
    client.write('tail');
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(done).toBe(false);
    await readBytes(peer, size + 4);
    expect(done).toBe(true);
  });

  it('call back in time that grows with their number, however many wait for one flush', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    const count = 200_000;
    let called = 0;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        if (++called === count) resolve();
      };
      for (let i = 0; i < count; i++) client.write('aaaaaa', done);
    });
  }, 20_000);

  it('call back for what a destroyed socket had handed over in such a time too', async () => {
    const { client } = await pair(subject, family);
    let called = 0;
    for (let i = 0; i < 200_000; i++) client.write('aaaaaa', () => called++);
    await nextTurn();
    client.destroy();
    await closed(client);
    expect(called).toBe(200_000);
  }, 20_000);

  it('leave in one piece when corked', async () => {
    const { client, peer } = await pair(subject, family);
    client.cork();
    client.write('a');
    client.write(Buffer.from('b'));
    client.write('c'.repeat(9000));
    await nextTurn();
    await nextTurn();
    expect(peer.bytesRead).toBe(0);
    expect(client.writableLength).toBe(9002);
    expect(client.bytesWritten).toBe(9002);
    client.uncork();
    const [first] = (await once(peer, 'data')) as [Buffer];
    expect(first.length).toBe(9002);
  });

  it('of one turn, when nested corks are undone, arrive in order', async () => {
    const { client, peer } = await pair(subject, family);
    const received = readAll(peer);
    client.write('0');
    client.cork();
    client.write('1');
    client.cork();
    client.write('2');
    client.uncork();
    client.write('3');
    client.uncork();
    client.write('4');
    client.cork();
    client.end('5');
    expect((await received).toString()).toBe('012345');
  });

  it('may come from a drain listener, again and again', async () => {
    const { client, peer } = await pair(subject, family);
    const chunk = pattern(300_000);
    let left = 60;
    const write = (): void => {
      while (left > 0) {
        left--;
        if (!client.write(chunk)) return;
      }
      client.end();
    };
    client.on('drain', write);
    write();
    const received = await readAll(peer);
    expect(received.length).toBe(60 * chunk.length);
    for (let i = 0; i < 60; i++) {
      expect(received.subarray(i * chunk.length, (i + 1) * chunk.length).equals(chunk)).toBe(true);
    }
  });

  it('carry on where one listener writes on many sockets', async () => {
    const ends = [await pair(subject, family), await pair(subject, family), await pair(subject, family)];
    const received = ends.map(({ peer }) => readAll(peer));
    for (let i = 0; i < 1000; i++) for (const { client } of ends) client.write(`${String(i)};`);
    for (const { client } of ends) client.end();
    const expected = Array.from({ length: 1000 }, (_, i) => `${String(i)};`).join('');
    for (const bytes of await Promise.all(received)) expect(bytes.toString()).toBe(expected);
  });

  it('that wait are failed when the socket is destroyed', async () => {
    const codesOf = async (by: Subject): Promise<unknown[]> => {
      const { client } = await pair(by, family);
      fill(client);
      const codes: unknown[] = [];
      client.write('a', (error) => codes.push((error as NodeJS.ErrnoException).code));
      client.write('b', (error) => codes.push((error as NodeJS.ErrnoException).code));
      client.destroy();
      await closed(client);
      return codes;
    };
    const codes = await codesOf(subject);
    expect(codes).toHaveLength(2);
    expect(codes).not.toContain(undefined);
    expect(codes).toEqual(await codesOf(reference));
  });

  it('before the connection fail when there is none to come', async () => {
    const socket = subject.connect(
      family === 'unix' ? { path: '/nonexistent/a.sock' } : { host: '127.0.0.1', port: 1 },
    );
    socket.on('error', () => undefined);
    const codes: unknown[] = [];
    socket.write('a', (error) => codes.push((error as NodeJS.ErrnoException).code));
    await closed(socket);
    await nextTurn();
    expect(codes).toHaveLength(1);
    expect(codes[0]).toBe('ERR_SOCKET_CLOSED_BEFORE_CONNECTION');
  });

  it('on a socket that was never connected fail', async () => {
    const socket = subject.socket();
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    socket.write('x');
    expect((await failed).code).toBe('ERR_SOCKET_CLOSED');
  });
});
