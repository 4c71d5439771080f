/** Requests by the uwsgi protocol and their answers, byte by byte, on both transports. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import { createServer } from 'nearwire/uwsgi';
import { describe, expect, it } from 'vitest';
import { nextTurn, pattern, readAll } from '../support/sockets.js';
import { families, subjects } from '../support/subjects.js';
import {
  ask,
  askRaw,
  open,
  packet,
  parseAnswer,
  rawPacket,
  VARIABLES,
  type Variables,
} from '../support/uwsgi/packets.js';
import { bodyOf, serveUwsgi } from '../support/uwsgi/serve.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));
const everyWay = transports.flatMap((transport) => families.map((family) => ({ transport, family })));

describe.each(everyWay)('uwsgi on $transport over $family', ({ transport, family }) => {
  it('makes a request of the variables', async () => {
    const seen: Record<string, unknown>[] = [];
    const { server, target } = await serveUwsgi(
      { transport },
      (req, res) => {
        const { method, url, httpVersion, headers, rawHeaders, headersDistinct, uwsgi, socket } = req;
        const { remoteAddress, remotePort, remoteFamily } = socket;
        const encrypted = (socket as unknown as { encrypted: unknown }).encrypted;
        seen.push({ method, url, httpVersion, headers, rawHeaders, headersDistinct, remoteAddress, remotePort });
        seen.push({ remoteFamily, encrypted, uwsgi: { ...uwsgi } });
        expect(req).toBeInstanceOf(http.IncomingMessage);
        expect(res).toBeInstanceOf(http.ServerResponse);
        expect(req.complete).toBe(false);
        res.end('hello');
      },
      family,
    );
    expect(server.transport).toBe(transport);
    const more = {
      HTTP_X_MIXED_CASE: 'Yes',
      HTTP_COOKIE: 'a=1; b=2',
      CONTENT_TYPE: 'text/plain',
      HTTP_CONTENT_TYPE: 'text/plain',
      HTTP_CONTENT_LENGTH: '0',
      HTTP_TRANSFER_ENCODING: 'chunked',
      REMOTE_USER: 'J\xf6rg',
    };
    const answer = await ask(target, more);
    expect(answer).toMatchObject({ status: 200, statusText: 'OK', headers: { 'content-length': '5' } });
    expect(answer.body.toString()).toBe('hello');
    const headers = { host: 'app.example', 'x-mixed-case': 'Yes', cookie: 'a=1; b=2', 'content-type': 'text/plain' };
    expect(seen[0]).toEqual({
      method: 'GET',
      url: '/path?a=1',
      httpVersion: '1.1',
      headers,
      rawHeaders: [
        ['content-type', 'text/plain'],
        ['host', 'app.example'],
        ['x-mixed-case', 'Yes'],
        ['cookie', 'a=1; b=2'],
      ].flat(),
      headersDistinct: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      remoteAddress: '192.0.2.7',
      remotePort: 40_000,
    });
    expect(seen[1]).toEqual({ remoteFamily: 'IPv4', encrypted: false, uwsgi: { ...VARIABLES, ...more } });
  });

  it('streams a body of any size to its reader', async () => {
    const { target } = await serveUwsgi(
      { transport },
      async (req, res) => {
        const body = await bodyOf(req);
        res.end(createHash('sha256').update(body).digest('hex') + String(req.complete));
      },
      family,
    );
    for (const size of [0, 1, 65_535, 65_536, 1_000_000, 20_000_000]) {
      const body = pattern(size);
      const answer = await ask(target, {}, body);
      expect(answer.body.toString()).toBe(`${createHash('sha256').update(body).digest('hex')}true`);
    }
  });

  it('answers with bodies of any size, whole or in pieces', async () => {
    const { target } = await serveUwsgi(
      { transport },
      async (req, res) => {
        const body = pattern(Number(req.headers['x-size']));
        if (req.url === '/whole') {
          res.end(body);
          return;
        }
        for (let at = 0; at < body.length; at += 10_000) {
          if (!res.write(body.subarray(at, at + 10_000))) await once(res, 'drain');
        }
        res.end();
      },
      family,
    );
    for (const size of [0, 1, 8_191, 8_193, 100_000, 5_000_000]) {
      for (const url of ['/whole', '/pieces']) {
        const { headers, body } = await ask(target, { REQUEST_URI: url, HTTP_X_SIZE: String(size) });
        expect(body.equals(pattern(size))).toBe(true);
        expect(headers['content-length']).toBe(url === '/whole' || size === 0 ? String(size) : undefined);
        expect(headers).not.toHaveProperty('transfer-encoding');
        expect(headers).not.toHaveProperty('connection');
      }
    }
  });
});

/** As `packet`, with two of a name. */
function twoLengths(one: string, other: string): Buffer {
  const first = packet({ CONTENT_LENGTH: one }).subarray(4);
  // The second in a packet of its own, without what is around it.
  const more = Buffer.from(`\x0e\0CONTENT_LENGTH${String.fromCharCode(other.length)}\0${other}`, 'latin1');
  return rawPacket(Buffer.concat([first, more]));
}

