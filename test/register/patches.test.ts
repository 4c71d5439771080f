/** What of node's own modules is changed, by which import: nothing by most of them, and what docs/compatibility.md lists by the rest. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { childResult, type ChildResult } from '../support/children.js';
import { serverCertificate, serverKey } from '../support/certificates.js';
import { cleanup, socketPath } from '../support/sockets.js';

const built = (entry: string): string => fileURLToPath(new URL(`../../dist/bundle/${entry}.js`, import.meta.url));

/** Has `changes()`: the names of what is no longer what it was when the program began. */
const SNAPSHOT = `
  const net = require('node:net'); const http = require('node:http'); const https = require('node:https');
  const http2 = require('node:http2'); const tls = require('node:tls'); const cluster = require('node:cluster');
  const child_process = require('node:child_process'); const stream = require('node:stream'); const events = require('node:events');
  const timers = require('node:timers'); const fs = require('node:fs'); const dns = require('node:dns');
  const worker_threads = require('node:worker_threads'); const async_hooks = require('node:async_hooks'); const { once } = events;
  const http2Server = Object.getPrototypeOf(http2.createServer());
  const modules = { net, http, https, http2, tls, cluster, child_process, stream, events, timers, fs, dns, worker_threads, async_hooks };
  const watched = new Map(Object.entries({ ...modules, process, globalThis, Buffer, 'Buffer.prototype': Buffer.prototype, 'fs.ReadStream.prototype': fs.ReadStream.prototype, 'http2.Http2Server.prototype': http2Server }));
  for (const [name, module] of Object.entries(modules)) {
    for (const key of Object.keys(module)) {
      // Some are getters that load what is not wanted here.
      const { value } = Object.getOwnPropertyDescriptor(module, key);
      if (typeof value === 'function' && value.prototype) watched.set(name + '.' + key + '.prototype', value.prototype);
    }
  }
  // Some are known by two names.
  for (const [name, object] of [...watched].reverse()) if ([...watched.values()].indexOf(object) !== [...watched.keys()].indexOf(name)) watched.delete(name);
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
  // What a child gets from its parent is set as it is used.
  const VARYING = new Set(['process.exitCode', 'process._exiting', 'process.env', 'globalThis.module']);
  const seen = () => {
    const all = new Map();
    for (const [name, object] of watched) {
      for (const key of Reflect.ownKeys(object)) {
        const { value, get, set } = Object.getOwnPropertyDescriptor(object, key);
        const name_ = name + '.' + String(key);
        if (!VARYING.has(name_)) all.set(name_, [typeof value === 'function' || typeof value === 'object' ? value : typeof value, get, set]);
      }
    }
    return all;
  };
  let before;
  const changes = () => {
    const after = seen();
    const changed = [];
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const [was, is] = [before.get(name), after.get(name)];
      if (was === undefined || is === undefined || was.some((part, i) => part !== is[i])) changed.push(name);
    }
    return changed.sort();
  };
`;

function run(code: string, words: readonly string[] = []): Promise<ChildResult> {
  const child = spawn(
    process.execPath,
    [
      '-e',
      `${SNAPSHOT}(async () => {
      // What node itself puts in place with the first module, and when it is looked at, is there before.
      await import('node:fs');
      seen();
      before = seen();
      ${code}
    })();`,
      '--',
      socketPath(),
      ...words,
    ],
    { env: { ...process.env, NEARWIRE_TCP: '1', NODE_OPTIONS: '' } },
  );
  cleanup(() => child.kill('SIGKILL'));
  return childResult(child);
}

const AT = `const at = process.argv[1];`;
const load = (entry: string): string => `await import(${JSON.stringify(built(entry))})`;

/** Each entry, and a program that uses what it has. */
const ENTRIES = {
  index: `
    const { createServer, connect, Socket, Page } = ${load('index')};
    for (const where of [{ path: at }, { port: 0, host: '127.0.0.1' }]) {
      const server = createServer({ transport: 'native' }, (socket) => socket.pipe(socket)).listen(where);
      await once(server, 'listening');
      const target = where.path ? where : { port: server.address().port, host: '127.0.0.1' };
      const socket = connect(target);
      socket.setNoDelay(true).setKeepAlive(true, 1000).setTimeout(1000);
      socket.end(Page.from(Buffer.alloc(100_000)));
      await once(socket.resume(), 'close');
      await once(new Socket().connect(target).end().resume(), 'close');
      server.close();
      await once(server, 'close');
    }`,
  channel: `
    const { Channel, ChannelServer } = ${load('channel')};
    await new Promise((resolve) => {
      const server = ChannelServer.listen({ path: at }, {
        onListening() { Channel.connect({ path: at }, { onConnect(channel) { channel.write('x'); channel.end(); }, onClose() { server.close(); } }); },
        onData(channel, data, start, end) { channel.write(data, start, end); },
        onEnd(channel) { channel.end(); },
        onServerClose: resolve,
      });
    });`,
  http: `
    const { createServer, Agent } = ${load('http')};
    const server = createServer((request, response) => request.pipe(response)).listen(at);
    await once(server, 'listening');
    const agent = new Agent({ keepAlive: true });
    for (let i = 0; i < 4; i++) {
      const request = http.request({ socketPath: at, agent, method: 'POST' });
      request.end('body');
      const [response] = await once(request, 'response');
      await once(response.resume(), 'end');
    }
    agent.destroy();
    server.close();
    await once(server, 'close');`,
  uwsgi: `
    const { createServer } = ${load('uwsgi')};
    const server = createServer((request, response) => response.end('x')).listen(at);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');`,
  metrics: load('metrics'),
  tune: load('tune'),
};

