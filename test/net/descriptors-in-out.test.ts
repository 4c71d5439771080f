/** Sockets and servers over descriptors from elsewhere, and listening sockets shared with other threads. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import * as nearwire from 'nearwire';
import { childResult, heard, startChild } from '../support/children.js';
import {
  cleanup,
  closeAtEnd,
  closed,
  listen,
  readAll,
  readBytes,
  temporaryDirectory,
  type Address,
} from '../support/sockets.js';
import { everyWay, families, native, reference, subjects, js, type Subject } from '../support/subjects.js';

const library = new URL('../../dist/bundle/index.js', import.meta.url).href;
const hasNative = subjects.includes(native);

/** The descriptor under a server, as programs get it. */
function listeningDescriptor(server: net.Server): number {
  return (server as net.Server & { _handle: { fd: number } })._handle.fd;
}

/** Closes a server whose socket somebody else listens on too; moves a path out of the way, which it would remove. */
function closeApart(server: net.Server, address: Address): Address {
  const moved = address.path === undefined ? address : { path: join(temporaryDirectory(), 'moved.sock') };
  if (address.path !== undefined && moved.path !== undefined) renameSync(address.path, moved.path);
  server.close();
  return moved;
}

async function answerOf(address: Address, transport: nearwire.TransportChoice = 'auto'): Promise<string> {
  const client = nearwire.connect({ ...address, transport });
  cleanup(() => client.destroy());
  return (await readAll(client)).toString();
}

describe.each(subjects)('a socket over a descriptor: $name', (subject) => {
  it('reads, writes and closes', async () => {
    // A pipe of node's is a pair of connected UNIX sockets.
    const child = startChild(
      subject.name,
      `const socket = new Socket({ fd: 3 });
       const events = [socket.transport ?? 'node:net', socket.pending, socket.readyState];
       for (const name of ['connect', 'end', 'finish', 'close']) socket.on(name, (flag) => events.push(name, flag));
       socket.on('data', (chunk) => socket.write(String(chunk).toUpperCase()));
       socket.on('close', () => say([...events, socket.bytesRead, socket.bytesWritten]));`,
      [],
      ['pipe'],
    );
    const result = childResult(child);
    const pipe = child.stdio[3] as net.Socket;
    pipe.write('hello');
    expect((await readBytes(pipe, 5)).toString()).toBe('HELLO');
    pipe.end();
    expect(await result).toMatchObject({
      code: 0,
      said: [[subject.name, false, 'open', 'end', null, 'finish', null, 'close', false, 5, 5]],
    });
  });

  it('does not read a socket that is to be written only', async () => {
    const child = startChild(
      subject.name,
      `const socket = new Socket({ fd: 3, readable: false });
       socket.write('one way');
       process.stdin.once('data', () => process.exit(socket.bytesRead));`,
      [],
      ['pipe'],
    );
    const result = childResult(child);
    const pipe = child.stdio[3] as net.Socket;
    pipe.write('unheard');
    pipe.on('error', () => undefined);
    expect((await readBytes(pipe, 7)).toString()).toBe('one way');
    // Closing with these bytes unread would be a reset to some, an end to others.
    child.stdin?.write('exit');
    expect(await result).toMatchObject({ code: 0 });
  });

  it('keeps no process alive when it neither reads nor writes', async () => {
    const code = `const socket = new Socket({ fd: 3, readable: false }); say(socket.writable);`;
    expect(await childResult(startChild(subject.name, code, [], ['pipe']))).toMatchObject({ code: 0, said: [true] });
  });
});

