/** What handlers can rely on with node:http's requests and responses holds for ours: each is run by both. */
import { AsyncLocalStorage } from 'node:async_hooks';
import * as http from 'node:http';
import * as net from 'node:net';
import { Readable, finished, pipeline as pipe } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { subjects } from '../support/subjects.js';
import { outcomeOf, type ContractHandler, type ContractRequest, type Log } from '../support/uwsgi/contract.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));

function note(log: Log, what: string, emitter: NodeJS.EventEmitter, names: readonly string[]): void {
  for (const name of names) {
    emitter.on(name, (argument: unknown) => {
      log.push(
        `${what} ${name}${argument instanceof Error ? ` ${String((argument as NodeJS.ErrnoException).code)}` : ''}`,
      );
    });
  }
}

function noteAll(req: http.IncomingMessage, res: http.ServerResponse, log: Log): void {
  note(log, 'req', req, ['aborted', 'end', 'error', 'close']);
  note(log, 'res', res, ['prefinish', 'finish', 'error', 'close']);
}

function caught(log: Log, act: () => unknown): void {
  try {
    act();
    log.push('nothing thrown');
  } catch (error) {
    log.push(`${(error as NodeJS.ErrnoException).code ?? 'no code'}: ${(error as Error).message}`);
  }
}

function stateOf(res: http.ServerResponse): string {
  const { headersSent, writableEnded, writableFinished, destroyed, statusCode, statusMessage } = res;
  const rest = [res.writableLength, res.writableNeedDrain, res.writableCorked, res.closed, res.errored];
  return JSON.stringify([headersSent, writableEnded, writableFinished, destroyed, statusCode, statusMessage, ...rest]);
}

function serverOf(req: http.IncomingMessage): http.Server {
  return (req.socket as typeof req.socket & { server: http.Server }).server;
}

const POST: ContractRequest = { method: 'POST', body: 'some body' };
const LARGE = 'x'.repeat(3_000_000);
const BIG: ContractRequest = { method: 'POST', body: 'x'.repeat(300_000) };

