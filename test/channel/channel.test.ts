/** The channel API, the same on both transports. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  Channel,
  ChannelServer,
  type ChannelServerHandlers,
  type ConnectTarget,
  type ListenTarget,
} from 'nearwire/channel';
import { cleanup, socketPath } from '../support/sockets.js';
import { hasAbstractNames } from '../support/subjects.js';

const transports = ['native', 'js'] as const;

interface Opened {
  server: ChannelServer;
  target: ConnectTarget;
}

/** Listens and resolves once it does. */
function listening(target: ListenTarget, handlers: ChannelServerHandlers): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const server = ChannelServer.listen(target, {
      ...handlers,
      onListening(self) {
        const address = self.address();
        if (address === null) throw new Error('a listening server has an address');
        const { transport } = target;
        resolve({
          server: self,
          target:
            typeof address === 'string'
              ? { path: address, transport }
              : { host: address.address, port: address.port, transport },
        });
      },
      onServerError(_server, error) {
        reject(error);
      },
    });
    cleanup(() => {
      server.close();
    });
  });
}

const echo: ChannelServerHandlers = {
  onData(channel, data, start, end) {
    channel.write(data, start, end);
  },
};

/** Everything that comes back until the peer ends. */
function exchange(target: ConnectTarget, send: (channel: Channel) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    Channel.connect(target, {
      onConnect: send,
      onData(_channel, data, start, end) {
        parts.push(Buffer.from(data.subarray(start, end)));
      },
      onEnd(channel) {
        channel.end();
      },
      onError(_channel, error) {
        reject(error);
      },
      onClose() {
        resolve(Buffer.concat(parts));
      },
    });
  });
}

