/** `onread`: reading into a buffer of the program's. */
import { once } from 'node:events';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import type { SocketOptions } from 'nearwire';
import { addressOf, cleanup, closed, listen, nextTurn, pattern, record } from '../support/sockets.js';
import { everyWay, families, native, subjects, type Family, type Subject } from '../support/subjects.js';

type Onread = NonNullable<SocketOptions['onread']>;

interface Ends {
  client: net.Socket;
  peer: net.Socket;
}

async function connected(subject: Subject, family: Family, onread: Onread): Promise<Ends> {
  const server = subject.createServer({ allowHalfOpen: true });
  const address = await listen(server, family);
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const client = subject.connect({ ...address, onread });
  cleanup(() => client.destroy());
  const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
  return { client, peer };
}

describe.each(everyWay)('onread: $name over $family', ({ subject, family }) => {
  it('calls back with the bytes in the one buffer, and emits no data', async () => {
    const buffer = Buffer.alloc(4096);
    const sent = pattern(300_000);
    const parts: Buffer[] = [];
    const contexts = new Set<unknown>();
    const { client, peer } = await connected(subject, family, {
      buffer,
      callback(this: unknown, bytes, into) {
        contexts.add(this);
        expect(into).toBe(buffer);
        expect(bytes).toBeLessThanOrEqual(buffer.length);
        parts.push(Buffer.from(into.subarray(0, bytes)));
        return true;
      },
    });
    const events = record(client, ['data', 'end', 'error', 'close']);
    peer.end(sent);
    await closed(client);
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    expect(client.bytesRead).toBe(sent.length);
    expect([...contexts]).toEqual([client]);
    expect(events).toEqual(['end', 'close:false']);
  });

  it('asks a function for each buffer, and takes plain Uint8Arrays', async () => {
    const pool = [new Uint8Array(3), new Uint8Array(3)];
    let asked = 0;
    let text = '';
    const { client, peer } = await connected(subject, family, {
      buffer: () => pool[asked++ % 2] as Uint8Array,
      callback(bytes, into) {
        expect(into).toBe(pool[(asked - 1) % 2]);
        text += Buffer.from(into.subarray(0, bytes)).toString();
        return undefined;
      },
    });
    peer.end('eleven more');
    await once(client, 'end');
    expect(text).toBe('eleven more');
    // One before the first read, and one after each: 3 + 3 + 3 + 2.
    expect(asked).toBe(5);
  });

  it.each(['false', 'pause()'] as const)('rests after %s, until resume()', async (way) => {
    const parts: string[] = [];
    const resting: (() => void)[] = [];
    const { client, peer } = await connected(subject, family, {
      buffer: Buffer.alloc(2),
      callback(this: net.Socket, bytes, into) {
        parts.push(Buffer.from(into.subarray(0, bytes)).toString());
        if (way === 'pause()') this.pause();
        resting.shift()?.();
        return way !== 'false';
      },
    });
    const rest = (): Promise<void> => new Promise((resolve) => resting.push(resolve));
    let rested = rest();
    peer.end('abcdef');
    for (const seen of [['ab'], ['ab', 'cd'], ['ab', 'cd', 'ef']]) {
      await rested;
      await nextTurn();
      await nextTurn();
      expect(parts).toEqual(seen);
      rested = rest();
      client.resume();
    }
    await once(client, 'end');
  });

  it('may close the socket from the callback, with bytes still to come', async () => {
    let calls = 0;
    const { client, peer } = await connected(subject, family, {
      buffer: Buffer.alloc(4),
      callback(this: net.Socket) {
        calls++;
        this.destroy();
        return true;
      },
    });
    peer.on('error', () => undefined);
    peer.write('twelve bytes');
    await closed(client);
    expect(calls).toBe(1);
    expect(client.bytesRead).toBe(4);
  });

  it('fails where the buffer has no room', async () => {
    const { client, peer } = await connected(subject, family, {
      buffer: Buffer.alloc(0),
      callback: () => expect.unreachable(),
    });
    peer.on('error', () => undefined);
    peer.write('x');
    expect((await once(client, 'error'))[0]).toMatchObject({ code: 'ENOBUFS', syscall: 'read' });
  });

  it('passes over what makes no sense', async () => {
    const server = subject.createServer({}, (socket) => socket.end('plain'));
    await listen(server, family);
    const nonsense = [null, 7, {}, { buffer: 'x', callback: () => true }, { buffer: Buffer.alloc(1) }];
    for (const onread of nonsense) {
      const client = subject.connect({ ...addressOf(server), onread: onread as unknown as Onread });
      expect(String((await once(client, 'data'))[0])).toBe('plain');
      client.destroy();
    }
  });

  it('makes a socket that connects later, and again', async () => {
    const server = subject.createServer({}, (socket) => socket.end('hello'));
    const address = await listen(server, family);
    let text = '';
    const buffer = Buffer.alloc(16);
    const callback = (bytes: number): undefined => void (text += buffer.toString('latin1', 0, bytes));
    const client = subject.socket({ onread: { buffer, callback } });
    for (let round = 0; round < 2; round++) {
      client.connect(address as net.NetConnectOpts);
      await closed(client);
    }
    expect(text).toBe('hellohello');
  });
});

describe.runIf(subjects.includes(native)).each(families)('onread on the engine over %s', (family) => {
  it('is native', async () => {
    const { client } = await connected(native, family, { buffer: Buffer.alloc(8), callback: () => true });
    expect(client).toHaveProperty('transport', 'native');
  });

  it('ends in an error when the buffer has been given away, and writes nowhere', async () => {
    const buffer = new Uint8Array(64);
    const seen: number[] = [];
    let tell = (): void => undefined;
    const gone = new Promise<void>((resolve) => (tell = resolve));
    const { client, peer } = await connected(native, family, {
      buffer,
      callback(bytes) {
        seen.push(bytes);
        structuredClone(buffer, { transfer: [buffer.buffer] });
        tell();
        return true;
      },
    });
    peer.on('error', () => undefined);
    peer.write('first');
    await gone;
    const failed = once(client, 'error');
    peer.write('second');
    expect((await failed)[0]).toMatchObject({ code: 'ENOBUFS', syscall: 'read' });
    expect(seen).toEqual([5]);
  });

  it('keeps the memory alive that a read goes to', async () => {
    const total = pattern(200_000);
    const parts: Buffer[] = [];
    const { client, peer } = await connected(native, family, {
      buffer: () => new Uint8Array(1024),
      callback(bytes, into) {
        parts.push(Buffer.from(into.subarray(0, bytes)));
        if (parts.length % 16 === 0) (globalThis as { gc?: () => void }).gc?.();
        return true;
      },
    });
    peer.end(total);
    await once(client, 'end');
    expect(Buffer.concat(parts).equals(total)).toBe(true);
  });
});