const cases: [name: string, handler: ContractHandler, request?: ContractRequest][] = [
  ['end with a string', (_req, res) => res.end('h\u00e9llo \u{1f600}')],
  ['end with a Buffer', (_req, res) => res.end(Buffer.from([0, 255, 1]))],
  ['end with a Uint8Array', (_req, res) => res.end(new Uint8Array([1, 2, 3]))],
  ['end with an encoding', (_req, res) => res.end('68656c6c6f', 'hex')],
  ['end in latin1', (_req, res) => res.end('\u00e9', 'latin1')],
  ['end with nothing', (_req, res) => res.end()],
  ['end with an empty string', (_req, res) => res.end('')],
  ['end with what is no chunk', (_req, res, log) => (caught(log, () => res.end(5 as never)), res.end('x'))],
  ['end with null', (_req, res) => res.end(null)],
  ['write null', (_req, res, log) => (caught(log, () => res.write(null)), res.end())],
  ['callbacks of end', (_req, res, log) => res.end('x', () => log.push(`ended ${stateOf(res)}`))],
  ['a callback alone', (_req, res, log) => res.end(() => log.push('ended'))],
  [
    'callbacks of writes',
    (_req, res, log) => {
      res.write('a', () => log.push('a'));
      res.write('b', 'latin1', () => log.push('b'));
      res.end('c', 'utf8', () => log.push('c'));
    },
  ],
  [
    'the states of a response',
    (_req, res, log) => {
      log.push(stateOf(res));
      res.setHeader('X-A', '1');
      log.push(stateOf(res), JSON.stringify([res.getHeader('x-a'), res.hasHeader('X-a'), res.getHeaderNames()]));
      res.write('a');
      log.push(String(res.headersSent));
      res.end('b');
      // Not whether it is finished: node hands it over at once, we do so with the rest of the turn.
      log.push(String(res.writableEnded), String(res.headersSent));
      res.on('finish', () => log.push(stateOf(res), String(res.socket === null)));
      res.on('close', () => log.push(stateOf(res)));
    },
  ],
  ['events', (req, res, log) => (noteAll(req, res, log), res.end('x'))],
  ['events of an answer in pieces', (req, res, log) => (noteAll(req, res, log), res.write('x'), res.end())],
  ['events with a body that is not read', (req, res, log) => (noteAll(req, res, log), res.end('x')), POST],
  [
    'events with a body that is read',
    (req, res, log) => {
      noteAll(req, res, log);
      req.on('data', (chunk: Buffer) => log.push(`data ${String(chunk)}`));
      req.on('end', () => {
        log.push(`complete ${String(req.complete)}`);
        res.end('x');
      });
    },
    POST,
  ],
  [
    'a request without a body, read',
    (req, res, log) => {
      noteAll(req, res, log);
      req.on('end', () => res.end('ended'));
      req.resume();
    },
  ],
  [
    'a request without a body, read later',
    (req, res, log) => {
      setImmediate(() => {
        log.push(JSON.stringify([req.complete, req.readable, req.readableEnded, req.readableLength, req.destroyed]));
        noteAll(req, res, log);
        req.on('readable', () => log.push(`readable ${String(req.read())}`));
        req.on('end', () => res.end('ended'));
      });
    },
  ],
  [
    'for await over the body',
    async (req, res) => {
      let size = 0;
      for await (const chunk of req) size += (chunk as Buffer).length;
      res.end(String(size));
    },
    BIG,
  ],
  ['an echo by pipe', (req, res) => req.pipe(res), BIG],
  [
    'an echo by pipeline',
    async (req, res, log) => {
      await pipeline(req, res);
      log.push('done');
    },
    BIG,
  ],
  [
    'an echo by web streams',
    async (req, res) => {
      for await (const chunk of Readable.toWeb(req)) res.write(chunk);
      res.end();
    },
    BIG,
  ],
  [
    'finished() of both',
    (req, res, log) => {
      finished(req, (error) => log.push(`req finished ${String(error?.code)}`));
      finished(res, (error) => log.push(`res finished ${String(error?.code)}`));
      req.resume();
      res.end('x');
    },
    POST,
  ],
  [
    'setEncoding',
    (req, res) => {
      req.setEncoding('hex');
      req.on('data', (text: string) => res.write(text));
      req.on('end', () => res.end());
    },
    POST,
  ],
  ['writeHead with an object', (_req, res) => res.writeHead(201, { 'X-A': 'b', 'x-c': ['d', 'e'] }).end('x')],
  ['writeHead with an array', (_req, res) => res.writeHead(201, ['X-A', 'b', 'x-c', 'd']).end('x')],
  ['writeHead with a reason', (_req, res) => res.writeHead(299, 'Very fine', { A: 1 }).end('x')],
  [
    'writeHead over setHeader',
    (_req, res) => (res.setHeader('A', '1'), res.writeHead(200, { a: '2', B: '3' }).end('x')),
  ],
  ['writeHead twice', (_req, res, log) => (res.writeHead(200), caught(log, () => res.writeHead(200)), res.end())],
  ['writeHead with a bad status', (_req, res, log) => (caught(log, () => res.writeHead(99)), res.end())],
  ['writeHead with a bad name', (_req, res, log) => (caught(log, () => res.writeHead(200, { 'a b': 'c' })), res.end())],
  [
    'writeHead with a bad value',
    (_req, res, log) => (caught(log, () => res.writeHead(200, { a: 'b\r\nc' })), res.end()),
  ],
  [
    'a bad reason',
    (_req, res, log) => {
      res.statusMessage = 'a\nb';
      caught(log, () => res.end('x'));
      res.statusMessage = 'ok';
      res.end('x');
    },
  ],
  [
    'setHeader with bad names and values',
    (_req, res, log) => {
      caught(log, () => res.setHeader('a b', 'c'));
      caught(log, () => res.setHeader('a', 'b\n'));
      caught(log, () => res.setHeader('a', undefined as never));
      res.end();
    },
  ],
  [
    'setHeader after the head',
    (_req, res, log) => {
      res.write('x');
      caught(log, () => res.setHeader('a', 'b'));
      caught(log, () => {
        res.removeHeader('a');
      });
      caught(log, () => res.appendHeader('a', 'b'));
      res.end();
    },
  ],
  [
    'several values',
    (_req, res) => {
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.setHeader('cookie', ['a=1', 'b=2']);
      res.appendHeader('X-More', '1');
      res.appendHeader('X-More', '2');
      res.end('x');
    },
  ],
  [
    'setHeaders',
    (_req, res) => (
      res.setHeaders(
        new Map([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
      res.end('x')
    ),
  ],
  ['no date', (_req, res) => (res.removeHeader('date'), res.end('x'))],
  ['a date of its own', (_req, res) => (res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT'), res.end('x'))],
  ['a length of its own', (_req, res) => (res.setHeader('Content-Length', 3), res.write('a'), res.end('bc'))],
  ['a length that is removed', (_req, res) => (res.removeHeader('Content-Length'), res.end('abc'))],
  ['chunks, asked for', (_req, res) => (res.setHeader('Transfer-Encoding', 'chunked'), res.end('abc'))],
  ['chunks, asked for by writeHead', (_req, res) => res.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end('abc')],
  ['another transfer coding', (_req, res) => (res.setHeader('Transfer-Encoding', 'gzip'), res.end('abc'))],
  ['a length that is too long', (_req, res) => res.setHeader('Content-Length', 5).end('abc')],
  ['a length that is too short', (_req, res) => res.setHeader('Content-Length', 2).end('abc')],
  ['a length that is none', (_req, res) => res.setHeader('Content-Length', 'abc').end('abc')],
  [
    'a length that is too short, of an answer in pieces',
    (_req, res) => (res.setHeader('Content-Length', 2), res.write('abc'), res.end('d')),
  ],
  [
    'a length that is not kept, strictly',
    (_req, res, log) => {
      res.strictContentLength = true;
      res.setHeader('Content-Length', 5);
      res.write('abc');
      caught(log, () => res.end());
      caught(log, () => res.end('de'));
    },
  ],
  [
    'content-disposition in latin1',
    (_req, res) => {
      res.setHeader('Content-Disposition', 'attachment; filename="\u00e9.txt"');
      res.end('x');
    },
  ],
  [
    'flushHeaders',
    (_req, res, log) => {
      res.flushHeaders();
      log.push(String(res.headersSent));
      setImmediate(() => res.end('later'));
    },
  ],
  [
    'cork and uncork',
    (_req, res, log) => {
      res.cork();
      res.write('a');
      log.push(String(res.writableCorked));
      res.uncork();
      res.end('b');
    },
  ],
  [
    'write after end',
    (_req, res, log) => {
      note(log, 'res', res, ['error']);
      res.end('x');
      log.push(String(res.write('y', (error) => log.push(`write ${String((error as NodeJS.ErrnoException).code)}`))));
      res.end('z', () => undefined);
    },
  ],
  ['end twice', (_req, res, log) => (res.end('x'), res.end(() => log.push('second')))],
  [
    'end after all',
    (_req, res, log) => {
      res.end('x');
      res.on('close', () =>
        res.end((error?: Error) => log.push(String((error as { code?: string } | undefined)?.code))),
      );
    },
  ],
  [
    'pipe from a response',
    (_req, res, log) => {
      note(log, 'res', res, ['error']);
      res.pipe(process.stdout);
      res.end();
    },
  ],
  [
    'HEAD with a body',
    (_req, res, log) => (noteAll(_req, res, log), res.write('x'), res.end('body')),
    { method: 'HEAD' },
  ],
  ['HEAD with end', (_req, res) => res.end('body'), { method: 'HEAD' }],
  ['204', (_req, res) => res.writeHead(204).end('body')],
  ['304', (_req, res) => (res.setHeader('ETag', '"a"'), res.writeHead(304).end())],
  ['destroy', (req, res, log) => (noteAll(req, res, log), res.destroy())],
  [
    'destroy with an error',
    (req, res, log) => (noteAll(req, res, log), res.destroy(new Error('own')), log.push(String(res.errored))),
  ],
  ['destroy of the request', (req, res, log) => (noteAll(req, res, log), req.destroy())],
  ['destroy of the socket', (req, res, log) => (noteAll(req, res, log), req.socket.destroy()), POST],
  [
    'destroy half-way',
    (req, res, log) => {
      noteAll(req, res, log);
      res.setHeader('Content-Length', 10);
      res.write('half', () => res.destroy());
    },
  ],
  [
    'a socket that is told of TLS',
    ({ socket }, res) => {
      Object.assign(socket, { encrypted: true });
      res.end(String((socket as unknown as { encrypted: boolean }).encrypted));
    },
  ],
  [
    'the states of a socket',
    ({ socket }, res, log) => {
      const tell = (): unknown => log.push(`${socket.readyState} ${String([socket.connecting, socket.pending])}`);
      tell();
      res.end('x');
      socket.on('close', () => log.push(socket.readyState));
    },
  ],
  [
    'what is no chunk for the socket',
    (req, res, log) => {
      // Only its code: the words differ from one version of node to the next.
      try {
        req.socket.write(5 as never);
      } catch (error) {
        log.push(String((error as NodeJS.ErrnoException).code));
      }
      res.end('x');
    },
  ],
  [
    'the socket ended with null',
    (req, res, log) => (noteAll(req, res, log), res.end('x'), req.socket.end(null as never)),
  ],
  [
    "'drain', and then callbacks of writes",
    (req, res, log) => {
      noteAll(req, res, log);
      res.on('drain', () => log.push('drain'));
      log.push(String(res.write(LARGE, () => log.push('large'))), String(res.writableNeedDrain));
      res.write('small', () => {
        log.push('small');
        res.end();
      });
    },
  ],
  [
    'writes in callbacks of writes',
    (req, res, log) => {
      noteAll(req, res, log);
      res.on('drain', () => log.push('drain'));
      res.write(LARGE, () => {
        log.push('first', String(res.write(LARGE, () => res.end(() => log.push('ended')))));
      });
    },
  ],
  [
    'a large end in a callback of a write',
    (req, res, log) => (noteAll(req, res, log), res.write('x', () => res.end(LARGE))),
  ],
  [
    "'drain' of the socket",
    (req, res, log) => {
      noteAll(req, res, log);
      note(log, 'socket', req.socket, ['drain']);
      log.push(
        String(req.socket.write(`HTTP/1.1 200 OK\r\n\r\n${LARGE}`, () => req.socket.end())),
        String(req.socket.writableNeedDrain),
      );
    },
  ],
  ['an answer, and the socket ended', (req, res, log) => (noteAll(req, res, log), res.end('x'), req.socket.end())],
  [
    'a large answer, and the socket ended',
    (req, res, log) => (noteAll(req, res, log), res.end(LARGE), req.socket.end()),
  ],
  [
    'an answer in pieces, and the socket ended',
    (req, res, log) => {
      noteAll(req, res, log);
      res.write('x', () => log.push('written'));
      res.end('y', () => log.push('ended'));
      req.socket.destroySoon();
    },
  ],
  [
    'an answer, and the socket destroyed',
    (req, res, log) => {
      noteAll(req, res, log);
      res.end('x', () => log.push('ended'));
      req.socket.destroy();
    },
  ],
  ['the socket ended, and no answer', (req, res, log) => (noteAll(req, res, log), req.socket.end())],
  [
    'destroy in the callback of end',
    (req, res, log) => (noteAll(req, res, log), res.end('x', () => (log.push('ended'), res.destroy()))),
  ],
  [
    "destroy in a listener of 'finish'",
    (req, res, log) => (res.on('finish', () => res.destroy()), noteAll(req, res, log), res.end('x')),
  ],
  [
    "destroy in a listener of 'drain'",
    (req, res, log) => (res.on('drain', () => res.destroy()), noteAll(req, res, log), res.write(LARGE)),
  ],
  [
    "destroy in a listener of 'close'",
    (req, res, log) => (res.on('close', () => res.destroy()), noteAll(req, res, log), res.end('x')),
  ],
  [
    'destroy in the callback of a write that had to wait',
    (req, res, log) => {
      noteAll(req, res, log);
      res.write(LARGE, () => (log.push('first'), res.destroy()));
      res.write('y', (error) => log.push(`second ${String((error as NodeJS.ErrnoException | null)?.code)}`));
    },
  ],
  [
    'the states of a server',
    (req, res, log) => {
      const server = serverOf(req);
      const { listening, timeout, headersTimeout, requestTimeout, keepAliveTimeout, maxConnections } = server;
      const classes = [server instanceof http.Server, server instanceof net.Server];
      log.push(JSON.stringify([classes, listening, timeout, headersTimeout, requestTimeout]));
      log.push(JSON.stringify([keepAliveTimeout, maxConnections, server.maxHeadersCount, server.eventNames()[0]]));
      server.getConnections((error, count) => {
        log.push(`${String(error)} ${String(count)}`);
        res.end('x');
      });
    },
  ],
  [
    "a request that is emitted again by its server's emit",
    (req, res, log) => {
      const server = serverOf(req);
      log.push(String(server.listenerCount('request')));
      server.once('again', () => res.end('x'));
      log.push(String(server.emit('again', req, res)));
    },
  ],
  [
    'a server closed in its handler',
    (req, res, log) => {
      noteAll(req, res, log);
      serverOf(req).close();
      res.end('x');
    },
  ],
  [
    'a server closed behind a large answer and an ended socket',
    (req, res, log) => {
      noteAll(req, res, log);
      res.end(LARGE);
      req.socket.end();
      serverOf(req).close();
    },
  ],
  [
    'all connections closed in a handler',
    (req, res, log) => {
      noteAll(req, res, log);
      const server = serverOf(req);
      server.close(() => log.push('closed'));
      server.closeAllConnections();
      res.end('x');
    },
  ],
  [
    'all connections closed in a callback of a write',
    (req, res, log) => {
      noteAll(req, res, log);
      const server = serverOf(req);
      res.write('x', () => {
        log.push('written');
        server.close(() => log.push('closed'));
        server.closeAllConnections();
      });
      res.write('y', () => log.push('second'));
    },
  ],
  [
    'a body that fails in a pipeline',
    (req, res, log) => {
      noteAll(req, res, log);
      note(log, 'socket', req.socket, ['error', 'close']);
      const body = new Readable({ read: () => body.destroy(Object.assign(new Error('no body'), { code: 'ENOBODY' })) });
      pipe(body, res, (error) => log.push(`pipeline ${String(error?.code)}`));
    },
  ],
  [
    'a body that fails in a pipeline, when some of it was sent',
    (req, res, log) => {
      noteAll(req, res, log);
      note(log, 'socket', req.socket, ['error', 'close']);
      const body = new Readable({ read: () => undefined });
      body.push('x');
      res.on('pipe', () => setImmediate(() => body.destroy(Object.assign(new Error('no more'), { code: 'ENOMORE' }))));
      pipe(body, res, (error) => log.push(`pipeline ${String(error?.code)}`));
    },
  ],
  [
    'a destroyed socket, with an error',
    (req, res, log) => {
      noteAll(req, res, log);
      note(log, 'socket', req.socket, ['error', 'close']);
      req.socket.destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' }));
      process.nextTick(() => log.push('tick'));
    },
  ],
  ['a client that goes', noteAll, { leave: (socket) => socket.resume() }],
  [
    'a client that goes within its body',
    (req, res, log) => {
      noteAll(req, res, log);
      req.resume();
    },
    { method: 'POST', headers: {}, body: 'x', leave: (socket) => socket.destroy() },
  ],
];

/** `request.signal` is of newer nodes. */
const hasSignal = 'signal' in http.IncomingMessage.prototype;

function noteSignal(req: http.IncomingMessage, log: Log): void {
  const { signal } = req as http.IncomingMessage & { signal: AbortSignal };
  log.push(`aborted ${String(signal.aborted)}`);
  signal.addEventListener('abort', () => log.push('abort'));
}

const signalCases: typeof cases = [
  ['answered', (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), res.end('x'))],
  [
    'answered in pieces, with a body that is not read',
    (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), res.write('x'), res.end()),
    POST,
  ],
  [
    'answered when the body has been read',
    (req, res, log) => {
      noteSignal(req, log);
      req.resume().on('end', () => res.end('x'));
    },
    POST,
  ],
  [
    "asked for in 'finish'",
    (req, res, log) => (
      res.on('finish', () => {
        noteSignal(req, log);
      }),
      res.end('x')
    ),
  ],
  [
    "asked for in 'close'",
    (req, res, log) => (
      res.on('close', () => {
        noteSignal(req, log);
      }),
      res.end('x')
    ),
  ],
  ['a request that is destroyed', (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), req.destroy())],
  ['a response that is destroyed', (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), res.destroy())],
  [
    'a client that goes',
    (req, res, log) => {
      noteAll(req, res, log);
      noteSignal(req, log);
    },
    { leave: (socket) => socket.destroy() },
  ],
  [
    'a client that goes within its body',
    (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), req.resume()),
    { method: 'POST', body: 'x', headers: {}, leave: (socket) => socket.destroy() },
  ],
];