describe.each(transports)('channel on %s', (transport) => {
  const targets: [string, () => ListenTarget][] = [
    ['a path', () => ({ path: socketPath(), transport })],
    ['IPv4', () => ({ host: '127.0.0.1', port: 0, transport })],
    ['IPv6', () => ({ host: '::1', port: 0, transport })],
  ];
  if (hasAbstractNames(transport)) {
    targets.push(['an abstract name', () => ({ path: `\0nearwire-${String(process.pid)}-${transport}`, transport })]);
  }

  it.each(targets)('carries bytes there and back over %s', async (_name, target) => {
    const { server, target: there } = await listening(target(), echo);
    expect(server.transport).toBe(transport);
    const answer = await exchange(there, (channel) => {
      expect(channel.transport).toBe(transport);
      channel.write('grüße ');
      channel.write(Buffer.from('xxfrom hereyy'), 2, 11);
      channel.writev(['!', Buffer.from('?'), '']);
      channel.end();
    });
    expect(answer.toString()).toBe('grüße from here!?');
  });

  it('keeps order and bytes through full buffers, whatever the sizes of writes', async () => {
    const hash = createHash('sha256');
    let received = 0;
    const done = new Promise<string>((resolve) => {
      void listening(
        { path: socketPath(), transport },
        {
          onData(channel, data, start, end) {
            hash.update(data.subarray(start, end));
            received += end - start;
            // A reader that stops now and then makes the writer meet a full kernel.
            channel.pause();
            setImmediate(() => {
              channel.resume();
            });
          },
          onEnd(channel) {
            channel.end();
            resolve(hash.digest('hex'));
          },
        },
      ).then(({ target }) => {
        const expected = createHash('sha256');
        const sizes = [1, 64, 4096, 8192, 8193, 100_000, 3, 1_000_000, 20];
        let written = 0;
        let waited = 0;
        const more = (channel: Channel): void => {
          while (written < 30_000_000) {
            const size = sizes[written % sizes.length] ?? 1;
            const part = Buffer.alloc(size, written);
            expected.update(part);
            written += size;
            if (!channel.write(part)) {
              waited++;
              return;
            }
          }
          channel.end();
          expectedDigest = expected.digest('hex');
          expectedBytes = written;
          waits = waited;
        };
        Channel.connect(target, { onConnect: more, onDrain: more });
      });
    });
    let expectedDigest = '';
    let expectedBytes = 0;
    let waits = 0;
    expect(await done).toBe(expectedDigest);
    expect(received).toBe(expectedBytes);
    expect(waits).toBeGreaterThan(0);
  });

  it('can go on reading after its own end', async () => {
    const { target } = await listening(
      { path: socketPath(), transport },
      {
        onEnd(channel) {
          channel.write('after your end');
          channel.end();
        },
      },
    );
    const answer = await exchange(target, (channel) => {
      channel.end();
      expect(() => channel.write('x')).toThrow(expect.objectContaining({ code: 'ERR_STREAM_WRITE_AFTER_END' }));
    });
    expect(answer.toString()).toBe('after your end');
  });

  it('ends with its peer where there is no onEnd', async () => {
    const closed = new Promise<boolean>((resolve) => {
      void listening(
        { path: socketPath(), transport },
        {
          onClose(_channel, hadError) {
            resolve(hadError);
          },
        },
      ).then(({ target }) => {
        Channel.connect(target, {
          onConnect(channel) {
            channel.end();
          },
        });
      });
    });
    expect(await closed).toBe(false);
  });

  it('hands over what was written before destroy()', async () => {
    const got = new Promise<string>((resolve) => {
      let text = '';
      void listening(
        { path: socketPath(), transport },
        {
          onData(_channel, data, start, end) {
            text += data.toString('latin1', start, end);
          },
          onClose() {
            resolve(text);
          },
        },
      ).then(({ target }) => {
        Channel.connect(target, {
          onConnect(channel) {
            channel.write('last words');
            channel.destroy();
            expect(channel.write('too late')).toBe(false);
          },
        });
      });
    });
    expect(await got).toBe('last words');
  });

  it.each(['onConnection', 'onData', 'onEnd'] as const)('may be destroyed in %s', async (name) => {
    const closed = new Promise<string[]>((resolve) => {
      const calls: string[] = [];
      void listening(
        { path: socketPath(), transport },
        {
          [name](channel: Channel) {
            calls.push(name);
            channel.destroy();
            channel.destroy();
          },
          onClose() {
            calls.push('onClose');
            resolve(calls);
          },
          onError() {
            calls.push('onError');
          },
        },
      ).then(({ target }) => {
        Channel.connect(target, {
          onConnect(channel) {
            channel.write('data');
            channel.end();
          },
          onError() {
            // The server may be gone before our data is read: that resets the connection.
          },
        });
      });
    });
    expect(await closed).toEqual([name, 'onClose']);
  });

  it('tells of a failed connect late, with node’s fields', async () => {
    const path = socketPath('nobody.sock');
    let inside = true;
    const [error, hadError] = await new Promise<[NodeJS.ErrnoException, boolean]>((resolve) => {
      let seen: NodeJS.ErrnoException;
      Channel.connect(
        { path, transport },
        {
          onError(_channel, failure) {
            expect(inside).toBe(false);
            seen = failure;
          },
          onClose(_channel, failed) {
            resolve([seen, failed]);
          },
        },
      );
      inside = false;
    });
    expect(hadError).toBe(true);
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'connect', errno: -2, address: path });
    expect(error.message).toBe(`connect ENOENT ${path}`);
  });

  it('tells of a busy address and of a missing directory', async () => {
    const path = socketPath();
    await listening({ path, transport }, {});
    await expect(listening({ path, transport }, {})).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'listen' });
    await expect(listening({ path: '/nowhere/at/all.sock', transport }, {})).rejects.toMatchObject({ code: 'EACCES' });
  });

  it('counts bytes, and on native its system calls', async () => {
    const { target } = await listening({ path: socketPath(), transport }, echo);
    const counters = await new Promise<Channel['counters']>((resolve) => {
      Channel.connect(target, {
        onConnect(channel) {
          for (let i = 0; i < 100; i++) channel.write('0123456789');
        },
        onData(channel) {
          const { counters: now } = channel;
          if (now.bytesRead < 1000) return;
          resolve(now);
          channel.destroy();
        },
      });
    });
    expect(counters).toMatchObject({ bytesRead: 1000, bytesWritten: 1000 });
    if (transport !== 'native') return;
    // The hundred writes were made in one turn: they leave together, the first one perhaps before the others.
    expect(counters.partialSends).toBe(0);
    expect([1, 2]).toContain(counters.sends);
  });

  it.each<[string, unknown, string]>([
    ['no target', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['an empty target', {}, 'ERR_MISSING_ARGS'],
    ['an empty path', { path: '' }, 'ERR_INVALID_ARG_VALUE'],
    ['a path that is no string', { path: 7 }, 'ERR_INVALID_ARG_TYPE'],
    ['a path and a port', { path: '/a', port: 1 }, 'ERR_INVALID_ARG_VALUE'],
    ['a port out of range', { port: 65536 }, 'ERR_SOCKET_BAD_PORT'],
    ['a port that is no number', { port: '80' }, 'ERR_SOCKET_BAD_PORT'],
    ['a host name', { port: 80, host: 'localhost' }, 'ERR_INVALID_IP_ADDRESS'],
    ['an unknown transport', { path: '/a', transport: 'fast' }, 'ERR_INVALID_ARG_VALUE'],
    ['a buffer size that is no number', { path: '/a', sendBufferSize: '1k' }, 'ERR_INVALID_ARG_TYPE'],
    ['a buffer size out of range', { path: '/a', recvBufferSize: -1 }, 'ERR_OUT_OF_RANGE'],
  ])('throws at the call for %s', (_name, target, code) => {
    const with_ = target !== null && typeof target === 'object' ? { transport, ...target } : target;
    expect(() => Channel.connect(with_ as ConnectTarget, {})).toThrow(expect.objectContaining({ code }));
    expect(() => ChannelServer.listen(with_ as ListenTarget, {})).toThrow(expect.objectContaining({ code }));
  });

  it('throws at the call for handlers, data and ranges that make no sense', async () => {
    expect(() => Channel.connect({ path: '/a', transport }, { onData: 1 } as never)).toThrow(/handlers.onData/);
    expect(() => ChannelServer.listen({ path: '/a', transport, backlog: 1.5 }, {})).toThrow(/backlog/);
    const { target } = await listening({ path: socketPath(), transport }, {});
    await exchange(target, (channel) => {
      for (const data of [undefined, null, 1, {}, [1], new Uint16Array(1)]) {
        expect(() => channel.write(data as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
      }
      for (const [start, end] of [[-1], [4], [2, 1], [0, 4], [0.5]]) {
        const write = (): unknown => channel.write(Buffer.from('abc'), start, end);
        expect(write).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
      }
      channel.end();
    });
  });

  it.each([
    ['overlong', `/tmp/${'x'.repeat(200)}`],
    ['with a NUL inside', '/tmp/a\0b'],
  ])('survives a path %s', async (_name, path) => {
    const failure = await new Promise<unknown>((resolve) => {
      try {
        Channel.connect(
          { path, transport },
          {
            onError(_channel, error) {
              resolve(error);
            },
          },
        );
      } catch (error) {
        resolve(error);
      }
    });
    expect(failure).toBeInstanceOf(Error);
  });
});

describe('channel on native', () => {
  it.runIf(!hasAbstractNames('native'))('refuses abstract names where the platform has none', async () => {
    const refused = listening({ path: '\0nearwire-refused', transport: 'native' }, {});
    await expect(refused).rejects.toMatchObject({ code: 'EINVAL', syscall: 'listen' });
  });

  it('reads back the buffer sizes that were asked for', async () => {
    const asked = 128 * 1024;
    const sizes = await new Promise<unknown>((resolve) => {
      void listening(
        { path: socketPath(), transport: 'native', sendBufferSize: asked },
        {
          onConnection(channel) {
            resolve(channel.bufferSizes);
            channel.destroy();
          },
        },
      ).then(({ target }) => Channel.connect(target, {}));
    });
    // Linux doubles what is asked for, to have room for its own bookkeeping.
    expect(sizes).toMatchObject({ send: process.platform === 'linux' ? asked * 2 : asked });
  });

  it('waits for room in a full backlog instead of failing', async () => {
    const connections = 2000;
    const { target } = await listening({ path: socketPath(), transport: 'native' }, { ...echo });
    let failed = 0;
    await new Promise<void>((resolve) => {
      let closed = 0;
      for (let i = 0; i < connections; i++) {
        Channel.connect(target, {
          onConnect(channel) {
            channel.write('x');
          },
          onData(channel) {
            channel.destroy();
          },
          onError() {
            failed++;
          },
          onClose() {
            if (++closed === connections) resolve();
          },
        });
      }
    });
    expect(failed).toBe(0);
  });

  it('sends a lone write at once, what follows in its tick by the end of it, and at once by flush()', async () => {
    const { target } = await listening({ path: socketPath(), transport: 'native' }, {});
    const sends = await new Promise<number[]>((resolve) => {
      Channel.connect(target, {
        onConnect(channel) {
          const counts: number[] = [];
          setImmediate(() => {
            const before = channel.counters.sends;
            channel.write('a');
            counts.push(channel.counters.sends - before);
            channel.write('b');
            counts.push(channel.counters.sends - before);
            channel.flush();
            counts.push(channel.counters.sends - before);
            channel.write('c');
            process.nextTick(() => {
              setImmediate(() => {
                counts.push(channel.counters.sends - before);
                channel.destroy();
                resolve(counts);
              });
            });
          });
        },
      });
    });
    expect(sends).toEqual([1, 1, 2, 3]);
  });
});
