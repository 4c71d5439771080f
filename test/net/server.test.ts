import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import type { AddressInfo, DropArgument, ListenOptions, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  cleanup,
  closeAtEnd,
  closed,
  connectionsOf,
  listen,
  nextTurn,
  pair,
  socketPath,
  temporaryDirectory,
} from '../support/sockets.js';
import { everyWay, hasIPv6, reference, subjects, type Subject } from '../support/subjects.js';

describe.each(everyWay)('a server: $name over $family', ({ subject, family }) => {
  it('counts connections, and closes when the last is gone', async () => {
    const { client, peer, server } = await pair(subject, family);
    client.resume();
    expect(await connectionsOf(server)).toBe(1);
    expect((peer as Socket & { server: unknown }).server).toBe(server);
    let done = false;
    server.close(() => (done = true));
    expect(server.listening).toBe(false);
    await nextTurn();
    expect(done).toBe(false);
    peer.destroy();
    await once(server, 'close');
    expect(await connectionsOf(server)).toBe(0);
  });

  it('takes no one once closed, and can listen again', async () => {
    const server = subject.createServer({}, (socket) => socket.end('x'));
    for (let i = 0; i < 3; i++) {
      const address = await listen(server, family);
      const client = subject.connect(address);
      client.resume();
      await closed(client);
      server.close();
      await once(server, 'close');
      const refused = subject.connect(address);
      const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toMatch(/ENOENT|ECONNREFUSED/);
    }
  });

  it('accepts many that come at once', async () => {
    let accepted = 0;
    const server = subject.createServer({}, (socket) => {
      accepted++;
      socket.pipe(socket);
    });
    const address = await listen(server, family);
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const client = subject.connect(address);
        client.end(String(i));
        const [data] = (await once(client, 'data')) as [Buffer];
        return data.toString();
      }),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
    expect(accepted).toBe(200);
  });

  it('lets in maxConnections, and tells of those it drops', async () => {
    const server = subject.createServer();
    server.maxConnections = 2;
    const address = await listen(server, family);
    const dropped: unknown[] = [];
    server.on('drop', (data?: DropArgument) => dropped.push(data));
    const clients = Array.from({ length: 4 }, () => subject.connect(address));
    cleanup(() => {
      for (const client of clients) client.destroy();
    });
    for (const client of clients) {
      client.on('error', () => undefined);
      client.resume();
    }
    while (dropped.length < 2) await nextTurn();
    if (family === 'unix') expect(dropped).toEqual([undefined, undefined]);
    else {
      expect(dropped[0]).toMatchObject({
        localAddress: '127.0.0.1',
        localPort: address.port,
        localFamily: 'IPv4',
        remoteFamily: 'IPv4',
      });
    }
  });

  it('pauses on connect when asked to', async () => {
    const { client, peer } = await pair(subject, family, { server: { pauseOnConnect: true } });
    client.write('x');
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(peer.isPaused()).toBe(true);
    expect(peer.bytesRead).toBe(0);
    peer.resume();
    await once(peer, 'data');
  });

  it('gives every name of an end', async () => {
    const { client, peer, server } = await pair(subject, family);
    const names = (socket: Socket): unknown[] => [
      socket.localAddress,
      socket.localFamily,
      socket.remoteAddress,
      socket.remoteFamily,
      socket.address(),
    ];
    if (family === 'unix') {
      expect(names(client)).toEqual([undefined, undefined, undefined, undefined, {}]);
      expect(names(peer)).toEqual(names(client));
      return;
    }
    const { port } = server.address() as AddressInfo;
    expect(client.remotePort).toBe(port);
    expect(peer.localPort).toBe(port);
    expect(peer.remotePort).toBe(client.localPort);
    expect(names(client).slice(0, 4)).toEqual(['127.0.0.1', 'IPv4', '127.0.0.1', 'IPv4']);
    expect(peer.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port });
    // What has been asked for once is still known after the end; the rest is not.
    client.destroy();
    expect([client.remotePort, client.localPort]).toEqual([port, undefined]);
  });

  it('takes the socket settings of node', async () => {
    const { client, peer } = await pair(subject, family, {
      server: { noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 },
    });
    for (const socket of [client, peer]) {
      expect(socket.setNoDelay()).toBe(socket);
      expect(socket.setNoDelay(false)).toBe(socket);
      expect(socket.setKeepAlive(true, 1000)).toBe(socket);
      expect(socket.setKeepAlive()).toBe(socket);
      expect(socket.ref()).toBe(socket);
      expect(socket.unref()).toBe(socket);
    }
  });

  it('closes by its async disposal', async () => {
    const server = subject.createServer();
    await listen(server, family);
    await (server as unknown as AsyncDisposable)[Symbol.asyncDispose]();
    expect(server.listening).toBe(false);
  });
});

