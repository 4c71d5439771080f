/** Clusters: connections that are kept are spread over the workers, whatever one of these does. */
import { describe, expect, it } from 'vitest';
import { runCluster } from '../support/clusters.js';
import { socketPath } from '../support/sockets.js';

/** A worker of a server that keeps its connections, tells its id on each, and says how many it has. */
const WORKER = `
const open = new Set();
let heard = 0;
const server = net.createServer({ pauseOnConnect: process.env.PAUSED === '1' }, (socket) => {
  heard++;
  open.add(socket);
  socket.on('error', () => undefined).on('close', () => open.delete(socket)).resume();
  socket.write(String(cluster.worker.id));
});
if (process.env.ROOM !== undefined) server.maxConnections = Number(process.env.ROOM);
process.on('message', (word) => {
  if (word === 'count') process.send({ heard, open: open.size });
  else if (word === 'close') { server.close(); process.send('closed'); }
  else if (word === 'end') for (const socket of open) socket.destroy();
  else if (word === 'compute') {
    // Till the file is there, and for as long as it takes.
    process.send('computing');
    setImmediate(() => { while (!require('node:fs').existsSync(process.env.UNTIL)); });
  } else if (word === 'wait') {
    process.send('waiting');
    setImmediate(() => {
      const nobody = new Int32Array(new SharedArrayBuffer(4));
      while (!require('node:fs').existsSync(process.env.UNTIL)) Atomics.wait(nobody, 0, 0, 10);
    });
  }
});
server.listen(where());
`;

const PRIMARY = `
const counts = new Map();
/** Opens as many connections at once as asked for: sockets by the worker that has each. */
const burst = async (size, to = where()) => {
  const sockets = Array.from({ length: size }, () => net.connect(to));
  const byWorker = new Map();
  await Promise.all(sockets.map(async (socket) => {
    const [data] = await once(socket, 'data');
    const id = Number(String(data));
    byWorker.set(id, [...(byWorker.get(id) ?? []), socket]);
  }));
  return byWorker;
};
const sizes = (byWorker) => [...byWorker.values()].map((sockets) => sockets.length);
/** How many the busiest of so many workers has, as a share of what each should have. */
const ratio = (byWorker, workers) => Math.max(...sizes(byWorker)) / (sizes(byWorker).reduce((sum, size) => sum + size, 0) / workers);
const asked = async (worker, word) => { worker.send(word); return (await once(worker, 'message'))[0]; };
const counted = async () => {
  const told = await Promise.all(Object.values(cluster.workers).map((worker) => asked(worker, 'count')));
  return told.reduce((sum, { open }) => sum + open, 0);
};
/** Closes connections, and answers when the workers have seen it. */
const end = async (byWorker, left = 0) => {
  for (const sockets of byWorker.values()) for (const socket of sockets) socket.destroy();
  while ((await counted()) > left);
};
const fork = async (size, environment) => {
  const workers = Array.from({ length: size }, () => cluster.fork(environment));
  await Promise.all(workers.map(listening));
  return workers;
};
const killAll = () => { for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL'); process.exit(); };
const listeningAt = async () => {
  if (path !== undefined) return;
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  process.env.PORT = String(probe.address().port);
  probe.close();
  await once(probe, 'close');
};
await listeningAt();
`;

const balanced = (at: string, primary: string, worker = WORKER): ReturnType<typeof runCluster> =>
  runCluster(PRIMARY + primary + 'killAll();', worker, at, { tcp: at === 'tcp' });

/** What the busiest may have, as a share of the mean. */
const MOST = 1.2;

