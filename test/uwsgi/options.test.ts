/** The options of node's createServer, and of ours: each is heeded or refused. */
import * as http from 'node:http';
import { createServer, type UwsgiServerOptions } from 'nearwire/uwsgi';
import { describe, expect, it } from 'vitest';
import { readAll } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';
import { ask, open, packet, parseAnswer, rawPacket } from '../support/uwsgi/packets.js';
import { serveUwsgi } from '../support/uwsgi/serve.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));

/** All that node:http reads of its options here. */
function optionsOfNode(): string[] {
  const names = new Set<string>();
  const get = (_: object, name: string | symbol): undefined => {
    if (typeof name === 'string') names.add(name);
    return undefined;
  };
  new http.Server(new Proxy({}, { get }));
  return [...names];
}

/** Values that node:http takes, other than its defaults. */
const VALUES: Record<string, unknown> = {
  IncomingMessage: http.IncomingMessage,
  ServerResponse: http.ServerResponse,
  headersTimeout: 1000,
  requestTimeout: 2000,
  connectionsCheckingInterval: 1000,
  rejectNonStandardBodyWrites: true,
  joinDuplicateHeaders: true,
  uniqueHeaders: ['x-a'],
  highWaterMark: 1000,
  noDelay: false,
  keepAlive: true,
  keepAliveInitialDelay: 1000,
};

const REFUSED: Record<string, unknown> = {
  keepAliveTimeout: 1000,
  keepAliveTimeoutBuffer: 1000,
  insecureHTTPParser: true,
  httpValidation: 'relaxed',
  requireHostHeader: false,
  maxHeaderSize: 1000,
  shouldUpgradeCallback: () => true,
  optimizeEmptyRequests: true,
  maxVariable: 3,
  constructor: 1,
};

function sized(text: string): Buffer {
  return Buffer.from([text.length, 0, ...Buffer.from(text)]);
}

describe('options of a uwsgi server', () => {
  it('are all of which node:http knows', () => {
    const known = new Set([...Object.keys(VALUES), ...Object.keys(REFUSED)]);
    expect(optionsOfNode().filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(Object.entries(VALUES))('%s is taken', (name, value) => {
    expect(createServer({ [name]: value } as UwsgiServerOptions).listening).toBe(false);
    expect(createServer({ [name]: undefined } as UwsgiServerOptions).listening).toBe(false);
  });

  it.each(Object.entries(REFUSED))('%s is refused', (name, value) => {
    const code = 'ERR_INVALID_ARG_VALUE';
    expect(() => createServer({ [name]: value } as UwsgiServerOptions)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(`options.${name}`) as string }),
    );
  });

  it.each([
    ['joinDuplicateHeaders', 1, 'ERR_INVALID_ARG_TYPE'],
    ['rejectNonStandardBodyWrites', 'yes', 'ERR_INVALID_ARG_TYPE'],
    ['uniqueHeaders', 'x-a', 'ERR_INVALID_ARG_TYPE'],
    ['uniqueHeaders', [1], 'ERR_INVALID_ARG_TYPE'],
    ['highWaterMark', -1, 'ERR_OUT_OF_RANGE'],
    ['highWaterMark', '1', 'ERR_INVALID_ARG_TYPE'],
    ['headersTimeout', 1.5, 'ERR_OUT_OF_RANGE'],
    ['IncomingMessage', {}, 'ERR_INVALID_ARG_TYPE'],
    ['ServerResponse', null, 'ERR_INVALID_ARG_TYPE'],
  ])('%s: %o is refused', (name, value, code) => {
    expect(() => createServer({ [name]: value } as UwsgiServerOptions)).toThrow(expect.objectContaining({ code }));
  });
});

describe.each(transports)('on %s', (transport) => {
  it('uniqueHeaders sends several values as one, as node:http does', async () => {
    const handler: http.RequestListener = (_req, res) => {
      res.setHeader('X-One', ['a', 'b']);
      res.setHeader('X-Several', ['a', 'b']);
      res.setHeader('Cookie', ['a=1', 'b=2']);
      res.end();
    };
    const { target } = await serveUwsgi({ transport, uniqueHeaders: ['x-oNE'] }, handler);
    const { lines } = await ask(target);
    const rest = lines.filter((line) => !/^(date|content-length):/i.test(line));
    expect(rest).toEqual(['X-One: a; b', 'X-Several: a', 'X-Several: b', 'Cookie: a=1; b=2']);
  });

  it.each([
    ['HEAD', 200, 'ERR_HTTP_BODY_NOT_ALLOWED'],
    ['GET', 204, 'ERR_HTTP_BODY_NOT_ALLOWED'],
    ['GET', 304, 'ERR_HTTP_BODY_NOT_ALLOWED'],
    ['GET', 200, undefined],
  ])('rejectNonStandardBodyWrites refuses a body where none may be (%s, %i)', async (method, status, expected) => {
    let code: string | undefined;
    const { target } = await serveUwsgi({ transport, rejectNonStandardBodyWrites: true }, (_req, res) => {
      res.statusCode = status;
      try {
        res.end('body');
      } catch (error) {
        ({ code } = error as NodeJS.ErrnoException);
        res.end();
      }
    });
    expect((await ask(target, { REQUEST_METHOD: method })).status).toBe(status);
    expect(code).toBe(expected);
  });

  it('joinDuplicateHeaders keeps all of those that came several times', async () => {
    const twice = ['HTTP_REFERER', 'a', 'HTTP_REFERER', 'b', 'REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'];
    for (const [joinDuplicateHeaders, expected] of [
      [undefined, 'a'],
      [false, 'a'],
      [true, 'a, b'],
    ] as const) {
      const { target } = await serveUwsgi({ transport, joinDuplicateHeaders }, (req, res) =>
        res.end(req.headers.referer),
      );
      const socket = await open(target, rawPacket(Buffer.concat(twice.map(sized))));
      expect(parseAnswer(await readAll(socket)).body.toString()).toBe(expected);
      socket.destroy();
    }
  });

  it('highWaterMark says when a writer and a client are held back', async () => {
    const { target } = await serveUwsgi({ transport, highWaterMark: 100 }, (req, res) => {
      const marks = [req.readableHighWaterMark, res.writableHighWaterMark, req.socket.writableHighWaterMark];
      expect(marks).toEqual([100, 100, 100]);
      res.flushHeaders();
      setImmediate(() => {
        res.end(JSON.stringify([res.write('x'.repeat(99)), res.write('x')]));
      });
    });
    const socket = await open(target, packet());
    expect((await readAll(socket)).toString('latin1')).toContain('[true,false]');
    socket.destroy();
  });
});
