/** Servers that have no descriptor left for those who connect. */
import { execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { childResult, heard, startChild } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, closed, passTime, socketPath } from '../support/sockets.js';

const prlimit = process.platform === 'linux' ? requireOrSkip('prlimit') : undefined;
/** A descriptor that a process has open above its limit stays open. */
const BELOW_ALL = 5;
const MANY = 1000;

/** Greets whoever connects; answers a word with what it counts. */
const PROGRAM = (path: string): string => `
  import { performance } from 'node:perf_hooks';
  const { getEngine } = await import(new URL('engine/thread-engine.js', ${JSON.stringify(new URL('../../dist/bundle/deep/', import.meta.url).href)}));
  const { ENGINE_COUNTERS } = await import(new URL('binding/addon.js', ${JSON.stringify(new URL('../../dist/bundle/deep/', import.meta.url).href)}));
  const server = createServer((socket) => socket.on('error', () => undefined).resume().write('hi'));
  process.stdin.on('data', (word) => {
    if (String(word) === 'end') process.exit();
    const dropped = getEngine().native.counters()[ENGINE_COUNTERS.indexOf('dropped')];
    say({ dropped, loops: performance.nodeTiming.uvMetricsInfo.loopCount });
  });
  server.listen(${JSON.stringify(path)}, () => say('listening'));`;

interface Counts {
  dropped: number;
  loops: number;
}

function counts(child: ChildProcess): Promise<Counts> {
  const said = heard(child) as Promise<Counts>;
  child.stdin?.write('count');
  return said;
}

function limit(child: ChildProcess, descriptors: number): void {
  execFileSync(prlimit ?? '', ['--pid', String(child.pid), `--nofile=${String(descriptors)}:`]);
}

function openDescriptors(child: ChildProcess): number {
  return readdirSync(`/proc/${String(child.pid)}/fd`).length;
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  cleanup(() => socket.destroy());
  await once(socket, 'connect');
  // A server that has ended has not read what was sent to it.
  socket.on('error', () => undefined);
  return socket;
}

/** Whether the server has greeted; else it has closed the connection. */
async function isGreeted(socket: Socket): Promise<boolean> {
  const greeted = once(socket, 'data').then(() => true);
  return Promise.race([greeted, closed(socket.resume()).then(() => false)]);
}

describe.skipIf(prlimit === undefined)('a server without a descriptor for more', () => {
  it('closes what it can take no more, says so once, and takes others when there is room', async () => {
    const path = socketPath();
    const child = startChild('native', PROGRAM(path));
    const result = childResult(child);
    await heard(child);
    const room = 6;
    limit(child, openDescriptors(child) + room);
    const sockets: { socket: Socket; served: boolean }[] = [];
    for (let i = 0; i < room * 3; i++) {
      const socket = await connected(path);
      sockets.push({ socket, served: await isGreeted(socket) });
    }
    const served = sockets.filter((entry) => entry.served).map(({ socket }) => socket);
    expect(served.length).toBeGreaterThan(0);
    // Numbers below the highest may have been free.
    expect(served.length).toBeLessThan(sockets.length);
    expect((await counts(child)).dropped).toBe(sockets.length - served.length);

    served[0]?.destroy();
    // It sees the end of one and the next one in the same turn, or in either order.
    await expect.poll(async () => isGreeted(await connected(path))).toBe(true);
    // What runs at its end may want a file.
    limit(child, 1024);
    child.stdin?.write('end');
    const { code, stderr } = await result;
    expect(code).toBe(0);
    expect(stderr.match(/NEARWIRE_OUT_OF_DESCRIPTORS/g)).toHaveLength(1);
    expect(stderr).toContain(`the server on ${path} has no file descriptor left (EMFILE)`);
  });

  it('rests while it has none to close them with, and goes on by itself', async () => {
    const path = socketPath();
    const child = startChild('native', PROGRAM(path));
    const result = childResult(child);
    await heard(child);
    const before = openDescriptors(child);
    limit(child, BELOW_ALL);
    const waiting = await Promise.all([connected(path), connected(path), connected(path)]);
    const greetings = Promise.all(waiting.map(isGreeted));
    // The spare one has been given up, and can't be had again.
    await expect.poll(() => openDescriptors(child)).toBe(before - 1);
    const { loops } = await counts(child);
    // A stretch of time to look at, not one to wait for something.
    await passTime(300);
    const later = await counts(child);
    // It would turn some hundred thousand times; each rest is 50 ms.
    expect(later.loops - loops).toBeLessThan(MANY);
    expect(later.dropped).toBe(0);
    limit(child, 1024);
    expect(await greetings).toEqual([true, true, true]);
    expect(openDescriptors(child)).toBe(before + waiting.length);
    child.stdin?.write('end');
    expect((await result).stderr.match(/NEARWIRE_OUT_OF_DESCRIPTORS/g)).toHaveLength(1);
  });

  it('does not keep its process alive while it rests, if it is not to', async () => {
    const path = socketPath();
    const child = startChild(
      'native',
      `const server = createServer().listen(${JSON.stringify(path)}, () => { server.unref(); say('listening'); });
       process.stdin.once('data', () => { say('goes'); process.stdin.destroy(); });`,
    );
    const result = childResult(child);
    await heard(child);
    const before = openDescriptors(child);
    limit(child, BELOW_ALL);
    await connected(path);
    await expect.poll(() => openDescriptors(child)).toBe(before - 1);
    child.stdin?.write('go');
    expect((await result).code).toBe(0);
  });
});