/** What a handler enters, and where it is found again. */
const contextCases: typeof cases = (
  [
    ['end', (_req, res, found) => res.end('x', () => found('end'))],
    ['write', (_req, res, found) => (res.write('x', () => found('write')), res.end('y', () => found('end')))],
    ['a large write', (_req, res, found) => (res.write(LARGE, () => found('write')), res.end('y', () => found('end')))],
    [
      'writes of several contexts',
      (_req, res, found, storage) => {
        for (const name of ['a', 'b', 'c']) storage.run(name, () => res.write(name, () => found('write')));
        storage.run('d', () => res.end(() => found('end')));
      },
    ],
    ['an end of another context', (_req, res, _found, storage) => storage.run('end', () => res.end('x'))],
    ['an answer that comes later', (_req, res) => setImmediate(() => res.end('x'))],
    [
      'the body, by listeners that come later',
      (req, res, found) => {
        setImmediate(() => req.on('data', () => found('data')).on('end', () => (found('end'), res.end('x'))));
      },
    ],
    [
      'the body, by promises',
      async (req, res, found) => {
        for await (const chunk of req) found(`data ${String(chunk)}`);
        found('end');
        res.end('x');
      },
    ],
  ] as [
    string,
    (
      req: http.IncomingMessage,
      res: http.ServerResponse,
      found: (where: string) => unknown,
      storage: AsyncLocalStorage<string>,
    ) => unknown,
  ][]
).map(([name, act]) => [
  name,
  (req, res, log) => {
    const storage = new AsyncLocalStorage<string>();
    const found = (where: string): number => log.push(`${where} ${String(storage.getStore())}`);
    found('before');
    storage.enterWith('entered');
    res.on('finish', () => found('finish'));
    res.on('close', () => found('close'));
    return act(req, res, found, storage);
  },
  POST,
]);