describe.each(['unix', 'tcp'] as const)('kept connections that come in a burst to a cluster over %s', (family) => {
  const address = (): string => (family === 'unix' ? socketPath() : 'tcp');

  it('are spread over the workers, again and again', async () => {
    const primary = `
      await fork(4);
      for (let round = 0; round < 10; round++) {
        const byWorker = await burst(64);
        say(ratio(byWorker, 4));
        await end(byWorker);
      }`;
    const { said, stderr } = await balanced(address(), primary);
    expect(stderr).toBe('');
    expect(said).toHaveLength(10);
    for (const ratio of said) expect(ratio).toBeLessThanOrEqual(MOST);
  });

  it.each(['compute', 'wait'])('do not wait for a worker that does not come (%s)', async (word) => {
    const primary = `
      process.env.UNTIL = require('node:path').join(require('node:fs').mkdtempSync(require('node:os').tmpdir() + '/nearwire-'), 'until');
      const workers = await fork(4);
      await asked(workers[0], '${word}');
      const byWorker = await burst(64);
      say([byWorker.has(workers[0].id), ratio(byWorker, 3)]);
      // It goes on, and is what it was to those that come.
      require('node:fs').writeFileSync(process.env.UNTIL, '');
      await end(byWorker);
      say(ratio(await burst(64), 4));`;
    const { said, stderr } = await balanced(address(), primary);
    expect(stderr).toBe('');
    expect(said).toEqual([[false, expect.any(Number)], expect.any(Number)]);
    expect((said[0] as [boolean, number])[1]).toBeLessThanOrEqual(MOST);
    expect(said[1]).toBeLessThanOrEqual(MOST);
  });

  it('go to those that are left when one is killed, and to the one in its place', async () => {
    const primary = `
      const workers = await fork(4);
      const first = await burst(64);
      const killed = workers[2];
      killed.process.kill('SIGKILL');
      await once(killed, 'exit');
      const rest = await burst(48);
      say([rest.has(killed.id), ratio(rest, 3)]);
      const [next] = await fork(1);
      const byWorker = await burst(32);
      // It has none, and the others have 32 each.
      say(byWorker.get(next.id).length);`;
    const { said, stderr } = await balanced(address(), primary);
    expect(stderr).toBe('');
    expect(said).toEqual([[false, expect.any(Number)], expect.any(Number)]);
    expect((said[0] as [boolean, number])[1]).toBeLessThanOrEqual(MOST);
    expect(said[1]).toBeGreaterThanOrEqual(28);
  });
});

