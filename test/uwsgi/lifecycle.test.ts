/** Servers of the uwsgi protocol from listen() to 'close', and connections that end before their time. */
import { AsyncLocalStorage } from 'node:async_hooks';
import * as diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as http from 'node:http';
import type * as net from 'node:net';
import { createServer, type Server } from 'nearwire/uwsgi';
import { describe, expect, it } from 'vitest';
import { until } from '../support/relays.js';
import { nextTurn, readAll, readUntilClosed, record, socketPath } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';
import { ask, open, packet, parseAnswer } from '../support/uwsgi/packets.js';
import { bodyOf, listenUwsgi, serveUwsgi } from '../support/uwsgi/serve.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

const WITH_BODY = packet({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '100000000' });

describe.each(transports)('a uwsgi server on %s', (transport) => {
  it('listens as net.Server does, and removes its socket file', async () => {
    const path = socketPath();
    const server = createServer({ transport });
    const events = record(server, ['listening', 'close', 'error']);
    expect(server.listening).toBe(false);
    await new Promise<void>((resolve) => {
      expect(server.listen(path, 10, resolve)).toBe(server);
    });
    expect([server.listening, server.address(), server.transport]).toEqual([true, path, transport]);
    expect(() => server.listen(path)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }));
    const other = createServer({ transport }).listen({ path });
    expect(await once(other, 'error')).toMatchObject([{ code: 'EADDRINUSE', syscall: 'listen', address: path }]);
    await closed(server);
    expect(existsSync(path)).toBe(false);
    expect(events).toEqual(['listening', 'close']);
    const failed = new Promise((resolve) => server.close(resolve));
    expect(await failed).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
    expect(() => server.listen({ port: -1 })).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }));
  });

  it('closes when the last request is answered', async () => {
    const held: http.ServerResponse[] = [];
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => held.push(res));
    const waits = await open(target);
    const answered = ask(target);
    await once(server, 'request');
    const events = record(server, ['close']);
    const done = closed(server);
    expect(server.listening).toBe(false);
    // One that has been accepted, and whose packet is still to come, is served as well.
    waits.write(packet());
    while (held.length < 2) await nextTurn();
    expect(events).toEqual([]);
    held[0]?.end('first');
    expect((await answered).body.toString()).toBe('first');
    expect(events).toEqual([]);
    held[1]?.end('second');
    expect(parseAnswer(await readAll(waits)).body.toString()).toBe('second');
    await done;
    waits.destroy();
  });

  it('closes all connections at once when asked to', async () => {
    const { server, target } = await serveUwsgi({ transport }, (req, res) => {
      record(req, ['aborted', 'close'], log, 'req ');
      record(res, ['close'], log, 'res ');
    });
    const log: string[] = [];
    const socket = await open(target, packet());
    await once(server, 'request');
    const done = closed(server);
    server.closeIdleConnections();
    server.closeAllConnections();
    await done;
    expect((await readAll(socket)).length).toBe(0);
    expect(log).toEqual(['req aborted', 'res close', 'req close']);
  });

  it('counts its connections and limits them', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end('x'));
    server.maxConnections = 1;
    const accepted = once(server, 'connection');
    const first = await open(target);
    await accepted;
    const dropped = once(server, 'drop');
    const second = await open(target);
    await dropped;
    expect((await readAll(second)).length).toBe(0);
    const count = await new Promise((resolve) =>
      server.getConnections((_, number) => {
        resolve(number);
      }),
    );
    expect(count).toBe(1);
    first.write(packet());
    expect(parseAnswer(await readAll(first)).body.toString()).toBe('x');
    expect(server.stats()).toMatchObject({ transport, accepted: 2, dropped: 1 });
    first.destroy();
    second.destroy();
  });

  it.each([
    ['a head', { headersTimeout: 1 }, packet().subarray(0, 30)],
    ['a packet', { headersTimeout: 1 }, Buffer.alloc(0)],
    ['a body', { headersTimeout: 1, requestTimeout: 1 }, WITH_BODY],
  ] as const)('gives up waiting for %s', async (_, timeouts, bytes) => {
    const options = { transport, connectionsCheckingInterval: 1, ...timeouts };
    const { server, target } = await serveUwsgi(options, () => undefined);
    const socket = await open(target, bytes);
    // The time may be over before the bytes have been read.
    expect(parseAnswer(await readUntilClosed(socket)).status).toBe(408);
    const failed = once(server, 'clientError') as Promise<[NodeJS.ErrnoException, net.Socket]>;
    const again = await open(target, bytes);
    const [error, stand] = await failed;
    expect(error.code).toBe('ERR_HTTP_REQUEST_TIMEOUT');
    stand.destroy();
    await readUntilClosed(again);
    socket.destroy();
    again.destroy();
  });

  it('tells of idle connections, and closes those that nobody cares for', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => {
      res.setTimeout(1, () => res.end('late'));
    });
    expect((await ask(target)).body.toString()).toBe('late');
    server.removeAllListeners('request');
    server.on('request', () => undefined);
    server.setTimeout(1);
    // It may be closed with its packet unread, which is a reset.
    const left = await open(target, packet());
    await readUntilClosed(left);
    left.destroy();
    const heard = once(server, 'timeout') as Promise<[net.Socket]>;
    const other = await open(target);
    (await heard)[0].destroy();
    expect((await readAll(other)).length).toBe(0);
    other.destroy();
  });

  it('holds a fast client back while nobody reads its body', async () => {
    let request: http.IncomingMessage | undefined;
    const { server, target } = await serveUwsgi({ transport }, (req) => {
      request = req;
      req.once('readable', () => undefined);
    });
    const socket = await open(target, WITH_BODY);
    const asked = once(server, 'request');
    const body = Buffer.alloc(100_000_000);
    socket.write(body);
    await asked;
    let before = -1;
    // Nothing moves any more.
    for (let same = 0; same < 20; same = socket.bytesWritten - socket.writableLength === before ? same + 1 : 0) {
      before = socket.bytesWritten - socket.writableLength;
      await nextTurn();
    }
    expect(socket.writableLength).toBeGreaterThan(0);
    expect(request?.readableLength).toBeLessThan(2_000_000);
    expect((await bodyOf(request as http.IncomingMessage)).equals(body)).toBe(true);
    socket.destroy();
  });

  it('holds a fast handler back while nobody reads its answer', async () => {
    let written = 0;
    const { target } = await serveUwsgi({ transport }, async (_req, res) => {
      const chunk = Buffer.alloc(100_000, 'x');
      for (let i = 0; i < 500; i++) {
        written += chunk.length;
        if (!res.write(chunk)) {
          expect(res.writableNeedDrain).toBe(true);
          await once(res, 'drain');
        }
      }
      res.end();
    });
    const socket = await open(target, packet());
    let before = -1;
    for (let same = 0; same < 20; same = written === before ? same + 1 : 0) {
      before = written;
      await nextTurn();
    }
    expect(written).toBeLessThan(5_000_000);
    expect(parseAnswer(await readAll(socket)).body.length).toBe(50_000_000);
    socket.destroy();
  });

  it('answers before it has read the body, which the client gets all the same', async () => {
    const { target } = await serveUwsgi({ transport }, (_req, res) => res.writeHead(413).end('too much'));
    const socket = await open(target, packet({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5000000' }));
    const answer = readAll(socket);
    socket.write(Buffer.alloc(5_000_000));
    expect(parseAnswer(await answer)).toMatchObject({ status: 413, statusText: 'Payload Too Large' });
    socket.destroy();
  });

  it('tells a handler that its client has gone', async () => {
    const { server, target } = await serveUwsgi({ transport }, (req, res) => {
      record(req, ['aborted', 'error', 'close'], log, 'req ');
      record(res, ['finish', 'close'], log, 'res ');
    });
    const log: string[] = [];
    const socket = await open(target, packet({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '10' }));
    const [, res] = (await once(server, 'request')) as [unknown, http.ServerResponse];
    const gone = once(res, 'close');
    socket.destroy();
    await gone;
    await nextTurn();
    expect(log).toEqual(['req aborted', 'res close', 'req error:ECONNRESET', 'req close']);
    expect(res.destroyed).toBe(true);
    expect(res.write('x')).toBe(false);
  });

  it('keeps what handlers of one turn enter into their context apart', async () => {
    const storage = new AsyncLocalStorage<string>();
    const { target } = await serveUwsgi({ transport }, async (req, res) => {
      const found = storage.getStore();
      storage.enterWith(req.url ?? '');
      await nextTurn();
      res.on('finish', () => seen.push([found, storage.getStore()]));
      res.end(storage.getStore());
    });
    const seen: unknown[] = [];
    const urls = Array.from({ length: 20 }, (_, i) => `/${String(i)}`);
    const answers = await Promise.all(urls.map((url) => ask(target, { REQUEST_URI: url })));
    expect(answers.map(({ body }) => body.toString())).toEqual(urls);
    expect(seen).toHaveLength(20);
    expect(seen.map((pair) => (pair as unknown[])[0])).toEqual(urls.map(() => undefined));
    expect(seen.map((pair) => (pair as unknown[])[1]).sort()).toEqual(urls.toSorted());
  });

  it('tells of requests by the channels of node:http', async () => {
    const told: string[] = [];
    const names = ['http.server.request.start', 'http.server.response.finish'];
    const onMessage = (message: unknown, name: string | symbol): void => {
      const { request, response, socket, server } = message as Record<string, unknown>;
      const whole = request instanceof http.IncomingMessage && response instanceof http.ServerResponse;
      told.push(`${String(name)} ${String(whole && socket !== undefined && server !== undefined)}`);
    };
    for (const name of names) diagnostics.subscribe(name, onMessage);
    const { target } = await serveUwsgi({ transport }, (_req, res) => res.end('x'));
    await ask(target);
    for (const name of names) diagnostics.unsubscribe(name, onMessage);
    expect(told).toEqual(names.map((name) => `${name} true`));
  });

  it('makes requests and responses of classes that it is given', async () => {
    class Request extends http.IncomingMessage {
      greeting = 'own';
    }
    class Response<Request extends http.IncomingMessage> extends http.ServerResponse<Request> {
      override end(...args: never[]): this {
        this.setHeader('X-Ended', 'by its class');
        return super.end(...args);
      }
    }
    const server = createServer({ transport, IncomingMessage: Request, ServerResponse: Response }, (req, res) => {
      expect(res).toBeInstanceOf(Response);
      res.end(`${(req as unknown as Request).greeting} ${String(req.headers.host)}`);
    });
    const answer = await ask(await listenUwsgi(server));
    expect(answer.body.toString()).toBe('own app.example');
    expect(answer.headers['x-ended']).toBe('by its class');
  });

  it('lets go of the requests of a rush that is over', async () => {
    const requests: WeakRef<http.IncomingMessage>[] = [];
    const { target } = await serveUwsgi({ transport }, (req, res) => {
      requests.push(new WeakRef(req));
      if (requests.length % 2 === 0) res.end('x');
    });
    const sockets = await Promise.all(Array.from({ length: 100 }, () => open(target, packet())));
    await until(() => requests.length === sockets.length);
    for (const socket of sockets) socket.destroy();
    await until(() => {
      (globalThis as { gc?: () => void }).gc?.();
      return requests.filter((request) => request.deref() !== undefined).length < 5;
    });
    expect(requests).toHaveLength(sockets.length);
  });

  it('answers half-closed clients only if asked to, as node:http', async () => {
    const { server, target } = await serveUwsgi({ transport }, async (_req, res) => {
      await nextTurn();
      await nextTurn();
      res.end('x');
    });
    for (const keeps of [false, true]) {
      server.httpAllowHalfOpen = keeps;
      const socket = await open(target);
      socket.end(packet());
      expect((await readAll(socket)).length > 0).toBe(keeps);
      socket.destroy();
    }
  });
});
