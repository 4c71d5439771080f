/** `inspect`: bytes that stand in the kernel, the other end, counters. */
import { openSync, closeSync } from 'node:fs';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Channel, ChannelServer } from 'nearwire/channel';
import { inspect } from 'nearwire/tune';
import { hasDiagnosis } from '../support/listeners.js';
import { cleanup, listen, nextTurn, pair, socketPath } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';

describe.skipIf(!hasDiagnosis)('inspect', () => {
  describe.each(subjects)('$name', (subject) => {
    it('tells the bytes that stand in each direction over UNIX, and who the peer is', async () => {
      const { client, peer, address } = await pair(subject, 'unix', { server: { pauseOnConnect: true } });
      client.write(Buffer.alloc(5000));
      client.write(Buffer.alloc(2000));
      await nextTurn();
      const own = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
      const there = inspect(client);
      expect(there).toMatchObject({
        family: 'unix',
        state: 'connected',
        unread: 0,
        unsent: 7000,
        local: {},
        peer: { path: address.path, ...own },
        queue: undefined,
        counters: { bytesRead: 0, bytesWritten: 7000, waitingToBeWritten: 0 },
        tcp: undefined,
      });
      expect(there.sendMemory).toBeGreaterThan(7000);
      expect(there.sendMemory).toBeLessThan(there.sendBufferSize);
      expect(inspect(peer)).toMatchObject({ unread: 7000, unsent: 0, local: { path: address.path }, peer: own });
      const arrived = once(peer, 'data');
      peer.resume();
      await arrived;
      while (peer.bytesRead < 7000) await nextTurn();
      expect(inspect(client)).toMatchObject({ unsent: 0, sendMemory: 0 });
    });

    it('tells the figures of TCP', async () => {
      const { client, peer } = await pair(subject, 'tcp', { server: { pauseOnConnect: true } });
      client.write(Buffer.alloc(3000));
      while (inspect(peer).unread !== 3000 || inspect(client).unsent !== 0) await nextTurn();
      const { tcp, local, peer: other, family } = inspect(client);
      expect(family).toBe('tcp');
      expect(tcp).toMatchObject({ state: 'ESTABLISHED', retransmits: 0, bytesReceived: 0, notSent: 0 });
      expect(tcp?.bytesAcked).toBeGreaterThanOrEqual(3000);
      expect(tcp?.rttMicroseconds).toBeGreaterThan(0);
      expect(local).toEqual(inspect(peer).peer);
      expect(other).toEqual(inspect(peer).local);
      expect(other).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
      client.end();
      while (inspect(peer).tcp?.state !== 'CLOSE-WAIT') await nextTurn();
    });

    it('tells the queue of a listener', async () => {
      const server = subject.createServer();
      const address = await listen(server, 'unix');
      expect(inspect(server)).toMatchObject({
        state: 'listening',
        unread: undefined,
        unsent: undefined,
        peer: undefined,
        local: { path: address.path },
        queue: { queued: 0, backlog: 511, highWater: 0 },
        counters: {},
      });
    });

    it('has nothing to tell of a socket that is not connected, or no more', async () => {
      const code = 'ERR_NEARWIRE_NOT_OPEN';
      expect(() => inspect(subject.socket())).toThrow(expect.objectContaining({ code }));
      const { client } = await pair(subject, 'unix');
      client.destroy();
      await once(client, 'close');
      expect(() => inspect(client)).toThrow(expect.objectContaining({ code }));
    });
  });

  it.each(['native', 'js'] as const)('tells of a channel on %s', async (transport) => {
    const path = socketPath();
    const seen = await new Promise<ReturnType<typeof inspect>>((resolve, reject) => {
      const server = ChannelServer.listen(
        { path, transport },
        {
          onConnection(channel) {
            channel.pause();
          },
          onError: (_, error) => {
            reject(error);
          },
          onListening() {
            const client = Channel.connect(
              { path, transport },
              {
                onConnect(channel) {
                  channel.write('x'.repeat(100));
                  channel.flush();
                  setImmediate(() => {
                    resolve(inspect(client));
                  });
                },
              },
            );
            cleanup(() => {
              client.destroy();
              server.close();
            });
          },
        },
      );
    });
    expect(seen).toMatchObject({ family: 'unix', state: 'connected', counters: { bytesWritten: 100, bytesRead: 0 } });
  });

  it('takes a descriptor, and refuses what is no stream socket', () => {
    const file = openSync('/dev/null', 'r');
    cleanup(() => {
      closeSync(file);
    });
    expect(() => inspect(file)).toThrow(expect.objectContaining({ code: 'ENOTSOCK', syscall: 'getsockopt' }));
    expect(() => inspect(99_999)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => inspect(-1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => inspect({} as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });
});
