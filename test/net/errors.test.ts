/** Bad input and failures: class, code, message and fields are those of node:net in the same run. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import type { LookupFunction, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as nearwire from 'nearwire';
import type { SocketOptions } from 'nearwire';
import {
  addressOf,
  cleanup,
  closeAtEnd,
  closed,
  freshAddress,
  listen,
  pair,
  temporaryDirectory,
} from '../support/sockets.js';
import { everyWay, native, reference, subjects, type Subject } from '../support/subjects.js';

interface Shape {
  kind: string;
  [field: string]: unknown;
}

const FIELDS = ['code', 'errno', 'syscall', 'address', 'port', 'localAddress', 'localPort', 'message', 'host'];

function shapeOf(error: unknown): Shape {
  if (!(error instanceof Error)) return { kind: typeof error };
  const kind = error instanceof TypeError ? 'TypeError' : error instanceof RangeError ? 'RangeError' : error.name;
  const fields = error as unknown as Record<string, unknown>;
  const shape: Shape = { kind };
  for (const name of FIELDS) if (fields[name] !== undefined) shape[name] = fields[name];
  if (error instanceof AggregateError) shape['errors'] = error.errors.map(shapeOf);
  return shape;
}

/** What a call throws, or the error that its object tells of, or that it works. */
async function outcome(call: () => Server | Socket | undefined): Promise<Shape> {
  let made: Server | Socket | undefined;
  try {
    made = call();
  } catch (error) {
    return { ...shapeOf(error), thrown: true };
  }
  if (made === undefined) return { kind: 'returned' };
  const target = made;
  cleanup(() => ('close' in target ? target.close() : target.destroy()));
  return new Promise((resolve) => {
    target.once('error', (error) => {
      resolve(shapeOf(error));
    });
    for (const name of ['connect', 'listening']) {
      target.once(name, () => {
        resolve({ kind: name });
      });
    }
  });
}

const bad = (value: unknown): never => value as never;

type Case = [name: string, call: (subject: Subject, directory: string) => Server | Socket | undefined];

const LONG = 'x'.repeat(200);

const connects: Case[] = [
  ['no arguments', (s) => s.connect(bad({}))],
  ['a port of undefined', (s) => s.connect({ port: undefined })],
  ['a port of null', (s) => s.connect(bad({ port: null }))],
  ['a port out of range', (s) => s.connect({ port: 65_536 })],
  ['a negative port', (s) => s.connect({ port: -1 })],
  ['a fractional port', (s) => s.connect({ port: 1.5 })],
  ['a port in words', (s) => s.connect({ port: 'http' })],
  ['an empty port', (s) => s.connect({ port: '' })],
  ['a port that is an object', (s) => s.connect(bad({ port: {} }))],
  ['a port that is a boolean', (s) => s.connect(bad({ port: true }))],
  ['a path that is a number', (s) => s.connect(bad({ path: 5 }))],
  ['a path that is an object', (s) => s.connect(bad({ path: {} }))],
  ['a path that is a function', (s) => s.connect(bad({ path: () => undefined }))],
  ['a host that is a number', (s) => s.connect(bad({ port: 1, host: 5 }))],
  ['a host with a NUL', (s) => s.connect({ port: 1, host: 'a\0b' })],
  ['a local address that is none', (s) => s.connect({ port: 1, localAddress: 'nowhere' })],
  ['a local port that is a string', (s) => s.connect(bad({ port: 1, host: '127.0.0.1', localPort: '5' }))],
  ['a lookup that is no function', (s) => s.connect(bad({ port: 1, host: 'name', lookup: 5 }))],
  ['an autoSelectFamily that is no boolean', (s) => s.connect(bad({ port: 1, autoSelectFamily: 'yes' }))],
  ['an attempt timeout that is no number', (s) => s.connect(bad({ port: 1, autoSelectFamilyAttemptTimeout: 'x' }))],
  ['an attempt timeout of 0', (s) => s.connect({ port: 1, autoSelectFamilyAttemptTimeout: 0 })],
  ['a signal that is none', (s) => s.connect(bad({ port: 1, host: '127.0.0.1', signal: 5 }))],
  ['object mode', (s) => s.connect(bad({ port: 1, objectMode: true }))],
  ['readable object mode', (s) => s.connect(bad({ port: 1, readableObjectMode: true }))],
  ['a keep-alive delay that is no number', (s) => s.connect(bad({ port: 1, keepAliveInitialDelay: 'x' }))],
  ['a timeout that is no number', (s) => s.connect(bad({ port: 1, timeout: 'x' }))],
  ['a negative timeout', (s) => s.connect(bad({ port: 1, timeout: -1 }))],
  ['a negative high-water mark', (s) => s.connect(bad({ port: 1, readableHighWaterMark: -1 }))],
  ['a refused port', (s) => s.connect({ port: 1, host: '127.0.0.1' })],
  ['a refused port over IPv6', (s) => s.connect({ port: 1, host: '::1' })],
  ['a refused port from a local address', (s) => s.connect({ port: 1, host: '127.0.0.1', localAddress: '127.0.0.1' })],
  ['a local address that is not ours', (s) => s.connect({ port: 1, host: '127.0.0.1', localAddress: '192.0.2.1' })],
  ['a missing socket file', (s, dir) => s.connect({ path: join(dir, 'none.sock') })],
  ['a missing directory', (s, dir) => s.connect({ path: join(dir, 'none', 'a.sock') })],
  ['a directory', (s, dir) => s.connect({ path: dir })],
  ['a plain file', (s, dir) => s.connect({ path: join(dir, 'file') })],
  ['a file as a directory', (s, dir) => s.connect({ path: join(dir, 'file', 'a.sock') })],
  [
    'an address from lookup that is none',
    (s) => s.connect({ port: 1, host: 'name', family: 4, lookup: answer('nowhere', 4) }),
  ],
  [
    'a family from lookup that is none',
    (s) => s.connect({ port: 1, host: 'name', family: 4, lookup: answer('127.0.0.1', 5) }),
  ],
  ['a lookup that fails', (s) => s.connect({ port: 1, host: 'name', lookup: failing })],
  ['two addresses that refuse', (s) => s.connect({ port: 1, host: 'name', lookup: both })],
  ['one address of a list that refuses', (s) => s.connect({ port: 1, host: 'name', lookup: one })],
  ['a list without an address', (s) => s.connect({ port: 1, host: 'name', lookup: nowhere })],
];

