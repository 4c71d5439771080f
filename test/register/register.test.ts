/** Unchanged programs, started with `nearwire/register`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { childResult, type ChildResult } from '../support/children.js';
import { cleanup, socketPath } from '../support/sockets.js';

const entry = fileURLToPath(new URL('../../dist/bundle/register.js', import.meta.url));
const library = fileURLToPath(new URL('../../dist/bundle/index.js', import.meta.url));

interface Start {
  loader: '--require' | '--import' | 'NODE_OPTIONS';
  transport?: 'auto' | 'native' | 'js';
  tcp?: boolean;
  module?: 'commonjs' | 'module';
}

function run(code: string, start: Start, words: readonly string[] = []): Promise<ChildResult> {
  const { loader, transport = 'auto', tcp = false, module = 'commonjs' } = start;
  const flags = loader === 'NODE_OPTIONS' ? [] : [loader, entry];
  const child = spawn(process.execPath, [...flags, `--input-type=${module}`, '-e', code, ...words], {
    env: {
      ...process.env,
      NEARWIRE_TRANSPORT: transport,
      NEARWIRE_TCP: tcp ? '1' : '',
      NODE_OPTIONS: loader === 'NODE_OPTIONS' ? `--require ${entry}` : '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanup(() => child.kill('SIGKILL'));
  return childResult(child);
}

const COMMONJS = `
const net = require('node:net'); const http = require('node:http'); const tls = require('node:tls'); const { once } = require('node:events');`;
const MODULE = `
import net, { connect } from 'node:net'; import http from 'node:http'; import { once } from 'node:events';`;
const SAY = `
const say = (value) => console.log(JSON.stringify(value));
const at = process.argv[1];`;

/** A server and the ways to reach it; says what each end is carried by. */
const CONVERSATION = `
const path = /[/]/.test(at) ? at : undefined;
const server = net.createServer((socket) => { say(['accepted', socket.transport ?? 'node']); socket.pipe(socket); });
server.listen(path ?? { port: 0, host: '127.0.0.1' }, () => {
  const where = path === undefined ? { port: server.address().port, host: '127.0.0.1' } : { path };
  const talk = (socket, next) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (data) => (text += data)).on('close', () => {
      say([text, socket.transport ?? 'node', socket instanceof net.Socket]);
      next();
    });
    socket.end('hello');
  };
  talk(net.connect(where), () => {
    const made = new net.Socket();
    made.setTimeout(10_000);
    talk(made.connect(where), () => {
      class Own extends net.Socket {}
      talk(new Own().connect(where), () => server.close());
    });
  });
});`;

const SPOKEN = (accepted: string, connected: string): unknown[] => [
  ['accepted', accepted],
  ['hello', connected, true],
  ['accepted', accepted],
  ['hello', connected, true],
  ['accepted', accepted],
  // A class of the program's own stays as it is.
  ['hello', 'node', true],
];

describe.each(['--require', '--import', 'NODE_OPTIONS'] as const)('register by %s', (loader) => {
  it('carries the UNIX sockets of a CommonJS program', async () => {
    const result = await run(COMMONJS + SAY + CONVERSATION, { loader }, [socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '', said: SPOKEN('native', 'native') });
  });

  it('carries those of an ES module, by named imports as well', async () => {
    const code = CONVERSATION.replace('talk(net.connect(where)', 'talk(connect(where)');
    const result = await run(MODULE + SAY + code, { loader, module: 'module' }, [socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '', said: SPOKEN('native', 'native') });
  });

  it('leaves TCP alone', async () => {
    const result = await run(COMMONJS + SAY + CONVERSATION, { loader }, ['tcp']);
    expect(result).toMatchObject({ code: 0, stderr: '', said: SPOKEN('node', 'node') });
  });

  it('carries TCP with NEARWIRE_TCP=1', async () => {
    const result = await run(COMMONJS + SAY + CONVERSATION, { loader, tcp: true }, ['tcp']);
    expect(result).toMatchObject({ code: 0, stderr: '', said: SPOKEN('native', 'native') });
  });

  it('changes nothing with NEARWIRE_TRANSPORT=js', async () => {
    const result = await run(COMMONJS + SAY + CONVERSATION, { loader, transport: 'js' }, [socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '', said: SPOKEN('node', 'node') });
  });
});

