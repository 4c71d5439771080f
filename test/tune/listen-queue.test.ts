/** `listenQueue`: what it says is what `ss` says, for our own listeners and for those of other processes. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChannelServer } from 'nearwire/channel';
import { inspect, listenQueue } from 'nearwire/tune';
import {
  connectMany,
  depthsBySs,
  hasDiagnosis,
  otherServer,
  proceed,
  startProgram,
  stop,
} from '../support/listeners.js';
import { requireOrSkip } from '../support/requirements.js';
import {
  cleanup,
  closeAtEnd,
  connectionsOf,
  listen,
  nextTurn,
  socketPath,
  temporaryDirectory,
} from '../support/sockets.js';
import { hasIPv6, native, subjects } from '../support/subjects.js';

const ss = requireOrSkip('ss');

const SYSTEM_LIMIT = existsSync('/proc/sys/net/core/somaxconn')
  ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))
  : 0;

describe.skipIf(!hasDiagnosis)('the queue of a server of this process', () => {
  describe.each(subjects)('$name', (subject) => {
    it.each(['unix', 'tcp'] as const)('over %s, by the server and by its address', async (family) => {
      const server = subject.createServer();
      const address = await listen(server, family);
      const none = { queued: 0, backlog: 511, highWater: 0 };
      expect(listenQueue(server)).toEqual(none);
      const { path, port } = address;
      expect(listenQueue(path ?? { port: port ?? 0 })).toEqual(none);
    });

    it('is none before it listens and after it is closed', async () => {
      const server = subject.createServer();
      const code = 'ERR_NEARWIRE_NOT_OPEN';
      expect(() => listenQueue(server)).toThrow(expect.objectContaining({ code }));
      await listen(server, 'unix');
      await new Promise((resolve) => server.close(resolve));
      expect(() => listenQueue(server)).toThrow(expect.objectContaining({ code }));
    });

    it('has the backlog that the system made of what was asked for', async () => {
      const server = subject.createServer();
      closeAtEnd(server);
      server.listen({ path: socketPath(), backlog: SYSTEM_LIMIT + 1000 });
      await once(server, 'listening');
      expect(listenQueue(server).backlog).toBe(SYSTEM_LIMIT);
    });
  });

  it('has had as many as its server found there, though nobody looked meanwhile', async () => {
    const server = native.createServer();
    const address = await listen(server, 'unix');
    const clients = Array.from({ length: 20 }, () => native.connect(address));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    while ((await connectionsOf(server)) < 20) await nextTurn();
    const { highWater } = listenQueue(server);
    expect(highWater).toBeGreaterThan(1);
    expect(inspect(server).queue).toEqual({ queued: 0, backlog: 511, highWater });
    for (const client of clients) client.destroy();
  });

  it.each(['native', 'js'] as const)('is told of a channel server on %s', async (transport) => {
    const path = socketPath();
    await new Promise<void>((resolve) => {
      const server = ChannelServer.listen(
        { path, backlog: 5, transport },
        {
          onListening() {
            expect(listenQueue(server)).toEqual({ queued: 0, backlog: 5, highWater: 0 });
            server.close();
            resolve();
          },
        },
      );
    });
  });
});

describe.skipIf(!hasDiagnosis || ss === undefined)('the queue of a stopped server of another process', () => {
  it('is what ss shows, from the first connection to a full queue', async () => {
    const path = socketPath();
    const server = await otherServer({ path, backlog: 6 });
    await stop(server);
    for (const queued of [1, 2, 3, 4, 5, 6, 7]) {
      await connectMany({ path }, 1);
      expect(listenQueue(path)).toEqual({ queued, backlog: 6, highWater: queued });
      expect(depthsBySs('-xlnH', path)).toEqual([{ queued, backlog: 6 }]);
    }
    // One more than the backlog is in: there is no room.
    await expect(connectMany({ path }, 1)).rejects.toThrow('EAGAIN');
    proceed(server);
    while (listenQueue(path).queued > 0) await nextTurn();
    expect(listenQueue(path)).toEqual({ queued: 0, backlog: 6, highWater: 7 });
  });

  it('is the same with 300 other listeners about, and thousands waiting', async () => {
    const directory = temporaryDirectory();
    const [path, others] = [join(directory, 'full.sock'), 300];
    const crowd = startProgram([
      process.execPath,
      '-e',
      `for (let i = 0; i < ${String(others)}; i++) require('node:net').createServer().listen(${JSON.stringify(directory)} + '/' + i)
      process.nextTick(() => console.log('true'))`,
    ]);
    const [server] = await Promise.all([
      otherServer({ path, backlog: 2000 }),
      once(crowd.stdout ?? process.stdin, 'data'),
    ]);
    await stop(server);
    await connectMany({ path }, 1500);
    expect(listenQueue(path)).toMatchObject({ queued: 1500, backlog: Math.min(2000, SYSTEM_LIMIT) });
    expect(depthsBySs('-xlnH', path)).toEqual([{ queued: 1500, backlog: Math.min(2000, SYSTEM_LIMIT) }]);
  });

  it('is found by an abstract name', async () => {
    const name = `nearwire-${String(process.pid)}`;
    const server = await otherServer({ path: `\0${name}`, backlog: 9 });
    await stop(server);
    await connectMany({ path: `\0${name}` }, 4);
    expect(listenQueue(`\0${name}`)).toMatchObject({ queued: 4, backlog: 9 });
    expect(depthsBySs('-xlnH', `@${name}`)).toEqual([{ queued: 4, backlog: 9 }]);
  });

  it('is that of a TCP port, by the address that a connection would reach', async () => {
    const everywhere = await otherServer({ host: '0.0.0.0', port: 0, backlog: 8 });
    const port = await portOf(everywhere);
    await stop(everywhere);
    await connectMany({ host: '127.0.0.1', port }, 5);
    for (const host of [undefined, '127.0.0.1', '127.9.9.9', '0.0.0.0']) {
      expect(listenQueue({ port, host })).toEqual({ queued: 5, backlog: 8, highWater: 5 });
    }
    expect(depthsBySs('-tlnH', `0.0.0.0:${String(port)}`)).toEqual([{ queued: 5, backlog: 8 }]);
    if (hasIPv6) expect(() => listenQueue({ port, host: '::1' })).toThrow('No process listens');
  });

  it('is that of the fullest of those that share a port', async () => {
    const near = await otherServer({ host: '127.0.0.1', port: 0, backlog: 3 });
    const port = await portOf(near);
    const far = await otherServer({ host: '127.0.0.2', port, backlog: 20 });
    await Promise.all([stop(near), stop(far)]);
    await connectMany({ host: '127.0.0.1', port }, 2);
    await connectMany({ host: '127.0.0.2', port }, 7);
    expect(listenQueue({ port, host: '127.0.0.2' })).toMatchObject({ queued: 7, backlog: 20 });
    // Two of three are nearer to the limit than seven of twenty.
    expect(listenQueue({ port })).toMatchObject({ queued: 2, backlog: 3 });
  });
});

async function portOf({ pid }: { pid?: number | undefined }): Promise<number> {
  const { execFileSync } = await import('node:child_process');
  const line = execFileSync('ss', ['-tlnpH'], { encoding: 'utf8' })
    .split('\n')
    .find((text) => text.includes(`pid=${String(pid)},`));
  return Number(/:(\d+)\s/.exec(line ?? '')?.[1]);
}

describe.skipIf(!hasDiagnosis)('a path is taken for the file it leads to', () => {
  it('whatever name the listener was bound by', async () => {
    const directory = temporaryDirectory();
    await otherServer({ path: 'rel.sock', backlog: 21 }, { cwd: directory });
    const path = join(directory, 'rel.sock');
    const link = join(directory, 'link.sock');
    symlinkSync('rel.sock', link);
    mkdirSync(join(directory, 'deep'));
    for (const name of [path, link, join(directory, 'deep', '..', 'rel.sock')].concat(
      `${directory}/deep/../rel.sock`,
      `${directory}//rel.sock`,
    )) {
      expect(listenQueue(name)).toMatchObject({ backlog: 21 });
    }
    const before = process.cwd();
    cleanup(() => {
      process.chdir(before);
    });
    process.chdir(directory);
    expect(listenQueue('rel.sock')).toMatchObject({ backlog: 21 });
    expect(listenQueue('./link.sock')).toMatchObject({ backlog: 21 });
    renameSync(path, join(directory, 'moved.sock'));
    expect(listenQueue(join(directory, 'moved.sock'))).toMatchObject({ backlog: 21 });
    expect(() => listenQueue(path)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('not for an older one that had the same name', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'app.sock');
    await otherServer({ path, backlog: 31 });
    renameSync(path, join(directory, 'old.sock'));
    await otherServer({ path, backlog: 32 });
    expect(listenQueue(path).backlog).toBe(32);
    expect(listenQueue(join(directory, 'old.sock')).backlog).toBe(31);
    unlinkSync(path);
    await otherServer({ path, backlog: 33 });
    expect(listenQueue(path).backlog).toBe(33);
    unlinkSync(path);
    expect(() => listenQueue(path)).toThrow(/ENOENT.*a listener that was bound there still exists/);
  });
});
