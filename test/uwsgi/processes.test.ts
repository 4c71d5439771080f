/** Servers of the uwsgi protocol in processes and workers that end at a bad moment, in clusters, and with nobody to hold them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { childResult, heard, runChild, startChild, type ChildResult } from '../support/children.js';
import { cleanup, readAll, socketPath } from '../support/sockets.js';
import { subjects, type SubjectName } from '../support/subjects.js';
import { open, packet, parseAnswer } from '../support/uwsgi/packets.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));
const library = new URL('../../dist/bundle/uwsgi.js', import.meta.url).href;
const everyWay = transports.flatMap((transport) =>
  (['unix', 'tcp'] as const).map((family) => ({ transport, family, name: transport })),
);

/** Makes the bytes of a request; `length` is what it says of its body. */
const PACKETS = `
  const sized = (text) => { const length = Buffer.alloc(2); length.writeUInt16LE(text.length); return Buffer.concat([length, Buffer.from(text)]); };
  const packet = (method = 'GET', body = '', length = body.length) => {
    const variables = Buffer.concat(['REQUEST_METHOD', method, 'REQUEST_URI', '/', 'CONTENT_LENGTH', String(length)].map(sized));
    const header = Buffer.alloc(4);
    header.writeUInt16LE(variables.length, 1);
    return Buffer.concat([header, variables, Buffer.from(body)]);
  };`;

/** A server and its client, step by step. Needs `library`, `path`, `transport` and `step(n)`. */
const PROGRAM = `
  const net = await import('node:net');
  const { createServer } = await import(library);
  ${PACKETS}
  const server = createServer({ transport }, (req, res) => {
    step(3);
    req.once('data', () => { step(4); client.write('the rest'); });
    req.on('end', () => {
      step(5);
      res.write('x'.repeat(300_000), () => {
        step(7);
        res.end('last', () => step(9));
        step(8);
        server.close(() => step(12));
      });
      step(6);
    });
    res.on('close', () => step(10));
  });
  step(0);
  server.on('connection', (socket) => { step(2); socket.on('close', () => step(11)); });
  let client;
  server.listen(path, () => {
    step(1);
    client = net.connect(path);
    client.on('error', () => undefined).resume();
    client.write(packet('POST', 'begun, ', 15));
  });`;
const LAST_STEP = 12;
const steps = Array.from({ length: LAST_STEP + 1 }, (_, n) => n);

function runSteps(transport: SubjectName, step: string, more = ''): Promise<ChildResult> {
  // A block, as children have a createServer already.
  const code = `{ const [, library, path, transport] = process.argv; const step = ${step}; ${more} ${PROGRAM} }`;
  return runChild(transport, code, [library, socketPath(), transport]);
}

describe.each(transports)('a process with a uwsgi server on %s that ends at any step', (transport) => {
  it('runs all steps and leaves by itself', async () => {
    const end = await runSteps(
      transport,
      '(n) => seen.add(n)',
      `const seen = new Set(); process.on('exit', () => say([...seen].sort((a, b) => a - b)));`,
    );
    expect(end).toEqual({ code: 0, signal: null, stderr: '', said: [steps] });
  });

  it.each(steps)('by process.exit() at step %i', async (last) => {
    const end = await runSteps(transport, `(n) => { if (n === ${String(last)}) process.exit(7); }`);
    expect(end).toEqual({ code: 7, signal: null, stderr: '', said: [] });
  });

  it.each(steps)('by an exception at step %i', async (last) => {
    const end = await runSteps(transport, `(n) => { if (n === ${String(last)}) throw new Error('went wrong'); }`);
    expect(end).toMatchObject({ code: 1, signal: null });
    expect(end.stderr).toContain('went wrong');
  });
});