describe('a descriptor that is no stream socket', () => {
  function outcome(call: () => unknown): unknown {
    try {
      return call();
    } catch (error) {
      const { code, name, message } = error as NodeJS.ErrnoException;
      return { code, name, message };
    }
  }

  it.each([-1, 1_000_000, 1.5, 'x'])('fails as in node:net (%j)', (fd) => {
    const make = (subject: Subject): unknown => outcome(() => subject.socket({ fd: fd as number }));
    expect(outcome(() => new nearwire.Socket({ fd: fd as number }))).toEqual(make(reference));
    expect(make(js)).toEqual(make(reference));
  });

  it.runIf(hasNative)('is node:net’s where it can read it, and an error under native', async () => {
    const fifo = join(temporaryDirectory(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const fd = openSync(fifo, 'r+');
    expect(() => new nearwire.Socket({ fd, transport: 'native' })).toThrow(
      expect.objectContaining({ code: 'ERR_NEARWIRE_NOT_NATIVE' }) as Error,
    );
    const socket = new nearwire.Socket({ fd });
    expect(socket.transport).toBe('js');
    writeSync(fd, 'through the pipe');
    expect((await readBytes(socket, 16)).toString()).toBe('through the pipe');
    const over = closed(socket);
    socket.destroy();
    await over;
  });

  it.runIf(hasNative)('is not listened on', async () => {
    const file = openSync('/dev/null', 'r');
    cleanup(() => {
      closeSync(file);
    });
    for (const server of [net.createServer(), nearwire.createServer()]) {
      server.listen({ fd: file });
      expect((await once(server, 'error'))[0]).toMatchObject({ code: 'EINVAL', syscall: 'listen' });
    }
    expect(() => nearwire.createServer({ transport: 'native' }).listen({ fd: file })).toThrow(
      expect.objectContaining({ code: 'ERR_NEARWIRE_NOT_NATIVE' }) as Error,
    );
  });
});

describe.each(everyWay)('a listening descriptor: $name over $family', ({ subject, family }) => {
  it('is inherited by a child as number 3, as from a service manager', async () => {
    const server = net.createServer();
    const address = await listen(server, family);
    const child = startChild(
      subject.name,
      `const server = createServer((socket) => { socket.end('served'); server.close(); });
       server.on('close', () => say('closed'));
       server.listen({ fd: 3 }, () => say([server.transport ?? 'node:net', server.address()]));`,
      [],
      [listeningDescriptor(server)],
    );
    const first = (await heard(child)) as [string, net.AddressInfo | null];
    expect(first[0]).toBe(subject.name);
    if (family === 'unix') expect(first[1]).toBe(null);
    else expect(first[1]).toMatchObject({ address: '127.0.0.1', port: address.port, family: 'IPv4' });
    const moved = closeApart(server, address);
    const over = once(child, 'close');
    expect(await answerOf(moved)).toBe('served');
    expect((await over)[0]).toBe(0);
  });
});

describe.runIf(hasNative).each(families)('a native server over %s', (family) => {
  it('has a descriptor, until it is closed', async () => {
    const server = nearwire.createServer({ transport: 'native' });
    await listen(server, family);
    const fd = listeningDescriptor(server);
    expect(fstatSync(fd).isSocket()).toBe(true);
    const { _handle: handle } = server as unknown as { _handle: { fd: number } };
    server.close();
    expect(handle.fd).toBeLessThan(0);
    expect(() => fstatSync(fd)).toThrow('EBADF');
  });

  const forms: [string, (server: net.Server) => object][] = [
    ['a server', (server) => server],
    ['{ _handle }', (server) => ({ _handle: (server as unknown as { _handle: object })._handle })],
    ['{ fd }', (server) => ({ fd: listeningDescriptor(server) })],
  ];
  it.each(forms)('listens on %s, and goes on when that is closed', async (_, form) => {
    for (const first of [nearwire.createServer({ transport: 'native' }), net.createServer()]) {
      const address = await listen(first, family);
      const second = nearwire.createServer({ transport: 'native' }, (socket) => {
        socket.end(socket.transport);
      });
      closeAtEnd(second);
      second.listen(form(first));
      await once(second, 'listening');
      expect(second.transport).toBe('native');
      expect(await answerOf(closeApart(first, address))).toBe('native');
      second.close();
      await once(second, 'close');
    }
  });

  it('listens on a handle of node’s, which it closes in the end', async () => {
    const origin = net.createServer();
    const address = await listen(origin, family);
    // A handle that nobody else has.
    const { _handle: handle } = new net.Socket({ fd: nearwire.shareListener(origin), readable: false }) as unknown as {
      _handle: { fd: number };
    };
    const server = nearwire.createServer({ transport: 'native' }, (socket) => {
      socket.end('here');
    });
    closeAtEnd(server);
    server.listen(handle);
    await once(server, 'listening');
    expect(await answerOf(closeApart(origin, address))).toBe('here');
    const { fd } = handle;
    server.close();
    await once(server, 'close');
    expect(() => fstatSync(fd)).toThrow('EBADF');
  });
});

describe.runIf(hasNative)('a shared listener', () => {
  const WORKER = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.library).then(({ createServer }) => {
      const server = createServer({ transport: workerData.transport }, (socket) => {
        socket.on('error', () => undefined);
        socket.write(workerData.name);
        socket.on('data', (chunk) => socket.write(chunk));
      });
      server.listen({ fd: workerData.fd }, () => parentPort.postMessage(server.transport));
    });`;

  async function startWorker(name: string, fd: number, transport: string): Promise<Worker> {
    const worker = new Worker(WORKER, { eval: true, workerData: { library, name, fd, transport } });
    cleanup(() => worker.terminate());
    expect(await once(worker, 'message')).toEqual([transport]);
    return worker;
  }

  interface Served {
    client: net.Socket;
    by: string;
  }

  async function connectOnce(address: Address): Promise<Served> {
    const client = net.connect(address as net.NetConnectOpts);
    cleanup(() => client.destroy());
    return { client, by: (await readBytes(client, 1)).toString() };
  }

  async function echoes(client: net.Socket): Promise<void> {
    client.write('still there?');
    expect((await readBytes(client, 12)).toString()).toBe('still there?');
  }

  const ways = families.flatMap((family) =>
    ([native, js] as const).map((subject) => ({ family, subject, name: subject.name })),
  );
  it.each(ways)(
    '($name, $family) outlives a worker that ends, with the connections of others',
    async ({ family, subject }) => {
      const server = subject.createServer();
      const address = await listen(server, family);
      const workers = { a: await startWorker('a', nearwire.shareListener(server), subject.name) };
      await startWorker('b', nearwire.shareListener(server), subject.name);
      const apart = closeApart(server, address);
      // Whoever is first takes a connection: both have some before long.
      const served: Served[] = [];
      while (served.length < 20 || new Set(served.map(({ by }) => by)).size < 2) {
        served.push(...(await Promise.all(Array.from({ length: 10 }, () => connectOnce(apart)))));
      }
      const lost = served
        .filter(({ by }) => by === 'a')
        .map(({ client }) => closed(client.on('error', () => undefined)));
      await workers.a.terminate();
      await Promise.all(lost);
      for (const { client, by } of served) if (by === 'b') await echoes(client);
      const after = await Promise.all(Array.from({ length: 10 }, () => connectOnce(apart)));
      expect(new Set(after.map(({ by }) => by))).toEqual(new Set(['b']));
    },
  );

  it('needs a server that listens', () => {
    expect(() => nearwire.shareListener(nearwire.createServer())).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_NOT_RUNNING' }) as Error,
    );
    expect(() => nearwire.shareListener('x' as unknown as net.Server)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
  });
});
