/** A uwsgi server is an `http.Server` of node's: what programs, frameworks and tracers do with one, they do with it. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import fastify from 'fastify';
import { attach } from 'nearwire/http';
import { createServer, Server, type UwsgiListener, type UwsgiRequest } from 'nearwire/uwsgi';
import { describe, expect, it } from 'vitest';
import { childResult } from '../support/children.js';
import { cleanup, readAll, record, socketPath } from '../support/sockets.js';
import { families, subjects } from '../support/subjects.js';
import { ask, askRaw, open, packet, parseAnswer } from '../support/uwsgi/packets.js';
import { listenUwsgi, serveUwsgi } from '../support/uwsgi/serve.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));
const everyWay = transports.flatMap((transport) => families.map((family) => ({ transport, family })));

type Emit = (this: unknown, event: string | symbol, ...args: unknown[]) => boolean;

/** As tracers do it. Returns what is emitted by this server from now on. */
function patchEmit(of: { emit: unknown }, server: () => unknown): unknown[][] {
  const original = of.emit as Emit;
  const seen: unknown[][] = [];
  of.emit = function (this: unknown, event: string | symbol, ...args: unknown[]) {
    if (this === server()) seen.push([event, ...args]);
    return original.call(this, event, ...args);
  };
  cleanup(() => {
    of.emit = original;
  });
  return seen;
}

function countOf(server: http.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

describe.each(everyWay)('a uwsgi server on $transport over $family', ({ transport, family }) => {
  it("is one of node's", async () => {
    let request: UwsgiRequest | undefined;
    const { server, target } = await serveUwsgi({ transport }, (req, res) => ((request = req), res.end('x')), family);
    expect(server).toBeInstanceOf(http.Server);
    expect(server).toBeInstanceOf(net.Server);
    expect(server).toBeInstanceOf(Server);
    expect(server.transport).toBe(transport);
    expect((await ask(target)).body.toString()).toBe('x');
    expect((request?.socket as unknown as { server: unknown }).server).toBe(server);
    const { listen, close, address, setTimeout, ref } = http.Server.prototype;
    expect([server.listen, server.close, server.address, server.setTimeout, server.ref]).toEqual([
      ...[listen, close, address, setTimeout, ref],
    ]);
  });

  it('does not speak HTTP', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end('x'), family);
    const failed = once(server, 'clientError') as Promise<[NodeJS.ErrnoException, net.Socket]>;
    const answer = askRaw(target, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    const [error, socket] = await failed;
    expect(error.code).toBe('ERR_NEARWIRE_UWSGI_MODIFIER');
    socket.destroy();
    expect((await answer).length).toBe(0);
  });
});