/** A client that is gone, of which the server learns by its write. Until node 22 'finish' is told there even so. */
const lostCases: [name: string, answer: (res: http.ServerResponse, ended: (error?: Error) => void) => unknown][] = [
  ['a large answer', (res, ended) => res.end(LARGE, ended)],
  ['a large answer of bytes', (res, ended) => res.end(Buffer.from(LARGE), ended)],
  ['a small answer', (res, ended) => res.end('x', ended)],
  ['an answer in pieces', (res, ended) => (res.write('x'), res.end(LARGE, ended))],
];

describe.each(transports)('a client that goes before it is answered, on %s', (transport) => {
  it.each(lostCases)('%s', async (_, answer) => {
    const handler: ContractHandler = (req, res, log) => {
      noteAll(req, res, log);
      if (hasSignal) noteSignal(req, log);
      answer(res, (error?: NodeJS.ErrnoException) => log.push(`ended ${String(error?.code)}`));
    };
    const { log } = await outcomeOf(transport, handler, { leave: (socket) => socket.destroy() });
    expect(log).not.toContain('res finish');
    expect(log.filter((told) => told.startsWith('ended') && told !== 'ended EPIPE')).toEqual([]);
    expect(log).toContain('req error ECONNRESET');
    if (hasSignal) expect(log).toContain('abort');
    expect(log.at(-1)).toBe('req close');
  });
});

describe.each(transports)('as node:http does, on %s', (transport) => {
  it.runIf(hasSignal).each(signalCases)('request.signal: %s', async (_, handler, request = {}) => {
    const expected = await outcomeOf('node:http', handler, request);
    expect(await outcomeOf(transport, handler, request)).toEqual(expected);
  });

  it.each(contextCases)('the async context: %s', async (_, handler, request = {}) => {
    const expected = await outcomeOf('node:http', handler, request);
    expect(await outcomeOf(transport, handler, request)).toEqual(expected);
  });
});

describe.each(transports)('as node:http does, on %s', (transport) => {
  it.each(cases)('%s', async (_, handler, request = {}) => {
    const expected = await outcomeOf('node:http', handler, request);
    expect(await outcomeOf(transport, handler, request)).toEqual(expected);
  });
});