describe.each(transports)('uwsgi packets on %s', (transport) => {
  it('may have other variables of any bytes, and headers of any that node lets through', async () => {
    const { target } = await serveUwsgi({ transport }, (req, res) => {
      res.end(
        JSON.stringify([req.uwsgi['CERTIFICATE'], req.uwsgi['PATH_INFO'], req.headers['x-a'], req.headers.cookie]),
      );
    });
    const variables = { CERTIFICATE: '-----\n\tAb\n', PATH_INFO: '/a\nb\0', HTTP_X_A: '\t~\xff', HTTP_COOKIE: '' };
    const { body } = await ask(target, variables);
    expect(JSON.parse(body.toString())).toEqual(['-----\n\tAb\n', '/a\nb\0', '\t~\xff', '']);
  });

  it('tell the length and the coding of a body once, whatever a header says of them', async () => {
    const { target } = await serveUwsgi({ transport }, async (req, res) => {
      res.end(JSON.stringify([req.rawHeaders, req.headers, (await bodyOf(req)).toString()]));
    });
    const headers = { HTTP_content_length: '9', HTTP_Content_Length: '9', HTTP_Transfer_Encoding: 'chunked' };
    const { body } = await ask(
      target,
      { ...headers, HTTP_transfer_encoding: 'chunked', HTTP_content_TYPE: 'x' },
      'body',
    );
    const expected = { host: 'app.example', 'content-length': '4' };
    const raw = ['content-length', '4', 'host', 'app.example'];
    expect(JSON.parse(body.toString())).toEqual([raw, expected, 'body']);
  });

  it('may tell one length twice', async () => {
    const { target } = await serveUwsgi({ transport }, async (req, res) => {
      res.end(await bodyOf(req));
    });
    const answer = await askRaw(target, Buffer.concat([twoLengths('4', '4'), Buffer.from('body')]));
    expect(parseAnswer(answer).body.toString()).toBe('body');
  });

  it('that are refused are the last of their connection', async () => {
    const urls: unknown[] = [];
    const { target } = await serveUwsgi({ transport }, (req, res) => {
      urls.push(req.url);
      res.end('served');
    });
    const bytes = Buffer.concat([packet({ REQUEST_METHOD: '' }), packet({ REQUEST_URI: '/second' })]);
    expect(parseAnswer(await askRaw(target, bytes))).toMatchObject({ status: 400, body: Buffer.alloc(0) });
    const socket = await open(target, packet({ HTTP_X_A: '\0' }));
    socket.on('error', () => undefined);
    const answer = readAll(socket);
    socket.write(packet({ REQUEST_URI: '/third' }));
    expect((await answer).toString().match(/HTTP/g)).toHaveLength(1);
    socket.destroy();
    expect(urls).toEqual([]);
  });

  it('that are announced take no memory before they come', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end());
    const count = 200;
    const before = process.memoryUsage().arrayBuffers;
    const sockets = await Promise.all(Array.from({ length: count }, () => open(target, Buffer.from([0, 255, 255, 0]))));
    while (server.stats().accepted < count) await nextTurn();
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((count * 65_539) / 4);
    for (const socket of sockets) socket.destroy();
  });

  it("give chunks that are a program's own: it may transfer them while others are read", async () => {
    const size = 30_000;
    const { target } = await serveUwsgi({ transport }, async (req, res) => {
      const moved: Uint8Array[] = [];
      for await (const chunk of req as AsyncIterable<Buffer>) {
        expect([chunk.byteOffset, chunk.buffer.byteLength]).toEqual([0, chunk.length]);
        moved.push(new Uint8Array(structuredClone(chunk.buffer, { transfer: [chunk.buffer as ArrayBuffer] })));
        expect(chunk.length).toBe(0);
        await nextTurn();
      }
      res.end(Buffer.concat(moved));
    });
    const bodies = [1, 100, 4000, 9000, size, 70_000, 300_000].flatMap((length) => [pattern(length), pattern(length)]);
    const answers = await Promise.all(bodies.map((body) => ask(target, {}, body)));
    for (const [i, { body }] of answers.entries()) expect(body.equals(bodies[i] ?? Buffer.alloc(0))).toBe(true);
  });

  it.each([1, 2, 3, 4, 5, 7, 64, 200])('come in pieces of %i bytes', async (size) => {
    const { target } = await serveUwsgi({ transport }, async (req, res) => {
      res.end(`${String(req.headers.host)} ${(await bodyOf(req)).toString()}`);
    });
    const bytes = Buffer.concat([packet({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '10' }), Buffer.from('0123456789')]);
    const socket = await open(target);
    const all = readAll(socket);
    for (let at = 0; at < bytes.length; at += size) {
      socket.write(bytes.subarray(at, at + size));
      await nextTurn();
    }
    expect(parseAnswer(await all).body.toString()).toBe('app.example 0123456789');
    socket.destroy();
  });

  const short = Buffer.from([3, 0, 65, 66]);
  it.each([
    [
      'HTTP',
      Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
      400,
      'ERR_NEARWIRE_UWSGI_MODIFIER',
      /speak HTTP.*uwsgi_pass/,
    ],
    ['another modifier1', packet({}, 5), 400, 'ERR_NEARWIRE_UWSGI_MODIFIER', /modifier1 5 /],
    ['TLS', Buffer.from([22, 3, 1, 2, 0]), 400, 'ERR_NEARWIRE_UWSGI_MODIFIER', /TLS/],
    ['a variable that is cut short', rawPacket(short), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /beyond|short/],
    ['a name beyond the packet', rawPacket(Buffer.from([255, 255, 0, 0])), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /name/],
    ['a value beyond the packet', rawPacket(Buffer.from([1, 0, 65, 9, 9])), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /value/],
    ['no variables', rawPacket(Buffer.alloc(0)), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /REQUEST_METHOD/],
    ['no method', packet({ REQUEST_METHOD: 'A B' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /REQUEST_METHOD/],
    ['an empty method', packet({ REQUEST_METHOD: '' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /REQUEST_METHOD/],
    ['a URL of two lines', packet({ REQUEST_URI: '/a\r\nb: c' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /REQUEST_URI/],
    ['a URL with a space', packet({ REQUEST_URI: '/a b' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /REQUEST_URI/],
    ['a URL with NUL', packet({ REQUEST_URI: '/a\0' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /REQUEST_URI/],
    ['a URL in latin1', packet({ REQUEST_URI: '/\xfc' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /REQUEST_URI/],
    [
      'a query of two lines',
      packet({ REQUEST_URI: '', QUERY_STRING: 'a\nb' }),
      400,
      'ERR_NEARWIRE_UWSGI_PACKET',
      /QUERY_STRING/,
    ],
    ['a header with CRLF', packet({ HTTP_X_A: 'a\r\nb: c' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /value/],
    ['a header with LF', packet({ HTTP_X_A: 'a\nb' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /value/],
    ['a header with NUL', packet({ HTTP_HOST: 'a\0' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /value/],
    ['a header with a control character', packet({ HTTP_X_A: '\x1b[2J' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /value/],
    ['a type with CRLF', packet({ CONTENT_TYPE: 'a\r\nb: c' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /CONTENT_TYPE/],
    ['a header without a name', packet({ HTTP_: 'a' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /name/],
    ['a name of two lines', packet({ 'HTTP_A\r\nB': 'a' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /name/],
    ['a name with a colon', packet({ 'HTTP_A:': 'a' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /name/],
    ['two lengths', twoLengths('1', '2'), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /CONTENT_LENGTH/],
    ['a bad length', packet({ CONTENT_LENGTH: '-1' }), 400, 'ERR_NEARWIRE_UWSGI_PACKET', /CONTENT_LENGTH/],
    [
      'too many variables',
      packet({ A: '', B: '', C: '', D: '', E: '', F: '', G: '' }),
      431,
      'ERR_NEARWIRE_UWSGI_VARIABLES',
      /21 variables, the limit is 20/,
    ],
    [
      'too long variables',
      packet({ HTTP_A: 'a'.repeat(3000) }),
      431,
      'ERR_NEARWIRE_UWSGI_VARIABLES',
      /the limit is 2000/,
    ],
    [
      'too long a body',
      packet({ CONTENT_LENGTH: '1001' }),
      413,
      'ERR_NEARWIRE_BODY_TOO_LARGE',
      /1001 bytes, the limit is 1000/,
    ],
  ] as const)('that are none: %s', async (_, bytes, status, code, message) => {
    const options = { transport, maxVariables: 20, maxVariablesSize: 2000, maxBodySize: 1000 };
    const { server, target } = await serveUwsgi(options, (_req, res) => res.end('served'));
    const answer = parseAnswer(await askRaw(target, bytes));
    expect(answer).toMatchObject({ status, headers: { 'content-length': '0' } });

    const failed = once(server, 'clientError') as Promise<[NodeJS.ErrnoException, { end(text: string): void }]>;
    const own = askRaw(target, bytes);
    const [error, socket] = await failed;
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    socket.end('HTTP/1.1 499 Own words\r\n\r\n');
    expect(parseAnswer(await own).statusText).toBe('Own words');
    expect((await ask(target)).body.toString()).toBe('served');
  });

  it('that end too early are told of', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end());
    const failed = once(server, 'clientError') as Promise<[NodeJS.ErrnoException]>;
    const socket = await open(target, packet().subarray(0, 20));
    socket.end();
    expect((await failed)[0]).toMatchObject({ code: 'ERR_NEARWIRE_UWSGI_PACKET' });
    socket.destroy();
  });

  it('with no REQUEST_URI get their URL from its parts', async () => {
    const { target } = await serveUwsgi({ transport }, (req, res) => res.end(req.url));
    const url = async (variables: Variables): Promise<string> =>
      (await ask(target, { REQUEST_URI: '', ...variables })).body.toString();
    expect(await url({ SCRIPT_NAME: '/app', PATH_INFO: '/a b', QUERY_STRING: 'x=%20' })).toBe('/app/a%20b?x=%20');
    expect(await url({ PATH_INFO: '/\xc3\xa4', QUERY_STRING: '' })).toBe('/%C3%A4');
    expect(await url({ PATH_INFO: '', QUERY_STRING: '' })).toBe('/');
  });

  it.each(['1.0', '1.1', '2.0', '3.0'])('tell the version of HTTP: %s', async (version) => {
    const { target } = await serveUwsgi({ transport }, (req, res) => {
      res.end([req.httpVersion, req.httpVersionMajor, req.httpVersionMinor].join(' '));
    });
    const { status, body } = await ask(target, { SERVER_PROTOCOL: `HTTP/${version}` });
    expect(status).toBe(200);
    expect(body.toString()).toBe(`${version} ${version.replace('.', ' ')}`);
  });

  it.each([
    [{ HTTPS: 'on' }, true],
    [{ REQUEST_SCHEME: 'https' }, true],
    [{ HTTPS: 'off', REQUEST_SCHEME: 'https' }, false],
    [{}, false],
  ] as const)('tell of TLS: %o', async (variables, encrypted) => {
    const { target } = await serveUwsgi({ transport }, (req, res) => {
      res.end(String((req.socket as unknown as { encrypted: boolean }).encrypted));
    });
    expect((await ask(target, variables)).body.toString()).toBe(String(encrypted));
  });

  it('with a WebSocket are refused in words, and other upgrades left aside', async () => {
    const { target } = await serveUwsgi({ transport }, (_req, res) => res.end('plain'));
    const refused = await ask(target, { HTTP_UPGRADE: 'websocket', HTTP_CONNECTION: 'Upgrade' });
    expect(refused.status).toBe(501);
    expect(refused.body.toString()).toMatch(/proxy_pass/);
    const left = await ask(target, { HTTP_UPGRADE: 'h2c', HTTP_CONNECTION: 'Upgrade, HTTP2-Settings' });
    expect(left.body.toString()).toBe('plain');
  });

  it('get one answer: none of the class 1xx, no chunks, no trailers', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => {
      const told: string[] = [];
      res.writeContinue(() => told.push('continue'));
      res.writeProcessing();
      res.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' }, () => told.push('hints'));
      setImmediate(() => {
        res.setHeader('Transfer-Encoding', 'chunked');
        res.setHeader('Trailer', 'X-After');
        res.setHeader('Connection', 'keep-alive');
        res.write(told.join(' '));
        res.addTrailers({ 'X-After': '1' });
        res.end('.');
      });
    });
    const bytes = await askRaw(target, packet({ HTTP_EXPECT: '100-continue' }));
    expect(bytes.toString()).toMatch(/^HTTP\/1.1 200 OK\r\nDate: [^\r]*\r\n\r\ncontinue hints\.$/);
    server.on('checkContinue', (_req, res: http.ServerResponse) => {
      res.writeHead(417);
      res.end();
    });
    expect((await ask(target, { HTTP_EXPECT: '100-continue' })).status).toBe(417);
    expect((await ask(target, { HTTP_EXPECT: 'miracles' })).status).toBe(417);
  });
});

it('checks its options as node does', () => {
  expect(() => createServer({ maxVariables: 0 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  expect(() => createServer({ maxVariablesSize: 65_536 })).toThrow(
    expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
  );
  expect(() => createServer({ maxBodySize: '1' as never })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
  expect(() => createServer({ headersTimeout: 2, requestTimeout: 1 })).toThrow(
    expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
  );
  expect(() => createServer({}, 'x' as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => createServer({ transport: 'udp' as never })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  );
});