describe.each(transports)('a uwsgi server on %s', (transport) => {
  it.each(['before it is made', 'later'])("has its requests seen by a tracer's emit, put in place %s", async (when) => {
    const made: Server[] = [];
    const patch = (): unknown[][] => patchEmit(http.Server.prototype, () => made[0]);
    let seen = when === 'later' ? [] : patch();
    const server = createServer({ transport }, (_req, res) => res.end('x'));
    made.push(server);
    if (when === 'later') seen = patch();
    await ask(await listenUwsgi(server));
    expect(seen.map(([event]) => event)).toEqual(['listening', 'connection', 'request']);
    const [, [, socket], [, request, response]] = seen as [unknown[], unknown[], unknown[]];
    expect(request).toBeInstanceOf(http.IncomingMessage);
    expect(response).toBeInstanceOf(http.ServerResponse);
    expect((request as http.IncomingMessage).socket).toBe(socket);
  });

  it("has its requests seen by an emit of its own, and of a class's", async () => {
    const seen: unknown[] = [];
    class Own extends Server {
      override emit(event: string | symbol, ...args: unknown[]): boolean {
        seen.push(event);
        return super.emit(event as string, ...args);
      }
    }
    const server = new Own({ transport }, (_req, res) => res.end('x'));
    const target = await listenUwsgi(server);
    seen.length = 0;
    const byServer = patchEmit(server, () => server);
    await ask(target);
    expect(seen).toEqual(['connection', 'request']);
    expect(byServer.map(([event]) => event)).toEqual(expect.arrayContaining(['request']));
  });

  it("tells of connections what requests have as their socket, as http.Server does: a program's list of them", async () => {
    const open = new Map<unknown, number>();
    const { server, target } = await serveUwsgi({ transport }, (req, res) => {
      open.set(req.socket, (open.get(req.socket) ?? Number.NaN) + 1);
      res.end('x');
    });
    server.on('connection', (socket) => open.set(socket, 0));
    await ask(target);
    await ask(target);
    expect([...open.values()]).toEqual([1, 1]);
  });

  it("is what Fastify's serverFactory makes, and is closed with it", async () => {
    const app = fastify({ serverFactory: (handler) => createServer({ transport }, handler as UwsgiListener) });
    app.get('/path', (request) => Promise.resolve({ ip: request.ip, variables: 'uwsgi' in request.raw }));
    const path = socketPath();
    await app.listen({ path });
    const waits = await open({ path });
    expect(JSON.parse((await ask({ path })).body.toString())).toEqual({ ip: '192.0.2.7', variables: true });
    const closed = app.close();
    waits.write(packet());
    expect(parseAnswer(await readAll(waits)).status).toBeGreaterThanOrEqual(200);
    await closed;
    expect(app.server.listening).toBe(false);
    waits.destroy();
  });

  it('counts connections, and drops those over the limit', async () => {
    const { server, target } = await serveUwsgi({ transport }, () => undefined);
    server.maxConnections = 2;
    const sockets: net.Socket[] = [];
    for (const count of [1, 2]) {
      const accepted = once(server, 'connection');
      sockets.push(await open(target, packet()));
      await accepted;
      expect(await countOf(server)).toBe(count);
    }
    const dropped = once(server, 'drop');
    const third = await open(target);
    await dropped;
    expect((await readAll(third)).length).toBe(0);
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    expect(await countOf(server)).toBe(2);
    server.closeAllConnections();
    await closed;
    expect(await countOf(server)).toBe(0);
    for (const socket of [...sockets, third]) socket.destroy();
  });

  it('is disposed of when its last request is answered', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => {
      disposed = server[Symbol.asyncDispose]().then(() => log.push('disposed'));
      setImmediate(() => {
        log.push('answers');
        res.end('x');
      });
    });
    const log: string[] = [];
    let disposed: Promise<unknown> | undefined;
    expect((await ask(target)).body.toString()).toBe('x');
    await disposed;
    expect(log).toEqual(['answers', 'disposed']);
  });

  it('refuses after close(), too, what does not arrive in time', async () => {
    const options = { transport, connectionsCheckingInterval: 1, headersTimeout: 1 };
    const { server, target } = await serveUwsgi(options, () => undefined);
    const accepted = once(server, 'connection');
    const socket = await open(target);
    await accepted;
    const events = record(server, ['close']);
    const closed = once(server, 'close');
    server.close();
    expect(parseAnswer(await readAll(socket)).status).toBe(408);
    socket.destroy();
    await closed;
    expect(events).toEqual(['close']);
  });

  it('answers for a handler that rejects, by captureRejections', async () => {
    const before = EventEmitter.captureRejections;
    EventEmitter.captureRejections = true;
    cleanup(() => {
      EventEmitter.captureRejections = before;
    });
    const { target } = await serveUwsgi({ transport }, () => Promise.reject(new Error('rejected')));
    expect((await ask(target)).status).toBe(500);
  });

  it('serves again after it was closed', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end('x'));
    await ask(target);
    await new Promise((resolve) => server.close(resolve));
    expect((await ask(await listenUwsgi(server))).body.toString()).toBe('x');
  });

  it('is refused by attach(), and speaks uwsgi as before', async () => {
    const server = createServer({ transport }, (_req, res) => res.end('x'));
    const refusal = expect.objectContaining({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringMatching(/'server' speaks uwsgi, .*attach\(\) is for servers of HTTP/) as string,
    }) as Error;
    expect(() => attach(server)).toThrow(refusal);
    const target = await listenUwsgi(server);
    expect(() => attach(server)).toThrow(refusal);
    expect((await ask(target)).body.toString()).toBe('x');
  });

  it('makes messages of the prototypes that an application has for them', async () => {
    const seen: unknown[] = [];
    const marked = (of: object): object => Object.create(of, { mark: { value: 'mark' } }) as object;
    const application = Object.assign(
      (request: UwsgiRequest, response: http.ServerResponse) => {
        seen.push(Object.getPrototypeOf(request) === application.request, 'mark' in response);
        Object.setPrototypeOf(request, application.request);
        Object.setPrototypeOf(response, application.response);
        const { headers, rawHeaders, headersDistinct, uwsgi } = request;
        seen.push(headers.host, rawHeaders, headersDistinct['x-a'], uwsgi['REMOTE_ADDR']);
        response.end('x');
      },
      { request: marked(http.IncomingMessage.prototype), response: marked(http.ServerResponse.prototype) },
    );
    const { server, target } = await serveUwsgi({ transport }, application);
    await ask(target, { HTTP_X_A: 'b' });
    const headers = ['app.example', ['host', 'app.example', 'x-a', 'b'], ['b'], '192.0.2.7'];
    expect(seen).toEqual([true, true, ...headers]);
    // With a second listener, that one sees them as node makes them.
    server.prependListener('request', ({ headers }) => seen.push(headers['x-a']));
    seen.length = 0;
    await ask(target, { HTTP_X_A: 'b' });
    expect(seen).toEqual(['b', false, false, ...headers]);
  });
});

