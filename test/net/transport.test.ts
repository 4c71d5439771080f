/** The switch between the transports. */
import { once } from 'node:events';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import * as nearwire from 'nearwire';
import * as nearwireHttp from 'nearwire/http';
import { childResult, runChild } from '../support/children.js';
import { cleanup, closeAtEnd, listen, pair, socketPath, temporaryDirectory } from '../support/sockets.js';
import { js, native, subjects } from '../support/subjects.js';

const hasNative = subjects.includes(native);

describe('the switch', () => {
  it('says what is in use, and why', () => {
    const status = nearwire.transportStatus();
    expect(status.requested).toBe(process.env['NEARWIRE_TRANSPORT'] ?? 'auto');
    if (hasNative) {
      expect(status.addon).toMatch(/\.node$/);
      expect(status.reason).toBeUndefined();
    } else {
      expect(status).toMatchObject({ transport: 'js', addon: undefined });
      expect(status.reason).toBeInstanceOf(Error);
    }
  });

  it.runIf(hasNative)('is told by every server and socket: native', async () => {
    const { client, peer, server } = await pair(native, 'unix');
    for (const object of [client, peer, server]) expect(object).toHaveProperty('transport', 'native');
    expect((client as nearwire.Socket).bufferSizes).toEqual({
      send: expect.any(Number) as number,
      recv: expect.any(Number) as number,
    });
    client.destroy();
    expect((client as nearwire.Socket).bufferSizes).toBeUndefined();
  });

  it('is told by every server and socket: js', async () => {
    const { client, peer, server } = await pair(js, 'unix');
    for (const object of [client, peer, server]) {
      expect(object).toHaveProperty('transport', 'js');
    }
    // By the addon, where it is there.
    for (const socket of [client, peer] as nearwire.Socket[]) {
      expect(socket.bufferSizes?.send).toEqual(hasNative ? expect.any(Number) : undefined);
    }
    expect(server).toHaveProperty('bufferSizes', undefined);
    expect(Object.getPrototypeOf(client)).toBe(net.Socket.prototype);
    expect(Object.getPrototypeOf(peer)).toBe(net.Socket.prototype);
  });

  it('is set by the environment', async () => {
    const say = `const { transportStatus } = await import(${JSON.stringify(new URL('../../dist/bundle/index.js', import.meta.url).href)});
      say([transportStatus().transport, createServer().transport, new Socket().transport]);`;
    expect(await runChild('js', say)).toMatchObject({ code: 0, said: [['js', 'js', 'js']] });
    if (hasNative)
      expect(await runChild('native', say)).toMatchObject({ code: 0, said: [['native', 'native', 'native']] });
  });

  it('refuses an unknown word in the environment at the first call', async () => {
    const result = await runChild(
      'quick' as 'js',
      `for (const call of [createServer, () => connect('/x'), () => new Socket()]) try { call(); } catch (error) { say(error.code); }
       say(createServer({ transport: 'js' }).transport);`,
    );
    expect(result).toMatchObject({
      code: 0,
      said: ['ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_VALUE', 'js'],
    });
  });

  it('falls back to js without the addon, and fails where native was asked for', async () => {
    process.env['NEARWIRE_ADDON'] = '/nonexistent/nearwire.node';
    try {
      const result = await runChild(
        'auto' as 'js',
        `const { transportStatus } = await import(${JSON.stringify(new URL('../../dist/bundle/index.js', import.meta.url).href)});
         const { transport, addon, reason } = transportStatus();
         say([transport, addon ?? null, reason.message.includes('/nonexistent/nearwire.node')]);
         say(createServer().transport);
         try { createServer({ transport: 'native' }); } catch (error) { say([error.code, error.cause === reason]); }`,
      );
      expect(result).toMatchObject({ code: 0, said: [['js', null, true], 'js', ['ERR_NEARWIRE_NO_ADDON', true]] });
    } finally {
      delete process.env['NEARWIRE_ADDON'];
    }
  });

  it.runIf(hasNative)('falls back to js where the addon may not share its memory', async () => {
    const addon = join(temporaryDirectory(), 'addon.cjs');
    const { addon: genuine } = nearwire.transportStatus();
    writeFileSync(
      addon,
      `module.exports = Object.create(require(${JSON.stringify(genuine)}), { lendsMemory: { value: false } });`,
    );
    process.env['NEARWIRE_ADDON'] = addon;
    try {
      const result = await runChild(
        'auto' as 'js',
        `const { transportStatus } = await import(${JSON.stringify(new URL('../../dist/bundle/index.js', import.meta.url).href)});
         const { transport, reason } = transportStatus();
         say([transport, reason.message.includes('Electron'), createServer().transport]);
         try { createServer({ transport: 'native' }); } catch (error) { say([error.code, error.cause === reason]); }`,
      );
      expect(result).toMatchObject({
        code: 0,
        said: [
          ['js', true, 'js'],
          ['ERR_NEARWIRE_NO_ADDON', true],
        ],
      });
    } finally {
      delete process.env['NEARWIRE_ADDON'];
    }
  });

  it.runIf(hasNative)('leaves to node what only node can do, and says so', async () => {
    const program = join(temporaryDirectory(), 'cluster.mjs');
    writeFileSync(
      program,
      `import cluster from 'node:cluster';
       // The primary knows nothing of nearwire, and passes connections.
       const { createServer, connect } = cluster.isPrimary ? {} : await import(${JSON.stringify(new URL('../../dist/bundle/index.js', import.meta.url).href)});
       if (cluster.isPrimary) {
         const worker = cluster.fork();
         worker.on('message', (said) => console.log(JSON.stringify(said)));
       } else {
         try { createServer({ transport: 'native' }).listen(0, '127.0.0.1').on('error', (error) => process.send(error.code)); }
         catch (error) { process.send(error.code); }
         const server = createServer((socket) => socket.end(socket.transport));
         server.listen(0, '127.0.0.1', () => {
           const client = connect(server.address().port, '127.0.0.1');
           client.on('data', (data) => {
             process.send([server.transport, client.transport, String(data)]);
             client.on('close', () => process.disconnect());
             server.close();
           });
         });
       }`,
    );
    const child = spawn(process.execPath, [program], { env: { ...process.env, NEARWIRE_TRANSPORT: '' } });
    expect(await childResult(child)).toMatchObject({
      code: 0,
      said: ['ERR_NEARWIRE_NOT_NATIVE', ['js', 'native', 'js']],
    });
    const file = openSync('/dev/null', 'r');
    cleanup(() => {
      closeSync(file);
    });
    expect(() => new nearwire.Socket({ transport: 'native', fd: file })).toThrow(
      expect.objectContaining({ code: 'ERR_NEARWIRE_NOT_NATIVE' }) as Error,
    );
  });

  it.runIf(hasNative)('applies and reads back buffer sizes', async () => {
    const server = nearwire.createServer({ transport: 'native', sendBufferSize: 100_000, recvBufferSize: 90_000 });
    const address = await listen(server, 'tcp');
    const accepted = once(server, 'connection');
    const client = nearwire.connect({ ...address, transport: 'native', sendBufferSize: 80_000 });
    const [peer] = (await accepted) as [nearwire.Socket];
    await once(client, 'connect');
    const factor = process.platform === 'linux' ? 2 : 1;
    expect(peer.bufferSizes).toEqual({ send: 100_000 * factor, recv: 90_000 * factor });
    expect(client.bufferSizes?.send).toBe(80_000 * factor);
    expect(server.bufferSizes).toEqual(peer.bufferSizes);
    client.destroy();
  });
});

