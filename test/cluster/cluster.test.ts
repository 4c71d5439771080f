/** Clusters: workers that share a listening socket, of unchanged programs and of ones that ask for nearwire. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { built, runCluster as run } from '../support/clusters.js';
import { socketPath } from '../support/sockets.js';
import { hasAbstractNames } from '../support/subjects.js';

const WORKER = `http.createServer((request, response) => response.end(cluster.worker.id + ' ' + (request.socket.transport ?? 'node'))).listen(where());`;

/** Has workers listen on a port that nobody has. */
const FREE_PORT = `
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  process.env.PORT = String(probe.address().port);
  probe.close();
  await once(probe, 'close');`;

/** Eight clients ask while workers are replaced, until each has had 125 answers and all replacements are done. */
const RESTARTS = `
  const workers = [cluster.fork(), cluster.fork()];
  await Promise.all(workers.map(listening));
  const answers = new Map();
  let restarting = true; let asked = 0;
  const restarts = (async () => {
    for (let i = 0; i < 4; i++) {
      const next = cluster.fork();
      await listening(next);
      workers.push(next);
      const old = workers.shift();
      old.disconnect();
      await once(old, 'exit');
    }
    restarting = false;
  })();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let i = 0; i < 125 || restarting; i++, asked++) {
      const answer = await ask(false);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  }));
  await restarts;
  for (const worker of workers) worker.disconnect();
  // From node 26 on an http.Server that closes resets connections which have not sent a request yet.
  const resets = Number.parseInt(process.versions.node, 10) >= 26 ? ['ECONNRESET', 'EPIPE'] : [];
  const strange = [...answers.keys()].filter((answer) => !resets.includes(answer) && !/^[1-6] EXPECTED$/.test(answer));
  say({ enough: asked >= 1000, strange, several: answers.size > 2 });`;