function answer(address: string, family: number): LookupFunction {
  return (_host, _options, callback) => {
    callback(null, address, family);
  };
}
const failing: LookupFunction = (_host, _options, callback) => {
  callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '');
};
const listed =
  (list: { address: string; family: number }[]): LookupFunction =>
  (_host, _options, callback) => {
    callback(null, list);
  };
const both = listed([
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
]);
const one = listed([{ address: '127.0.0.1', family: 4 }]);
const nowhere = listed([{ address: 'nowhere', family: 4 }]);

const listens: Case[] = [
  ['a port out of range', (s) => s.createServer().listen(65_536)],
  ['a negative port', (s) => s.createServer().listen({ port: -1 })],
  ['a fractional port', (s) => s.createServer().listen({ port: 1.5 })],
  ['neither port nor path', (s) => s.createServer().listen(bad({}))],
  ['a port that is a boolean', (s) => s.createServer().listen(bad({ port: true }))],
  ['a path that is a number', (s) => s.createServer().listen(bad({ path: 5 }))],
  ['a boolean', (s) => s.createServer().listen(bad(true))],
  ['an empty path', (s) => s.createServer().listen({ path: '' })],
  ['a signal that is none', (s) => s.createServer().listen(bad({ port: 0, signal: 5 }))],
  ['an abstract name with a mode', (s) => s.createServer().listen({ path: '\0abc', readableAll: true })],
  ['an address that is not ours', (s) => s.createServer().listen(0, '192.0.2.1')],
  ['a missing directory', (s, dir) => s.createServer().listen(join(dir, 'none', 'a.sock'))],
  ['a directory', (s, dir) => s.createServer().listen(dir)],
  ['a plain file', (s, dir) => s.createServer().listen(join(dir, 'file'))],
  ['listening twice', (s) => s.createServer().listen(0).listen(0)],
  ['a keep-alive delay that is no number', (s) => s.createServer(bad({ keepAliveInitialDelay: 'x' }))],
  ['a high-water mark that is no number', (s) => s.createServer(bad({ highWaterMark: 'x' }))],
  ['a bad descriptor', (s) => s.createServer().listen({ fd: 1_000_000 })],
];

function prepared(): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'sub'));
  writeFileSync(join(directory, 'file'), '');
  return directory;
}