describe.each(subjects)('listening: $name', (subject) => {
  it('on every form of arguments', async () => {
    const started: unknown[] = [];
    const open = async (
      start: (server: ReturnType<typeof subject.createServer>, done: () => void) => void,
    ): Promise<unknown> => {
      const server = subject.createServer();
      closeAtEnd(server);
      await new Promise<void>((resolve) => {
        start(server, () => {
          started.push(server);
          resolve();
        });
      });
      return server.address();
    };
    const path = socketPath();
    const everywhere = hasIPv6 ? { address: '::', family: 'IPv6' } : { address: '0.0.0.0', family: 'IPv4' };
    const loopback = hasIPv6 ? '::1' : '127.0.0.1';
    expect(await open((server, done) => server.listen(done))).toMatchObject(everywhere);
    expect(await open((server, done) => server.listen(0, done))).toMatchObject(everywhere);
    expect(await open((server, done) => server.listen(0, '127.0.0.1', done))).toMatchObject({
      address: '127.0.0.1',
      family: 'IPv4',
    });
    expect(await open((server, done) => server.listen(0, '127.0.0.1', 5, done))).toMatchObject({
      address: '127.0.0.1',
    });
    expect(await open((server, done) => server.listen({ port: 0, host: loopback }, done))).toMatchObject({
      address: loopback,
    });
    expect(await open((server, done) => server.listen({ port: 0, host: 'localhost' }, done))).toMatchObject({
      port: expect.any(Number) as number,
    });
    expect(await open((server, done) => server.listen(path, done))).toBe(path);
    expect(await open((server, done) => server.listen({ path: `${path}2`, backlog: 3 }, done))).toBe(`${path}2`);
    expect(started).toHaveLength(8);
  });

  it.runIf(hasIPv6)('on all addresses answers over both families', async () => {
    const server = subject.createServer({}, (socket) => socket.end(String(socket.remoteFamily)));
    closeAtEnd(server);
    server.listen(0);
    await once(server, 'listening');
    const { port } = addressOf(server);
    for (const host of ['127.0.0.1', '::1']) {
      const client = subject.connect({ port, host });
      const [data] = (await once(client, 'data')) as [Buffer];
      expect(data.toString()).toBe('IPv6');
    }
  });

  it.runIf(hasIPv6)('on IPv6 only, when asked to', async () => {
    const server = subject.createServer();
    closeAtEnd(server);
    server.listen({ port: 0, host: '::', ipv6Only: true });
    await once(server, 'listening');
    let accepted = 0;
    server.on('connection', () => accepted++);
    const client = subject.connect({ port: addressOf(server).port, host: '127.0.0.1' });
    cleanup(() => client.destroy());
    // Another program may have that port of IPv4.
    const code = await new Promise((resolve) => {
      client.on('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code);
      });
      client.on('connect', () => {
        resolve('connected');
      });
    });
    // In which one that has been accepted is told.
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(['ECONNREFUSED', 'connected']).toContain(code);
    expect(accepted).toBe(0);
  });

  it('gives a socket file the rights asked for', async () => {
    const before = process.umask(0o077);
    cleanup(() => process.umask(before));
    const modeOf = async (by: Subject, rights: ListenOptions): Promise<number> => {
      const server = by.createServer();
      const path = socketPath();
      closeAtEnd(server);
      server.listen({ path, ...rights });
      await once(server, 'listening');
      return statSync(path).mode & 0o777;
    };
    for (const rights of [{}, { readableAll: true }, { writableAll: true }, { readableAll: true, writableAll: true }]) {
      const mode = await modeOf(subject, rights);
      // Older libuvs add to the umask's mode, newer ones set it.
      expect(mode).toBe(await modeOf(reference, rights));
      expect([(mode & 0o044) === 0o044, (mode & 0o022) === 0o022]).toEqual([
        'readableAll' in rights,
        'writableAll' in rights,
      ]);
    }
  });

  it('by a relative path leaves nothing behind, wherever the process has gone since', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'sub'));
    // vitest's workers are processes, which may change directory.
    const before = process.cwd();
    cleanup(() => {
      process.chdir(before);
    });
    process.chdir(directory);
    const server = subject.createServer();
    closeAtEnd(server);
    server.listen('relative.sock');
    await once(server, 'listening');
    expect(statSync(join(directory, 'relative.sock')).isSocket()).toBe(true);
    const client = subject.connect({ path: 'relative.sock' });
    await once(client, 'connect');
    client.destroy();
  });

  it('finds names', async () => {
    const server = subject.createServer({}, (socket) => socket.end('x'));
    closeAtEnd(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = addressOf(server);
    const seen: unknown[] = [];
    const client = subject.connect({
      port,
      host: 'some.name',
      lookup: (host, options, callback) => {
        seen.push(host);
        const all = [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ];
        process.nextTick(() => {
          if (options.all) callback(null, all);
          else callback(null, '127.0.0.1', 4);
        });
      },
    });
    const attempts: unknown[] = [];
    client.on('lookup', (error: unknown, ip: string, family: number, host: string) =>
      seen.push([error, ip, family, host]),
    );
    client.on('connectionAttempt', (ip: string, _port: number, family: number) => attempts.push([ip, family]));
    client.on('connectionAttemptFailed', (ip: string) => attempts.push(`failed ${ip}`));
    await once(client, 'data');
    expect(seen).toEqual(['some.name', [null, '::1', 6, 'some.name'], [null, '127.0.0.1', 4, 'some.name']]);
    expect(attempts).toEqual([['::1', 6], 'failed ::1', ['127.0.0.1', 4]]);
    expect(client.autoSelectFamilyAttemptedAddresses).toEqual([`::1:${String(port)}`, `127.0.0.1:${String(port)}`]);
  });

  it('connects from the local end asked for', async () => {
    const server = subject.createServer();
    closeAtEnd(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = addressOf(server);
    const first = subject.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    await once(first, 'connect');
    expect(first.localAddress).toBe('127.0.0.2');
    const busy = subject.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2', localPort: first.localPort });
    const [error] = (await once(busy, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/EADDRINUSE|EADDRNOTAVAIL/);
    first.destroy();
  });
});