describe('a cluster under register', () => {
  it.each([
    ['native', {}],
    ['node', { transport: 'js' }],
    ['native', { environment: { NODE_CLUSTER_SCHED_POLICY: 'none' } }],
  ] as const)('answers every request while its workers are restarted (%s, %o)', async (expected, start) => {
    const at = socketPath();
    const result = await run(RESTARTS.replace('EXPECTED', expected), WORKER, at, start);
    expect(result).toMatchObject({ code: 0, stderr: '', said: [{ enough: true, strange: [], several: true }] });
    expect(existsSync(at)).toBe(false);
  });

  it('answers every request over TCP while its workers are restarted', async () => {
    const primary = `
      ${FREE_PORT}
      ${RESTARTS.replace('EXPECTED', 'native')}`;
    const result = await run(primary, WORKER, 'tcp', { tcp: true });
    expect(result).toMatchObject({ code: 0, stderr: '', said: [{ enough: true, strange: [], several: true }] });
  });

  it.each(['auto', 'js'] as const)('tells of listening workers as node does (%s)', async (transport) => {
    const at = socketPath();
    const primary = `
      cluster.on('listening', (worker, address) => { say([worker.id, worker.state, address]); worker.disconnect(); });
      cluster.fork();`;
    const result = await run(primary, WORKER, at, { transport });
    const address = { addressType: -1, address: at, port: -1 };
    expect(result).toMatchObject({ code: 0, stderr: '', said: [[1, 'listening', address]] });
  });

  it.each(['auto', 'js'] as const)('finishes what it is about when a worker disconnects (%s)', async (transport) => {
    const primary = `
      const worker = cluster.fork();
      await listening(worker);
      const answer = ask(new http.Agent({ keepAlive: true }));
      await once(worker, 'message');
      worker.disconnect();
      await once(worker, 'message');
      worker.process.on('exit', (code) => say(['exit', code]));
      say(await answer);`;
    const worker = `
      http.createServer((request, response) => {
        process.send('asked');
        response.write('first ');
        cluster.worker.process.once('internalMessage', () => setImmediate(() => {
          process.send('told', () => response.end('last'));
        }));
      }).listen(path);`;
    const result = await run(primary, worker, socketPath(), { transport });
    expect(result).toMatchObject({ code: 0, stderr: '', said: ['first last', ['exit', 0]] });
  });

  it.each(['auto', 'js'] as const)(
    'loses no connection of the others when a worker crashes (%s)',
    async (transport) => {
      const primary = `
      const workers = [cluster.fork(), cluster.fork()];
      await Promise.all(workers.map(listening));
      // Connections to both: which takes which is chance.
      const byWorker = new Map();
      while (byWorker.size < 2) {
        const socket = net.connect(path);
        const [data] = await once(socket, 'data');
        const id = Number(String(data));
        if (byWorker.has(id)) socket.destroy(); else byWorker.set(id, socket);
      }
      const [victim, survivor] = workers;
      const lost = byWorker.get(victim.id).on('error', () => undefined);
      const noticed = once(victim, 'disconnect');
      victim.process.kill('SIGKILL');
      await once(lost, 'close');
      ${transport === 'js' ? '// A connection that node hands to a worker whose end it has not noticed is lost.\n await noticed;' : ''}
      const kept = byWorker.get(survivor.id);
      kept.write('still there?');
      say(String((await once(kept, 'data'))[0]));
      say((await Promise.all(Array.from({ length: 20 }, () => new Promise((resolve) => {
        const socket = net.connect(path).on('data', (data) => { resolve(Number(String(data)) === survivor.id); socket.destroy(); });
        socket.on('error', (error) => resolve(error.code));
      })))).every((answer) => answer === true));
      kept.destroy();
      survivor.disconnect();`;
      const worker = `net.createServer((socket) => { socket.write(String(cluster.worker.id)); socket.pipe(socket); socket.on('error', () => undefined); }).listen(path);`;
      const result = await run(primary, worker, socketPath(), { transport });
      expect(result).toMatchObject({ code: 0, stderr: '', said: ['still there?', true] });
    },
  );

  it.each(['auto', 'js'] as const)('leaves to the others what a worker has no room for (%s)', async (transport) => {
    const primary = `
      const workers = [cluster.fork({ ROOM: '1' }), cluster.fork({ ROOM: '4' })];
      await Promise.all(workers.map(listening));
      const counts = new Map();
      const sockets = await Promise.all(Array.from({ length: 5 }, async () => {
        const socket = net.connect(path);
        const [data] = await once(socket, 'data');
        counts.set(String(data), (counts.get(String(data)) ?? 0) + 1);
        return [socket, String(data)];
      }));
      say(['1', '4'].map((room) => counts.get(room)));
      // Room again: the next goes to the only one that has some.
      const [socket] = sockets.find(([, room]) => room === '1');
      socket.end();
      await once(socket, 'close');
      say(String((await once(net.connect(path), 'data'))[0]));
      for (const worker of workers) worker.process.kill();
      await Promise.all(workers.map((worker) => once(worker, 'exit')));
      process.exit();`;
    const worker = `
      const server = net.createServer((socket) => { socket.on('error', () => undefined).resume(); socket.write(process.env.ROOM); });
      server.listen(path);
      server.maxConnections = Number(process.env.ROOM);`;
    const result = await run(primary, worker, socketPath(), { transport });
    expect(result).toMatchObject({ code: 0, stderr: '', said: [[1, 4], '1'] });
  });

  it.each(['auto', 'js'] as const)('tells a worker why it can not listen (%s)', async (transport) => {
    const at = socketPath();
    const primary = `
      const server = net.createServer().listen(path);
      await once(server, 'listening');
      const worker = cluster.fork();
      say((await once(worker, 'message'))[0]);
      worker.disconnect();
      server.close();`;
    const worker = `net.createServer().on('error', ({ code, syscall, address, message }) => process.send({ code, syscall, address, message })).listen(path);`;
    const result = await run(primary, worker, at, { transport });
    expect(result.said).toEqual([
      { code: 'EADDRINUSE', syscall: 'bind', address: at, message: `bind EADDRINUSE ${at}` },
    ]);
  });

  it.each(['path', 'port'])(
    'lets a worker join the others again at a %s where it was refused a second server',
    async (kind) => {
      const primary = `
      ${FREE_PORT}
      const [first, second] = [cluster.fork(), cluster.fork()];
      const tell = async (worker, what) => { worker.send(what); return (await once(worker, 'message'))[0]; };
      await Promise.all([first, second].map((worker) => once(worker, 'online')));
      for (const what of ['listen', 'listen', 'close']) say(await tell(first, what));
      say(await tell(second, 'listen'));
      say(await tell(first, 'listen'));
      for (const worker of [first, second]) worker.disconnect();`;
      const worker = `
      const servers = [];
      const listen = () => new Promise((resolve) => {
        const server = net.createServer().on('error', ({ code }) => resolve(code));
        server.listen(where(), () => { servers.push(server); resolve('listening'); });
      });
      const close = () => new Promise((resolve) => { servers.shift().close(() => resolve('closed')); });
      process.on('message', async (what) => process.send(await (what === 'listen' ? listen() : close())));`;
      const result = await run(primary, worker, kind === 'path' ? socketPath() : 'tcp', { tcp: true });
      expect(result).toMatchObject({
        code: 0,
        stderr: '',
        said: ['listening', 'EADDRINUSE', 'closed', 'listening', 'listening'],
      });
    },
  );

  it.each(['auto', 'js'] as const)('lets a worker go that is told to leave while it starts (%s)', async (transport) => {
    const primary = `
      const codes = [];
      for (let i = 0; i < 6; i++) {
        const worker = cluster.fork();
        // At once, at its first sign of life, and as it asks for its socket.
        if (i % 3 === 0) worker.disconnect();
        else if (i % 3 === 1) worker.once('online', () => worker.disconnect());
        else worker.process.once('internalMessage', () => worker.disconnect());
        codes.push((await once(worker, 'exit'))[0]);
      }
      say(codes);`;
    const result = await run(primary, `net.createServer().listen(path);`, socketPath(), { transport });
    expect(result).toMatchObject({ code: 0, stderr: '', said: [[0, 0, 0, 0, 0, 0]] });
  });

  it('gives the file the rights that are asked for', async () => {
    const primary = `
      const worker = cluster.fork();
      await listening(worker);
      say((require('node:fs').statSync(path).mode & 0o666).toString(8));
      worker.disconnect();`;
    const worker = `process.umask(0o77); net.createServer().listen({ path, readableAll: true, writableAll: true });`;
    for (const transport of ['auto', 'js'] as const) {
      const result = await run(primary, worker, socketPath(), { transport });
      expect(result).toMatchObject({ code: 0, stderr: '', said: ['666'] });
    }
  });

  it.runIf(hasAbstractNames('native'))('listens on an abstract name, which all can connect to', async () => {
    const primary = `
      const workers = [cluster.fork(), cluster.fork()];
      await Promise.all(workers.map(listening));
      const byNode = new (class extends net.Socket {})();
      for (const socket of [net.connect(NAME), byNode.connect(NAME)]) {
        say([socket.transport ?? 'node', String((await once(socket, 'data'))[0])]);
      }
      for (const worker of workers) worker.disconnect();`;
    const name = `const NAME = '\\0nearwire-cluster-${String(process.pid)}';`;
    const worker = `net.createServer((socket) => socket.end(socket.transport)).listen(NAME);`;
    const result = await run(name + primary, name + worker, 'abstract');
    expect(result).toMatchObject({
      code: 0,
      stderr: '',
      said: [
        ['native', 'native'],
        ['node', 'native'],
      ],
    });
  });

  it('leaves a worker with an exclusive server its own', async () => {
    const primary = `
      const worker = cluster.fork();
      say((await once(worker, 'message'))[0]);
      worker.disconnect();`;
    const worker = `
      const server = net.createServer((socket) => socket.end(socket.transport));
      server.listen({ path, exclusive: true }, () => {
        net.connect(path).on('data', (data) => { server.close(); process.send(String(data)); });
      });`;
    const result = await run(primary, worker, socketPath());
    expect(result).toMatchObject({ code: 0, said: ['native'] });
  });
});