describe.each(subjects)('errors: $name', (subject) => {
  it.each(connects)('connect: %s', async (name, call) => {
    const directory = prepared();
    const expected = await outcome(() => call(reference, directory));
    expect(await outcome(() => call(subject, directory)), name).toEqual(expected);
  });

  it.each(listens)('listen: %s', async (name, call) => {
    const directory = prepared();
    const expected = await outcome(() => call(reference, directory));
    const actual = await outcome(() => call(subject, directory));
    if (name === 'a bad descriptor' && subject === native) {
      // 'native' was asked for by name, and descriptors are node's.
      expect(actual).toMatchObject({ code: 'ERR_NEARWIRE_NOT_NATIVE', thrown: true });
    } else {
      expect(actual).toEqual(expected);
    }
  });

  it.each([LONG, 'a\0b', '\0' + LONG])('a path that no socket can have fails (%j)', async (path) => {
    const long = path.startsWith('\0') ? path : join(temporaryDirectory(), path);
    const connecting = await outcome(() => subject.connect({ path: long }));
    expect(['EINVAL', 'ENOENT', 'ECONNREFUSED', 'ENAMETOOLONG']).toContain(connecting['code']);
    if (path.includes('\0')) return;
    const listening = await outcome(() => subject.createServer().listen(long));
    expect(['EINVAL', 'ENAMETOOLONG', 'listening']).toContain(listening['code'] ?? listening.kind);
  });
});

describe.each(everyWay)('failures: $name over $family', ({ subject, family }) => {
  it('a busy address', async () => {
    const address = await listen(subject.createServer(), family);
    const port = address.port ?? -1;
    const where = address.path ?? `127.0.0.1:${String(port)}`;
    expect(await outcome(() => subject.createServer().listen(address))).toEqual({
      kind: 'Error',
      code: 'EADDRINUSE',
      errno: -98,
      syscall: 'listen',
      address: address.path ?? '127.0.0.1',
      port,
      message: `listen EADDRINUSE: address already in use ${where}`,
    });
  });

  it('can listen once the address is free again', async () => {
    const first = subject.createServer();
    const address = await listen(first, family);
    const second = subject.createServer();
    closeAtEnd(second);
    second.listen(address);
    await once(second, 'error');
    first.close();
    await once(first, 'close');
    second.listen(address);
    await once(second, 'listening');
    expect(addressOf(second)).toEqual(address);
  });

  it('a peer that resets', async () => {
    const { client, peer } = await pair(subject, family);
    // Closing with bytes unread resets, on both kinds of socket.
    peer.pause();
    const failed = new Promise((resolve) => client.once('error', resolve));
    client.write('unread');
    client.resume();
    await new Promise((resolve) => peer.once('readable', resolve));
    const over = closed(client);
    if (family === 'tcp') peer.resetAndDestroy();
    else {
      await new Promise<void>((resolve) => client.write('unread too', () => setImmediate(resolve)));
      peer.destroy();
    }
    const outcomeOfPeer = await Promise.race([failed, over]);
    if (family === 'tcp')
      expect(shapeOf(outcomeOfPeer)).toMatchObject({ code: 'ECONNRESET', syscall: 'read', message: 'read ECONNRESET' });
    await over;
  });

  it('a write to a peer that is gone', async () => {
    const { client, peer } = await pair(subject, family, { client: { allowHalfOpen: true } });
    client.resume();
    peer.destroy();
    await once(client, 'end');
    const over = closed(client);
    const seen: string[] = [];
    client.on('error', (error: NodeJS.ErrnoException) => seen.push(`event ${String(error.code)}`));
    // TCP learns of it by the answer to the first write.
    const write = (): void => {
      if (client.destroyed) return;
      client.write('x', (error) => {
        if (error) seen.push(`callback ${String((error as NodeJS.ErrnoException).code)}`);
        else setImmediate(write);
      });
    };
    write();
    await over;
    const code = seen.at(-1)?.split(' ')[1];
    expect(['EPIPE', 'ECONNRESET']).toContain(code);
    expect(seen.at(-1)).toBe(`event ${String(code)}`);
  });

  it('tells of nothing from inside connect(), listen() and write()', async () => {
    const told: string[] = [];
    const server = subject.createServer();
    server.on('error', () => told.push('server'));
    const failing = family === 'unix' ? { path: '/nonexistent/directory/a.sock' } : { host: '192.0.2.1', port: 0 };
    server.listen(failing);
    expect(told).toEqual([]);
    await once(server, 'error').catch(() => undefined);
    const socket = subject.socket();
    socket.on('error', () => told.push('socket'));
    socket.connect(family === 'unix' ? { path: '/nonexistent/a.sock' } : { host: '127.0.0.1', port: 1 });
    socket.write('x', () => told.push('write'));
    expect(told).toEqual(['server']);
    await closed(socket);
    expect(told).toContain('socket');
  });

  it('an aborted signal destroys', async () => {
    const address = await listen(subject.createServer(), family);
    const controller = new AbortController();
    const socket = subject.connect({ ...address, signal: controller.signal });
    const failed = new Promise((resolve) => socket.once('error', resolve));
    controller.abort();
    expect(shapeOf(await failed)).toMatchObject({ kind: 'AbortError', code: 'ABORT_ERR' });
    expect(socket.destroyed).toBe(true);
  });

  it('an aborted signal closes a server', async () => {
    const controller = new AbortController();
    const server = subject.createServer();
    server.listen({ ...freshAddress(family), signal: controller.signal });
    await once(server, 'listening');
    controller.abort();
    await once(server, 'close');
    expect(server.listening).toBe(false);
  });
});

