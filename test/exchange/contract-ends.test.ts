/** As contract.test.ts: the ends of requests, responses and connections, by handlers, servers and clients. */
import * as http from 'node:http';
import * as net from 'node:net';
import { Readable, pipeline as pipe } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  LARGE,
  note,
  noteAll,
  noteSignal,
  hasSignal,
  outcomesOf,
  POST,
  serverOf,
  transports,
  type ContractCase,
} from '../support/uwsgi/contract-cases.js';
import { outcomeOf, type ContractHandler } from '../support/uwsgi/contract.js';

const cases: ContractCase[] = [
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

describe.each(transports)('as node:http does, at the end, on %s', (transport) => {
  it.each(cases)('%s', async (...one) => {
    const [ours, nodes] = await outcomesOf(transport, one);
    expect(ours).toEqual(nodes);
  });
});