describe('register', () => {
  const start = { loader: '--require' } as const;

  it('calls what a program has put in place of Socket.prototype.connect', async () => {
    const code = `
      const { connect } = net.Socket.prototype;
      net.Socket.prototype.connect = function (...args) {
        say(['seen', args[0][0].path === at]);
        return connect.apply(this, args);
      };
      const server = net.createServer((socket) => socket.end()).listen(at, () => {
        const socket = net.connect({ path: at }).resume().on('close', () => {
          say(socket.transport);
          server.close();
        });
      });`;
    const result = await run(COMMONJS + SAY + code, start, [socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '', said: [['seen', true], 'native'] });
  });

  it('carries node:http both ways, with and without an agent', async () => {
    const code = `
      const server = http.createServer((request, response) => response.end(request.socket.transport)).listen(at, async () => {
        for (const agent of [undefined, false, new http.Agent({ keepAlive: true })]) {
          const [response] = await once(http.get({ socketPath: at, agent }), 'response');
          const { transport } = response.socket;
          let text = '';
          for await (const chunk of response) text += chunk;
          say([text, transport]);
          if (agent) agent.destroy();
        }
        server.close();
      });`;
    const result = await run(COMMONJS + SAY + code, start, [socketPath()]);
    const each = ['native', 'native'];
    expect(result).toMatchObject({ code: 0, stderr: '', said: [each, each, each] });
  });

  /** What a program says on node itself, and what it says under register. */
  async function bothWays(code: string): Promise<[node: unknown, native: unknown]> {
    const node = await run(COMMONJS + SAY + code, { ...start, transport: 'js' }, [socketPath()]);
    const native = await run(COMMONJS + SAY + code, start, [socketPath()]);
    expect(node).toMatchObject({ code: 0, stderr: '' });
    return [node, native];
  }

  it.each([
    [
      'connect and createConnection are called with new',
      `const server = net.createServer((socket) => socket.end('x')).listen(at, () => {
         new net.connect(at).on('data', (data) => say(String(data))).on('close', () => {
           new net.createConnection(at).on('data', (data) => say(String(data))).on('close', () => server.close());
         });
       });`,
    ],
    [
      "a server's handle is closed by its program",
      `const server = net.createServer().listen(at, () => {
         const handle = server._handle;
         say(handle.hasRef());
         handle.close(() => { say([handle.hasRef(), require('node:fs').existsSync(at)]); });
         say('not yet');
       });`,
    ],
    [
      'a socket is unreferenced before it connects',
      `const server = net.createServer((socket) => socket.unref()).listen(at, () => {
         server.unref();
         const socket = new net.Socket();
         socket.unref();
         socket.connect(at).on('data', () => say('data')).on('connect', () => say('connect'));
       });
       process.on('exit', () => say('left'));`,
    ],
    [
      'it is referenced again before it connects',
      `const server = net.createServer((socket) => setTimeout(() => socket.end('late'), 200).unref()).listen(at, () => {
         server.unref();
         new net.Socket().unref().ref().connect(at).on('data', (data) => say(String(data)));
       });
       process.on('exit', () => say('left'));`,
    ],
    [
      'open sockets and servers are counted',
      `const accepted = [];
       const ours = () => process._getActiveHandles().filter((handle) => handle instanceof net.Socket || handle instanceof net.Server)
         .filter((handle) => ![process.stdin, process.stdout, process.stderr].includes(handle));
       const kinds = () => process.getActiveResourcesInfo().filter((kind) => /Pipe(Server)?Wrap/.test(kind));
       void [process.stdin, process.stdout, process.stderr]; // They are there from the first look on, or since tls was loaded.
       const before = kinds().length;
       const server = net.createServer((socket) => {
         if (accepted.push(socket) < 3) return;
         setTimeout(() => {
           say([ours().length, ours().includes(server), accepted.every((socket) => ours().includes(socket)), kinds().length - before]);
           accepted[0].unref();
           server.unref();
           say([ours().length, ours().includes(server), ours().includes(accepted[0]), kinds().length - before]);
           for (const socket of accepted) socket.destroy();
           server.close(() => setTimeout(() => say([ours().length, kinds().length - before]), 50));
         }, 50);
       });
       server.listen(at, () => { for (let i = 0; i < 3; i++) net.connect(at).resume(); });`,
    ],
    [
      'a connection rests, which keeps none of its requests',
      `require('node:v8').setFlagsFromString('--expose-gc');
       const collect = require('node:vm').runInNewContext('gc');
       const requests = [];
       const server = http.createServer((request, response) => {
         requests.push(new WeakRef(request));
         request.resume().on('end', () => response.end('done'));
       });
       const asked = (method, body) => [method + ' / HTTP/1.1', 'Host: x', 'Content-Length: ' + body.length, '', body].join('\\r\\n');
       server.listen(at, async () => {
         const client = net.connect(at);
         for (const request of [asked('POST', 'body'), asked('GET', ''), asked('POST', 'body'), asked('GET', ''), asked('POST', 'body')]) {
           client.write(request);
           for (let text = ''; !text.endsWith('done'); text += (await once(client, 'data'))[0]);
           for (let i = 0; i < 2; i++) await new Promise(setImmediate);
           collect();
           say(requests.map((request) => request.deref() === undefined));
         }
         client.destroy();
         server.close();
       });`,
    ],
  ])('does as node does where %s', async (_, code) => {
    const [node, native] = await bothWays(code);
    expect(native).toEqual(node);
  });

  it('calls what a program has put in the place of methods of sockets, when they connect again as well', async () => {
    const code = `
      const names = ['connect', 'setTimeout', 'setNoDelay', 'setKeepAlive', 'ref', 'unref', 'address', 'end', 'pause', 'resume', 'destroy'];
      const seen = new Map(names.map((name) => [name, []]));
      let round = 0;
      for (const name of names) {
        const { [name]: method } = net.Socket.prototype;
        net.Socket.prototype[name] = function (...args) {
          if (this === client) seen.get(name).push(round);
          return method.apply(this, args);
        };
      }
      const client = new net.Socket();
      const server = net.createServer((socket) => socket.on('data', (data) => socket.end(data))).listen(at, () => {
        client.on('connect', () => client.setTimeout(1000).setNoDelay().setKeepAlive(true).unref().ref().address());
        client.on('connect', () => client.pause().resume().write('x'));
        client.on('close', () => {
          if (++round < 3) client.connect(at);
          else { say([...seen].map(([name, rounds]) => [name, [...new Set(rounds)]])); server.close(); }
        });
        client.connect(at);
      });`;
    const [node, native] = await bothWays(code);
    expect(native).toEqual(node);
  });

  it('calls them with the sockets of http servers, too', async () => {
    const code = `
      const names = ['setTimeout', 'setNoDelay', 'setKeepAlive', 'ref', 'unref', 'address', 'cork', 'uncork', 'pause', 'resume', 'end', 'destroySoon', 'destroy'];
      const called = new Set();
      for (const name of names) {
        const { [name]: method } = net.Socket.prototype;
        net.Socket.prototype[name] = function (...args) { if (this.server) called.add(name); return method.apply(this, args); };
      }
      const server = http.createServer(({ socket }, response) => {
        called.clear();
        socket.setTimeout(1000).setNoDelay().setKeepAlive(true).unref().ref().address();
        socket.pause();
        socket.resume();
        socket.cork();
        socket.write('HTTP/1.1 100 Continue\\r\\n\\r\\n');
        socket.uncork();
        response.end('x', () => {
          socket.end();
          socket.destroySoon();
          socket.destroy();
          say(names.filter((name) => !called.has(name)));
          server.close();
        });
      }).listen(at, () => http.get({ socketPath: at, agent: false }, (answer) => answer.resume()).on('error', () => {}));`;
    const [node, native] = await bothWays(code);
    expect(native).toEqual(node);
    expect(native).toMatchObject({ said: [[]] });
  });

  it('lets a program replace methods of sockets with its own', async () => {
    const code = `
      const told = [];
      net.Socket.prototype.setTimeout = function (...args) { told.push(args[0]); return this; };
      const server = net.createServer((socket) => socket.end()).listen(at, () => {
        const client = net.connect({ path: at }).resume();
        client.setTimeout(5);
        client.on('close', () => { say([told, client.timeout ?? null]); server.close(); });
      });`;
    const [node, native] = await bothWays(code);
    expect(native).toEqual(node);
  });

  it('keeps what a socket was told before it connects', async () => {
    const code = `
      const server = net.createServer({ allowHalfOpen: true }, (socket) => { socket.on('end', () => socket.end('bye')).resume(); });
      server.listen(at, () => {
        const socket = new net.Socket({ allowHalfOpen: true, highWaterMark: 7 });
        socket.setTimeout(500, () => say('timeout'));
        socket.on('connect', () => say([socket.readableHighWaterMark, socket.timeout, socket.bytesRead, socket.pending]));
        socket.once('timeout', () => socket.end());
        socket.on('data', (data) => say(String(data)));
        socket.on('end', () => { say(socket.writable); });
        socket.on('close', (failed) => { say(failed); server.close(); });
        say(socket.connect(at) === socket);
      });`;
    const result = await run(COMMONJS + SAY + code, start, [socketPath()]);
    expect(result).toMatchObject({
      code: 0,
      stderr: '',
      said: [true, [7, 500, 0, false], 'timeout', 'bye', false, false],
    });
  });

  it('leaves to node what node refuses', async () => {
    const code = `
      const failure = (act) => { try { act(); return 'none'; } catch (error) { return error.code; } };
      say([
        failure(() => net.connect()),
        failure(() => net.connect({ port: 70000 })),
        failure(() => new net.Socket().connect({ path: 7 })),
        failure(() => net.createServer().listen({ path: 7 })),
      ]);`;
    const native = await run(COMMONJS + SAY + code, { ...start, tcp: true });
    const js = await run(COMMONJS + SAY + code, { ...start, transport: 'js' });
    expect(native.said).toEqual(js.said);
    expect(native).toMatchObject({ code: 0, stderr: '' });
  });

  it('leaves sockets that the program asks node for through nearwire with node', async () => {
    const code = `
      import(${JSON.stringify(library)}).then(({ createServer, connect }) => {
        const server = createServer({ transport: 'js' }, (socket) => { say(socket.transport); socket.end(); });
        server.listen(at, () => {
          const socket = connect({ path: at, transport: 'js' }).resume();
          socket.on('close', () => { say([server.transport, socket.transport, socket._handle === null]); server.close(); });
        });
      });`;
    const result = await run(COMMONJS + SAY + code, start, [socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '', said: ['js', ['js', 'js', true]] });
  });

  it('says what is wrong with NEARWIRE_TRANSPORT', async () => {
    const child = spawn(process.execPath, ['--require', entry, '-e', ''], {
      env: { ...process.env, NEARWIRE_TRANSPORT: 'fast' },
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(stderr).toContain('ERR_INVALID_ARG_VALUE');
  });

  it("leaves the dispatcher of undici to the program's own", async () => {
    // Node's own undici puts its dispatcher there when it is loaded.
    const code = `console.log(JSON.stringify(Object.getOwnPropertySymbols(globalThis).map(String)))`;
    const { said } = await run(code, { loader: '--require' });
    expect(said).toEqual([['Symbol(Symbol.toStringTag)']]);
  });

  it('gives a connection the type of service that its socket was told before', async () => {
    // Node has it from 24 on.
    const code = `
      const server = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        const made = new net.Socket();
        made.setTypeOfService?.(16);
        const sockets = [made.connect(port, '127.0.0.1'), net.connect(port, '127.0.0.1')];
        sockets[1].setTypeOfService?.(16);
        let left = sockets.length;
        for (const socket of sockets) {
          socket.on('connect', () => {
            say(socket.getTypeOfService?.() ?? 16);
            socket.destroy();
            if (--left === 0) server.close();
          });
        }
      });`;
    const { said, code: status, stderr } = await run(COMMONJS + SAY + code, { loader: '--require', tcp: true });
    expect([said, status, stderr]).toEqual([[16, 16], 0, '']);
  });

  it('leaves http2.connect a function that promisify makes a promise of the session', async () => {
    const code = `${COMMONJS}
      const http2 = require('node:http2'); const { promisify } = require('node:util');
      const server = http2.createServer();
      server.listen(0, '127.0.0.1', async () => {
        const session = await promisify(http2.connect)('http://127.0.0.1:' + server.address().port);
        console.log(JSON.stringify([session.connecting, session.closed]));
        session.close();
        server.close();
      });`;
    const { said, code: status, stderr } = await run(code, { loader: '--require', tcp: true });
    expect([said, status, stderr]).toEqual([[[false, false]], 0, '']);
  });
});