describe('the workers of a cluster that spread connections', () => {
  it('take their part as others join and leave', async () => {
    const primary = `
      const workers = await fork(2);
      for (let i = 0; i < 6; i++) {
        const [next] = await fork(1);
        workers.push(next);
        const old = workers.shift();
        old.disconnect();
        await once(old, 'exit');
        const byWorker = await burst(32);
        say([[...byWorker.keys()].every((id) => workers.some((worker) => worker.id === id)), ratio(byWorker, 2)]);
        await end(byWorker);
      }
      const left = Object.values(cluster.workers);
      cluster.disconnect();
      await Promise.all(left.map((worker) => once(worker, 'exit')));
      say(require('node:fs').existsSync(path));`;
    const { said, stderr } = await balanced(socketPath(), primary);
    expect(stderr).toBe('');
    expect(said.pop()).toBe(false);
    expect(said).toHaveLength(6);
    for (const [known, ratio] of said as [boolean, number][]) {
      expect(known).toBe(true);
      expect(ratio).toBeLessThanOrEqual(MOST);
    }
  });

  it('serve at once what comes while one has many and the others none', async () => {
    const primary = `
      const [full] = await fork(1);
      await burst(100);
      const others = await fork(3);
      const byWorker = await burst(64);
      say([byWorker.has(full.id), ratio(byWorker, 3)]);
      // With nobody else left it takes all again.
      for (const other of others) { other.disconnect(); other.process.kill('SIGKILL'); }
      await Promise.all(others.map((other) => other.isDead() || once(other, 'exit')));
      say([...(await burst(64)).keys()].every((id) => id === full.id));`;
    const { said, stderr } = await balanced(socketPath(), primary);
    expect(stderr).toBe('');
    expect(said).toEqual([[false, expect.any(Number)], true]);
    expect((said[0] as [boolean, number])[1]).toBeLessThanOrEqual(MOST);
  });

  it('leave none behind when one closes its server while others come', async () => {
    const primary = `
      const workers = await fork(4);
      const all = [];
      for (let i = 0; i < 3; i++) {
        const coming = burst(64);
        const closed = once(workers[i], 'message');
        workers[i].send('close');
        for (const [id, sockets] of await coming) all.push(...sockets.map(() => id));
        // It may not have come to it yet, busy as the machine is.
        await closed;
      }
      say(all.length);
      say([...(await burst(8)).keys()]);`;
    const { said, stderr } = await balanced(socketPath(), primary);
    expect({ stderr, said }).toEqual({ stderr: '', said: [192, [4]] });
  });

  it('count each server by itself', async () => {
    const worker = `${WORKER}
      const other = net.createServer((socket) => socket.on('error', () => undefined).resume().write(String(cluster.worker.id)));
      other.listen(path + '2', () => process.send('both'));`;
    const primary = `
      const workers = Array.from({ length: 4 }, () => cluster.fork());
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      say(ratio(await burst(64), 4));
      say(ratio(await burst(64, { path: path + '2' }), 4));
      say(ratio(await burst(64), 4));`;
    const { said, stderr } = await balanced(socketPath(), primary, worker);
    expect(stderr).toBe('');
    expect(said).toHaveLength(3);
    for (const ratio of said) expect(ratio).toBeLessThanOrEqual(MOST);
  });

  it.each([
    ['before listen()', WORKER],
    [
      "by a listener of 'listening'",
      WORKER.replace('if (process.env.ROOM', "server.once('listening', () => { if (process.env.ROOM").replace(
        /(Number\(process\.env\.ROOM\);)/,
        '$1 });',
      ),
    ],
  ])('have no more than maxConnections, set %s, and do not wait for one that is full', async (_, worker) => {
    const primary = `
      const workers = [cluster.fork({ ROOM: '2' }), cluster.fork(), cluster.fork()];
      await Promise.all(workers.map(listening));
      const byWorker = await burst(42);
      say([byWorker.get(1).length, ratio(new Map([...byWorker].filter(([id]) => id !== 1)), 2)]);`;
    const { said, stderr } = await balanced(socketPath(), primary, worker);
    expect(stderr).toBe('');
    expect(said).toEqual([[2, expect.any(Number)]]);
    expect((said[0] as [number, number])[1]).toBeLessThanOrEqual(MOST);
  });

  it('take their part with pauseOnConnect', async () => {
    const primary = `await fork(4, { PAUSED: '1' }); say(ratio(await burst(64), 4));`;
    const { said, stderr } = await balanced(socketPath(), primary);
    expect(stderr).toBe('');
    expect(said).toEqual([expect.any(Number)]);
    expect(said[0]).toBeLessThanOrEqual(MOST);
  });

  it('may share their socket with threads of theirs', async () => {
    const thread = `
      const net = require('node:net');
      const { workerData, parentPort } = require('node:worker_threads');
      net.createServer((socket) => socket.on('error', () => undefined).resume().write('100')).listen({ fd: workerData }, () => parentPort.postMessage('listening'));`;
    const worker = `${WORKER}
      server.on('listening', async () => {
        const { shareListener } = await import(process.env.LIBRARY);
        const { Worker } = require('node:worker_threads');
        new Worker(${JSON.stringify(thread)}, { eval: true, workerData: shareListener(server) }).on('message', () => process.send('both'));
      });`;
    const primary = `
      const workers = Array.from({ length: 2 }, () => cluster.fork());
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      say(sizes(await burst(64)).reduce((sum, size) => sum + size, 0));`;
    const { said, stderr } = await balanced(socketPath(), primary, worker);
    expect({ stderr, said }).toEqual({ stderr: '', said: [64] });
  });
});