describe.each(transports)('a worker with a uwsgi server on %s that is terminated at any step', (transport) => {
  it.each(steps)('step %i', async (last) => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const code = `
      import { workerData, parentPort } from 'node:worker_threads';
      const { library, path, transport } = workerData;
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const step = (n) => { if (n === ${String(last)}) { parentPort.postMessage('here'); Atomics.wait(gate, 0, 0, 2); } };
      ${PROGRAM}`;
    const before = descriptors();
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
      workerData: { library, path: socketPath(), transport },
    });
    await once(worker, 'message');
    await worker.terminate();
    // The worker's own loop descriptors are closed by node a moment after 'exit'.
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
  });
});

describe.each(transports)('a uwsgi server on %s', (transport) => {
  it.each([
    ['plain', ''],
    ['hardened', 'delete Object.prototype.__defineGetter__;'],
  ])('gives requests a property of variables that outlives their prototype, in a %s program', async (_, harden) => {
    const result = await runChild(
      transport,
      `{ ${harden}
         const { createServer } = await import(process.argv[1]);
         ${PACKETS}
         createServer(function (req, res) {
           const { get, ...attributes } = Object.getOwnPropertyDescriptor(req, 'uwsgi');
           say({ ...attributes, isGetter: typeof get === 'function' });
           Object.setPrototypeOf(req, Object.create(Object.getPrototypeOf(req)));
           say(req.uwsgi.REQUEST_METHOD);
           res.end();
           this.close();
         }).listen(process.argv[2], () => connect({ path: process.argv[2] }).resume().end(packet('PUT'))); }`,
      [library, socketPath()],
    );
    const attributes = { enumerable: true, configurable: true, isGetter: true };
    expect(result).toEqual({ code: 0, signal: null, stderr: '', said: [attributes, 'PUT'] });
  });

  it('has its answer with the kernel when end() is followed by the end of the process', async () => {
    const path = socketPath();
    const child = startChild(
      transport,
      `{ const { createServer } = await import(process.argv[1]);
         createServer((req, res) => { res.end('bye'); process.exit(); }).listen(process.argv[2], () => say('ready')); }`,
      [library, path],
    );
    expect(await heard(child)).toBe('ready');
    const socket = await open({ path }, packet());
    expect(parseAnswer(await readAll(socket)).body.toString()).toBe('bye');
    socket.destroy();
  });

  it('serves, and its idle connections too, when nobody holds it', async () => {
    const result = await childResult(
      startChild(
        transport,
        `{ const { createServer } = await import(process.argv[1]);
           const { setFlagsFromString } = await import('node:v8');
           setFlagsFromString('--expose-gc');
           const collect = (await import('node:vm')).runInNewContext('gc');
           ${PACKETS}
           const path = process.argv[2];
           await new Promise((resolve) => {
             createServer((req, res) => { res.end('here'); req.socket.server.unref(); }).listen(path, resolve);
           });
           const idle = [];
           for (let i = 0; i < 3; i++) { idle.push(connect({ path })); await once(idle[i], 'connect'); }
           for (let i = 0; i < 10; i++) { collect(); await new Promise((resolve) => setImmediate(resolve)); }
           for (const socket of idle) {
             let text = '';
             socket.setEncoding('latin1').on('data', (data) => (text += data));
             socket.write(packet());
             await once(socket, 'end');
             say(text.slice(-4));
           } }`,
        [library, socketPath()],
      ),
    );
    expect(result).toEqual({ code: 0, signal: null, stderr: '', said: ['here', 'here', 'here'] });
  });

  it("serves on after listeners of 'connection' and 'clientError' have thrown", async () => {
    const result = await runChild(
      transport,
      `{ const { createServer } = await import(process.argv[1]);
         ${PACKETS}
         const path = process.argv[2];
         process.on('uncaughtException', (error) => say(error.message));
         const server = createServer((req, res) => res.end('fine')).listen(path);
         server.on('connection', () => { throw new Error('connection'); });
         server.on('clientError', () => { throw new Error('clientError'); });
         await once(server, 'listening');
         const ask = async (bytes) => {
           const socket = connect({ path });
           let text = '';
           socket.setEncoding('latin1').on('data', (data) => (text += data));
           socket.end(bytes);
           await once(socket, 'close');
           say(text.slice(-4));
         };
         await ask(packet());
         await ask('GET / HTTP/1.1');
         await ask(packet());
         server.close(() => say('closed')); }`,
      [library, socketPath()],
    );
    const said = ['connection', 'fine', 'connection', 'clientError', '', 'connection', 'fine', 'closed'];
    expect(result).toEqual({ code: 0, signal: null, stderr: '', said });
  });
});