describe('a cluster of servers made by nearwire', () => {
  const library = built('index');
  const worker = `
    const { createServer, install } = await import(${JSON.stringify(library)});
    if (!process.env.WITHOUT) install();
    createServer((socket) => socket.end(socket.transport)).listen(where());`;
  const answers = `
    say(await Promise.all(Array.from({ length: 4 }, () => new Promise((resolve) => {
      net.connect(where()).on('data', (data) => resolve(String(data))).on('error', (error) => resolve(error.code));
    }))));
    for (const worker of Object.values(cluster.workers)) worker.disconnect();`;

  it('shares the socket where the primary and the workers have called install()', async () => {
    const primary = `
      (await import(${JSON.stringify(library)})).install();
      await Promise.all([cluster.fork(), cluster.fork()].map(listening));
      ${answers}`;
    const result = await run(primary, worker, socketPath(), { registered: false });
    expect(result).toMatchObject({ code: 0, stderr: '', said: [['native', 'native', 'native', 'native']] });
  });

  it('is passed connections by a primary that has not, though it has been imported', async () => {
    const primary = `await import(${JSON.stringify(library)}); await Promise.all([cluster.fork(), cluster.fork()].map(listening)); ${answers}`;
    const result = await run(primary, worker, socketPath(), { registered: false });
    expect(result).toMatchObject({ code: 0, stderr: '', said: [['js', 'js', 'js', 'js']] });
  });

  it('is passed connections where the workers have not', async () => {
    const primary = `
      (await import(${JSON.stringify(library)})).install();
      await Promise.all([cluster.fork({ WITHOUT: '1' }), cluster.fork({ WITHOUT: '1' })].map(listening));
      ${answers}`;
    const result = await run(primary, worker, socketPath(), { registered: false });
    expect(result).toMatchObject({ code: 0, stderr: '', said: [['js', 'js', 'js', 'js']] });
  });
});