/** As V8 has it: what has the same shape is handled by the same code. */
function haveSameShape(): (one: unknown, other: unknown) => boolean {
  setFlagsFromString('--allow-natives-syntax');
  return runInThisContext('(one, other) => %HaveSameMap(one, other)') as ReturnType<typeof haveSameShape>;
}

it('gives all messages of an application one shape', async () => {
  const isSame = haveSameShape();
  const messages: [UwsgiRequest, http.ServerResponse][] = [];
  const application = Object.assign(
    (...[request, response]: [UwsgiRequest, http.ServerResponse]) => {
      const [last] = messages;
      seen.push(last === undefined ? [] : [isSame(last[0], request), isSame(last[1], response)]);
      // Held until the next has come: an end adds to it.
      messages.unshift([request, response]);
      messages[1]?.[1].end('x');
    },
    {
      request: Object.create(http.IncomingMessage.prototype) as object,
      response: Object.create(http.ServerResponse.prototype) as object,
    },
  );
  const seen: boolean[][] = [];
  const { target } = await serveUwsgi({}, application);
  const answers: Promise<unknown>[] = [];
  for (let count = 1; count <= 20; count++) {
    answers.push(ask(target));
    await expect.poll(() => seen.length, { interval: 1 }).toBe(count);
  }
  messages[0]?.[1].end('x');
  await Promise.all(answers);
  // V8 finds the size of the first few objects of a class.
  expect(seen.slice(10)).toEqual(Array(10).fill([true, true]));
});

const built = (file: string): string => new URL(`../../dist/bundle/${file}.js`, import.meta.url).href;

describe.each(everyWay)(
  'under nearwire/register, a uwsgi server on $transport over $family',
  ({ transport, family }) => {
    it.each(['of the option', 'of the environment'])('speaks uwsgi, by the transport %s', async (by) => {
      const [path, httpPath] = [socketPath(), socketPath()];
      const code = `
      import http from 'node:http';
      import { once } from 'node:events';
      const { createServer } = await import(${JSON.stringify(built('uwsgi'))});
      const [family, path, httpPath, transport] = process.argv.slice(1);
      const server = createServer(transport ? { transport } : {}, (req, res) => res.end('uwsgi ' + req.socket.transport));
      server.listen(family === 'unix' ? { path } : { host: '127.0.0.1', port: 0 });
      const plain = http.createServer((req, res) => res.end('http')).listen(httpPath);
      await Promise.all([once(server, 'listening'), once(plain, 'listening')]);
      console.log(JSON.stringify(server.address()));
      plain.on('close', () => server.close());
      process.stdin.on('end', () => plain.close()).resume();`;
      const child = spawn(
        process.execPath,
        [
          ...['--import', built('register'), '--input-type=module', '-e', code],
          ...[family, path, httpPath, by === 'of the option' ? transport : ''],
        ],
        {
          env: { ...process.env, NEARWIRE_TRANSPORT: by === 'of the option' ? '' : transport, NEARWIRE_TCP: '1' },
          stdio: ['pipe', 'pipe', 'pipe'],
        },
      );
      cleanup(() => child.kill('SIGKILL'));
      const result = childResult(child);
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const address = JSON.parse(line.toString()) as string | net.AddressInfo;
      const target = typeof address === 'string' ? { path: address } : { host: address.address, port: address.port };
      expect((await ask(target)).body.toString()).toBe(`uwsgi ${transport}`);
      const refused = await askRaw(target, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
      expect(parseAnswer(refused).status).toBe(400);
      const bytes = await askRaw(
        { path: httpPath },
        Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      );
      expect(bytes.toString()).toMatch(/http$/);
      child.stdin.end();
      expect(await result).toMatchObject({ code: 0, stderr: '' });
    });
  },
);