describe('classes', () => {
  it.runIf(hasNative)('override all of net.Socket that rests on a handle of node', () => {
    const harmless = new Set(['constructor', 'pause', 'resume', 'read', '_handle', '_writeGeneric']);
    const socket = new nearwire.Socket({ transport: 'native' });
    const overridden = (name: string): boolean => {
      for (let at: object = socket; at !== net.Socket.prototype; at = Object.getPrototypeOf(at) as object) {
        if (Object.hasOwn(at, name)) return true;
      }
      return false;
    };
    const names = Object.getOwnPropertyNames(net.Socket.prototype).filter((name) => !harmless.has(name));
    expect(names.filter((name) => !overridden(name))).toEqual([]);
    socket.destroy();
  });

  it('Socket makes a socket of either transport, with and without new', () => {
    for (const socket of [new nearwire.Socket(), nearwire.Socket(), new nearwire.Socket({ transport: 'js' })]) {
      expect(socket).toBeInstanceOf(net.Socket);
      expect(socket).toBeInstanceOf(nearwire.Socket);
      socket.destroy();
    }
    expect(new nearwire.Socket({ transport: 'js' }).transport).toBe('js');
    expect({}).not.toBeInstanceOf(nearwire.Socket);
  });

  it('Socket can be a base class', async () => {
    class Counting extends nearwire.Socket {
      chunks = 0;
      override push(chunk: unknown, encoding?: BufferEncoding): boolean {
        if (chunk !== null) this.chunks++;
        return super.push(chunk, encoding);
      }
    }
    const server = nearwire.createServer((socket) => {
      socket.on('data', (chunk) => {
        socket.write(chunk);
        if (socket.bytesRead === 3) socket.end();
      });
    });
    const { path = '' } = await listen(server, 'unix');
    const socket = new Counting();
    expect(socket).toBeInstanceOf(Counting);
    expect(nearwire.connect({ path })).not.toBeInstanceOf(Counting);
    socket.connect(path);
    for (let i = 0; i < 3; i++) {
      socket.write('x');
      await once(socket, 'data');
    }
    socket.resume();
    await once(socket, 'close');
    expect(socket.chunks).toBe(3);
  });

  it('Server can be a base class', async () => {
    class Greeting extends nearwire.Server {
      readonly word = 'hello';
    }
    const server = new Greeting((socket) => socket.end(server.word));
    expect(server).toBeInstanceOf(net.Server);
    const address = await listen(server, 'unix');
    expect(String((await once(nearwire.connect(address as { path: string }), 'data'))[0])).toBe('hello');
  });

  it('attach takes http servers only, and more than once', () => {
    expect(() => nearwireHttp.attach({} as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
    const server = http.createServer();
    expect(nearwireHttp.attach(server, { transport: 'js' })).toBe(server);
    expect(nearwireHttp.attach(server)).toBe(server);
    expect(server).toHaveProperty('transport', 'js');
  });

  it('connect takes the forms of net.connect', async () => {
    const path = socketPath();
    const server = nearwire.createServer((socket) => socket.resume());
    closeAtEnd(server);
    server.listen(path);
    await once(server, 'listening');
    const tcp = nearwire.createServer((socket) => socket.resume());
    const { port = 0 } = await listen(tcp, 'tcp');
    const connected = (start: (done: () => void) => nearwire.Socket): Promise<void> =>
      new Promise((resolve) => {
        const socket = start(() => {
          resolve();
          socket.destroy();
        });
      });
    await connected((done) => nearwire.connect(path, done));
    await connected((done) => nearwire.connect({ path }, done));
    await connected((done) => nearwire.createConnection(path, done));
    await connected((done) => nearwire.connect(port, done));
    await connected((done) => nearwire.connect(port, '127.0.0.1', done));
    await connected((done) => nearwire.connect({ port: String(port), host: '127.0.0.1' }, done));
  });
});