/** Runs `primary` in the primary of a cluster, and a server that answers with its number in what it forks. */
async function runCluster(transport: SubjectName, family: 'unix' | 'tcp', primary: string): Promise<ChildResult> {
  const at = family === 'unix' ? socketPath() : '0';
  const code = `
    const cluster = require('node:cluster'); const net = require('node:net'); const { once } = require('node:events');
    const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
    const [library, at] = process.argv.slice(-2);
    ${PACKETS}
    let target;
    const listening = async (worker) => {
      const [{ address, port }] = await once(worker, 'listening');
      target = at === '0' ? { host: '127.0.0.1', port } : { path: address };
    };
    let asking;
    const ask = () => new Promise((resolve) => {
      const socket = asking = net.connect(target);
      let text = '';
      socket.setEncoding('latin1').on('data', (data) => (text += data)).on('error', (error) => (text = error.code));
      socket.on('close', () => resolve(text.slice(text.indexOf('\\r\\n\\r\\n') + 4)));
      socket.write(packet());
    });
    (async () => {
      const { createServer } = await import(library);
      (await import(new URL('./index.js', library))).install();
      if (cluster.isPrimary) { ${primary} return; }
      createServer((req, res) => {
        if (process.env.CRASH === String(cluster.worker.id)) process.kill(process.pid, 'SIGKILL');
        res.end(cluster.worker.id + ' ' + req.socket.transport);
      }).listen(at === '0' ? { host: '127.0.0.1', port: 0 } : { path: at });
    })();`;
  const child = spawn(process.execPath, ['-e', code, '--', library, at], {
    env: { ...process.env, NEARWIRE_TRANSPORT: transport },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanup(() => child.kill('SIGKILL'));
  const result = await childResult(child);
  if (family === 'unix') expect(existsSync(at)).toBe(false);
  return result;
}

describe.each(everyWay)("a cluster's uwsgi servers on $name over $family", ({ transport, family }) => {
  it('share the socket, and answer all while they are replaced', async () => {
    const result = await runCluster(
      transport,
      family,
      `
      const workers = [];
      for (let i = 0; i < 2; i++) { workers.push(cluster.fork()); await listening(workers[i]); }
      const answers = new Set();
      let replaced = false;
      const replace = (async () => {
        const next = cluster.fork();
        await listening(next);
        workers.push(next);
        const old = workers.shift();
        old.disconnect();
        await once(old, 'exit');
        replaced = true;
      })();
      await Promise.all(Array.from({ length: 4 }, async () => { for (let i = 0; i < 25 || !replaced; i++) answers.add(await ask()); }));
      await replace;
      for (const worker of workers) worker.disconnect();
      const strange = [...answers].filter((answer) => !/^[123] ${transport}$/.test(answer));
      say({ strange, several: answers.size > 1 });`,
    );
    expect(result).toEqual({ code: 0, signal: null, stderr: '', said: [{ strange: [], several: true }] });
  });

  it('serve on when one of them is killed within a request', async () => {
    const result = await runCluster(
      transport,
      family,
      `
      process.env.CRASH = '1';
      const workers = [];
      for (let i = 0; i < 2; i++) { workers.push(cluster.fork()); await listening(workers[i]); }
      const died = once(workers[0], 'exit');
      let alive = true;
      // node's primary loses the connection that it was passing to a worker when that died.
      died.then(() => { alive = false; asking.destroy(); });
      while (alive) await ask();
      const answers = new Set();
      for (let i = 0; i < 20; i++) answers.add(await ask());
      workers[1].disconnect();
      say([...answers]);`,
    );
    expect(result).toEqual({ code: 0, signal: null, stderr: '', said: [[`2 ${transport}`]] });
  });
});