describe.each(subjects)('a reset behind unread bytes, over TCP: $name', (subject) => {
  // What a peer may send at first by Linux's default. It is a full read: behind one that is not, node:net ends on a
  // reset without an error.
  const FIRST_WINDOW = 64 * 1024;

  /** The peer is node's own socket: its bytes, and the reset, are with the client's kernel before the client reads. */
  async function resetBehind(sent: number, options: SocketOptions): Promise<void> {
    const server = reference.createServer();
    const address = await listen(server, 'tcp');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = subject.connect({ ...address, ...options });
    cleanup(() => client.destroy());
    client.pause();
    const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
    peer.write(Buffer.alloc(sent));
    peer.resetAndDestroy();
    const failed = once(client, 'error') as Promise<[unknown]>;
    client.resume();
    const [error] = await failed;
    expect(shapeOf(error)).toMatchObject({ code: 'ECONNRESET', syscall: 'read', message: 'read ECONNRESET' });
    expect(client.bytesRead).toBe(sent);
  }

  it('is told of behind more than one turn of the loop reads', async () => {
    // The native engine reads four times 64 KiB of a socket in a turn. Any Linux grants this SO_RCVBUF, and it holds
    // 300 KiB; node:net has to do with the default.
    await resetBehind(subject.name === 'native' ? 300 * 1024 : FIRST_WINDOW, { recvBufferSize: 212_992 });
  });

  it('is told of behind more than the buffer of onread holds', async () => {
    await resetBehind(FIRST_WINDOW, { onread: { buffer: Buffer.alloc(1024), callback: () => true } });
  });
});

describe('our own options', () => {
  it.each(['x', 5, true])('createServer(%j) throws what node throws', async (options) => {
    const expected = await outcome(() => net.createServer(bad(options)));
    expect(await outcome(() => nearwire.createServer(bad(options)))).toEqual(expected);
  });

  const calls: [string, (options: never) => unknown][] = [
    ['createServer', (options) => nearwire.createServer(options)],
    ['connect', (options) => nearwire.connect({ path: '/nonexistent', ...(options as object) })],
    ['Socket', (options) => new nearwire.Socket(options)],
    ['Server', (options) => new nearwire.Server(options)],
  ];
  it.each(calls)('%s checks them', (_, call) => {
    const thrown = (options: unknown): unknown => {
      try {
        call(options as never);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
      return undefined;
    };
    expect(thrown({ transport: 'quick' })).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrown({ transport: 5 })).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrown({ transport: null })).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrown({ sendBufferSize: '5' })).toBe('ERR_INVALID_ARG_TYPE');
    expect(thrown({ sendBufferSize: 0 })).toBe('ERR_OUT_OF_RANGE');
    expect(thrown({ sendBufferSize: 1.5 })).toBe('ERR_OUT_OF_RANGE');
    expect(thrown({ recvBufferSize: Number.NaN })).toBe('ERR_OUT_OF_RANGE');
    expect(thrown({ recvBufferSize: 2 ** 31 })).toBe('ERR_OUT_OF_RANGE');
  });
});