describe('an import of', () => {
  it.each(Object.entries(ENTRIES))('%s changes nothing of node, and neither does its use', async (_, code) => {
    const result = await run(`${AT}${code}; say(changes());`);
    expect(result).toMatchObject({ code: 0, stderr: '', said: [[]] });
  });
});

describe('TLS over native sockets, of which node has not been told', () => {
  const front = `
    const { createServer, connect, nodeStream } = ${load('index')};
    const secured = tls.createServer({ cert: process.argv[2], key: process.argv[3] }, (socket) => socket.end('secret'));
    const server = createServer((socket) => secured.emit('connection', nodeStream(socket))).listen(at);
    await once(server, 'listening');
    const read = async (socket) => { let text = ''; for await (const chunk of socket) text += chunk; return text; };
    const options = { rejectUnauthorized: false };`;
  const certificate = [serverCertificate, serverKey];

  it('takes what nodeStream() answers, and a socket that still connects', async () => {
    const code = `${AT}${front}
      const socket = connect(at);
      await once(socket, 'connect');
      say(await read(tls.connect({ ...options, socket: nodeStream(socket) })));
      say(await read(tls.connect({ ...options, socket: connect(at) })));
      say(changes());
      server.close();`;
    const result = await run(code, certificate);
    expect(result).toMatchObject({ code: 0, stderr: '', said: ['secret', 'secret', []] });
  });

  it('says that it cannot use a connected one', async () => {
    const code = `${AT}${front}
      const socket = connect(at);
      await once(socket, 'connect');
      for (const attempt of [() => tls.connect({ ...options, socket }), () => new tls.TLSSocket(socket), () => secured.emit('connection', socket)]) {
        try { attempt(); } catch (error) { say(error.code); }
      }
      // A program's own listener is as welcome as ever.
      socket.once('connect', () => say('never'));
      socket.destroy();
      server.close();`;
    const result = await run(code, certificate);
    const refusal = 'ERR_NEARWIRE_TLS_NEEDS_HANDLE';
    expect(result).toMatchObject({ code: 0, stderr: '', said: [refusal, refusal, refusal] });
  });
});

interface Patch {
  name: string;
  /** By `install()` as well. */
  install: boolean;
}

/** The rows of the table of patches that hold for this version of node. */
function documented(): Patch[] {
  const text = readFileSync(fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url)), 'utf8');
  const [, section = ''] = text.split('## What is changed in node');
  const rows = [...section.matchAll(/^\| (`.*?) +\| (yes|no) +\|/gm)];
  return rows.flatMap(([, names = '', install]) =>
    [...names.matchAll(/`([^`]+)`( \(Node 20\))?/g)]
      .filter(([, , only]) => only === undefined || process.versions.node.startsWith('20.'))
      .map(([, name = '']) => ({ name, install: install === 'yes' })),
  );
}

/** In a worker of a cluster whose primary has loaded the same: some things are there only then. */
const IN_WORKER = (act: string): string => `
  if (cluster.isPrimary) {
    ${act}
    cluster.fork().on('message', (changed) => say(changed));
  } else {
    ${act}
    ${AT}
    await once(net.createServer().listen(at), 'listening');
    process.send(changes(), () => process.disconnect());
  }`;

describe('the list of patches', () => {
  const names = (patches: Patch[]): string[] => patches.map(({ name }) => name).sort();

  it('is what register changes', async () => {
    const result = await run(IN_WORKER(load('register')));
    expect(result).toMatchObject({ code: 0, stderr: '', said: [names(documented())] });
  });

  it('marks what install() changes', async () => {
    const result = await run(IN_WORKER(`(${load('index')}).install();`));
    expect(result).toMatchObject({ code: 0, stderr: '', said: [names(documented().filter(({ install }) => install))] });
  });
});
