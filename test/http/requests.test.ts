/**
 * Requests on a kept-alive connection, as a server of ours tells of them and as node's own does. On the native path the
 * plain ones go another way than through node's parser, from the third read of a connection on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { converse, PLAIN_REQUEST } from '../support/conversations.js';
import { rawRequest, request, target } from '../support/http.js';
import { listen, pattern, socketPath } from '../support/sockets.js';
import { everyWay, reference } from '../support/subjects.js';

const WARM = [PLAIN_REQUEST, PLAIN_REQUEST];
const HOST = 'Host: x\r\n';
const manyHeaders = Array.from({ length: 40 }, (_, i) => `X-${String(i)}: ${String(i)}\r\n`).join('');

/** Each a list of pieces, as they are read. */
const CONVERSATIONS: Record<string, readonly string[]> = {
  'a plain GET': [`GET /a?b=c&d=%20 HTTP/1.1\r\n${HOST}\r\n`],
  'each plain method': ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].map(
    (method) => `${method} /${method} HTTP/1.1\r\n${HOST}\r\n`,
  ),
  'rarer methods': ['TRACE', 'PROPFIND', 'M-SEARCH', 'PURGE'].map((m) => `${m} /x HTTP/1.1\r\n${HOST}\r\n`),
  'a body in the same piece': [`POST /a HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`],
  'a body in pieces': [`POST /a HTTP/1.1\r\n${HOST}Content-Length: 11\r\n\r\n`, 'hello', ' wor', 'ld'],
  'an empty body': [`POST /a HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`],
  'a GET with a body': [`GET /a HTTP/1.1\r\n${HOST}content-length: 2\r\n\r\nhi`],
  'requests in one piece': [
    `GET /1 HTTP/1.1\r\n${HOST}\r\nPOST /2 HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n${HOST}\r\n`,
  ],
  'a body whose rest comes with the next request': [
    `POST /1 HTTP/1.1\r\n${HOST}Content-Length: 6\r\n\r\nabc`,
    `defGET /2 HTTP/1.1\r\n${HOST}\r\nGET /3 HTT`,
    `P/1.1\r\n${HOST}\r\n`,
  ],
  'a head cut in two': [`GET /1 HTTP/1.1\r\nHo`, `st: x\r\n\r\n`, PLAIN_REQUEST],
  'a head cut before its last byte': [`GET /1 HTTP/1.1\r\n${HOST}\r`, '\n', PLAIN_REQUEST],
  'values with blanks around, empty ones, repeated ones': [
    `GET / HTTP/1.1\r\nHost: \t x \t \r\nA:\r\nB:   \r\nC:c\r\nc: d\r\nCookie: a=b\r\nCookie: c=d\r\nSet-Cookie: e\r\n\r\n`,
  ],
  'bytes beyond ASCII in a value': [`GET / HTTP/1.1\r\n${HOST}X: \xe4\xf6\xfc\xff\r\n\r\n`],
  'bytes beyond ASCII in the target': [`GET /\xe4 HTTP/1.1\r\n${HOST}\r\n`],
  'forty headers': [`GET / HTTP/1.1\r\n${HOST}${manyHeaders}\r\n`],
  'a head of 12 KiB': [`GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(12 * 1024)}\r\n\r\n`, PLAIN_REQUEST],
  'a head of 20 KiB': [`GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20 * 1024)}\r\n\r\n`],
  'keep-alive by name': [`GET / HTTP/1.1\r\n${HOST}Connection: Keep-Alive\r\n\r\n`],
  'a connection to be closed': [`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`],
  'a request after the last': [`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n${PLAIN_REQUEST}`],
  'HTTP/1.0': ['GET / HTTP/1.0\r\n\r\n'],
  'HTTP/1.0, kept alive': ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', PLAIN_REQUEST],
  'HTTP/1.1 without a host': ['GET / HTTP/1.1\r\n\r\n'],
  'HTTP/2.0': [`GET / HTTP/2.0\r\n${HOST}\r\n`],
  'an upgrade that nobody takes': [`GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`, PLAIN_REQUEST],
  'an expectation': [`POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`, 'hi'],
  'a strange expectation': [`POST / HTTP/1.1\r\n${HOST}Expect: x\r\nContent-Length: 2\r\n\r\nhi`],
  'a chunked body': [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    '2\r\nde\r\n0\r\nTrailer: x\r\n\r\n',
    PLAIN_REQUEST,
  ],
  'both a length and chunks': [
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  'the same length twice': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`],
  'two lengths': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi`],
  'a length that is none': [`POST / HTTP/1.1\r\n${HOST}Content-Length: +2\r\n\r\nhi`],
  'an empty length': [`POST / HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\n`],
  'a length with blanks': [`POST / HTTP/1.1\r\n${HOST}Content-Length:  2 \r\n\r\nhi`],
  'a length with a tab behind it': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 2\t\r\n\r\nhi`],
  'a length with a tab before it': [`POST / HTTP/1.1\r\n${HOST}Content-Length: \t2\r\n\r\nhi`],
  'an absolute target': [`GET http://x/y HTTP/1.1\r\n${HOST}\r\n`],
  'an asterisk': [`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
  'a fragment': [`GET /a#b HTTP/1.1\r\n${HOST}\r\n`],
  CONNECT: ['CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n'],
  'a folded header': [`GET / HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`],
  'a blank before the colon': [`GET / HTTP/1.1\r\n${HOST}A : b\r\n\r\n`],
  'a control byte in a value': [`GET / HTTP/1.1\r\n${HOST}A: b\x01c\r\n\r\n`],
  'a bare CR in a value': [`GET / HTTP/1.1\r\n${HOST}A: b\rc\r\n\r\n`],
  'lines that end with LF alone': ['GET / HTTP/1.1\nHost: x\n\n'],
  'empty lines before a request': [`\r\n\r\n${PLAIN_REQUEST}`],
  'a blank too many': [`GET  / HTTP/1.1\r\n${HOST}\r\n`],
  'no request at all': ['hello\r\n\r\n'],
  'an end within a body': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhello`],
  'an end within a head': [`GET / HTTP/1.1\r\n${HOST}`],
  'bytes behind a body': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi there\r\n\r\n`],
};

const library = new URL('../../dist/bundle/http.js', import.meta.url).href;

/** Its third request, which is sent in two pieces, meets a listener that throws; the body has the looks of a request. */
function throwingServer(family: string): string {
  const body = 'GET /smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'.repeat(2);
  const at = family === 'unix' ? JSON.stringify({ path: socketPath() }) : '{ host: "127.0.0.1", port: 0 }';
  return `
    import * as http from 'node:http';
    const { attach } = await import(${JSON.stringify(library)});
    const seen = [], thrown = [];
    process.on('uncaughtException', (error) => thrown.push(error.message));
    const server = attach(http.createServer((request, response) => {
      seen.push(request.url);
      if (request.url === '/throws') throw new Error('thrown');
      response.end(request.url);
    }));
    server.listen(${at});
    await once(server, 'listening');
    const address = server.address();
    const client = connect(typeof address === 'string' ? { path: address } : { port: address.port });
    let text = '';
    client.on('data', (chunk) => (text += chunk)).on('error', () => {});
    const answered = async (path) => { while (!text.includes(path)) await once(client, 'data'); text = ''; };
    for (let i = 0; i < 2; i++) {
      client.write(${JSON.stringify(PLAIN_REQUEST)});
      await answered('/before');
    }
    const body = "${body}";
    client.write('POST /throws HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n' + body.slice(0, 10));
    while (thrown.length === 0) await new Promise(setImmediate);
    client.write(body.slice(10));
    await new Promise((resolve) => client.on('close', resolve));
    say({ seen, thrown, refused: text.includes('400 Bad Request') });
    process.exit();
  `;
}

describe.each(everyWay)('requests on a kept-alive connection: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(CONVERSATIONS))('%s', async (_name, pieces) => {
    const all = [...WARM, ...pieces];
    expect(await converse(subject, family, all)).toEqual(await converse(reference, family, all));
  });

  it('keeps to the limits of its server', async () => {
    const long = `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(600)}\r\n\r\n`;
    const seven = `GET / HTTP/1.1\r\n${HOST}${manyHeaders.slice(0, 60)}\r\n\r\n`;
    for (const [options, piece] of [
      [{ maxHeaderSize: 512 }, long],
      [{ requireHostHeader: false }, 'GET / HTTP/1.1\r\n\r\n'],
      [{ joinDuplicateHeaders: true }, `GET / HTTP/1.1\r\n${HOST}A: 1\r\na: 2\r\n\r\n`],
      [{ insecureHTTPParser: true }, `GET / HTTP/1.1\r\n${HOST}A: b\x01c\r\n\r\n${seven}`],
    ] as const) {
      const all = [...WARM, piece, piece];
      expect(await converse(subject, family, all, options)).toEqual(await converse(reference, family, all, options));
    }
  });

  it('gives a large body on byte for byte, at the pace of its reader', async () => {
    const body = pattern(3 * 1024 * 1024);
    const server = subject.http.createServer({}, (message, response) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        message.pause();
        setImmediate(() => message.resume());
      });
      message.on('end', () => response.end(Buffer.concat(chunks)));
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 4; i++) {
      const answer = await request({ ...target(address), agent, method: 'PUT' }, body);
      expect(answer.body.equals(body)).toBe(true);
    }
    agent.destroy();
  });

  it("calls back in its connection's async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const server = subject.http.createServer({}, (message, response) => {
      seen.push(storage.getStore());
      message.on('data', () => seen.push(storage.getStore()));
      message.on('end', () => {
        seen.push(storage.getStore());
        response.end();
      });
    });
    const address = await storage.run('listening', () => listen(server, family));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 4; i++) await request({ ...target(address), agent, method: 'POST' }, 'body');
    agent.destroy();
    expect(seen).toEqual(Array.from({ length: 12 }, () => 'listening'));
  });

  it('loses patience with a body that does not come', async () => {
    const options = { requestTimeout: 60, headersTimeout: 50, connectionsCheckingInterval: 10 };
    const server = subject.http.createServer(options, (message, response) => {
      message.resume().on('end', () => response.end());
    });
    const address = await listen(server, family);
    const client: Socket = subject.connect(address);
    let text = '';
    client.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    const answers = async (count: number): Promise<void> => {
      while (text.split('HTTP/1.1').length <= count) await once(client, 'data');
    };
    for (let i = 1; i <= 2; i++) {
      client.write(PLAIN_REQUEST);
      await answers(i);
    }
    client.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhello`);
    await once(client, 'close');
    expect(text).toMatch(/HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  it('reads no requests from what a listener that throws has left behind', async () => {
    const { said } = await runChild(subject.name, throwingServer(family));
    expect(said).toEqual([{ seen: ['/before', '/before', '/throws'], thrown: ['thrown'], refused: true }]);
  });

  it.each([
    ['by its header', `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`],
    ['by its version', 'GET /last HTTP/1.0\r\n\r\n'],
    [
      'by its trailer',
      `POST /last HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\n`,
    ],
  ])('serves nothing behind a request that is the last %s', async (_how, last) => {
    const seen: unknown[] = [];
    const waiting: (() => void)[] = [];
    const server = subject.http.createServer({}, (message, response) => {
      seen.push(message.url);
      if (message.url === '/last') waiting.push(() => response.end());
      else response.end(message.url);
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      seen.push(error.code);
      socket.destroy();
    });
    const address = await listen(server, family);
    const client: Socket = reference.connect(address);
    client.on('error', () => undefined).resume();
    const told = async (count: number): Promise<void> => {
      while (seen.length < count) await new Promise(setImmediate);
    };
    for (const [i, piece] of [...WARM, last, PLAIN_REQUEST].entries()) {
      client.write(piece);
      await told(i + 1);
    }
    expect(seen).toEqual(['/before', '/before', '/last', 'HPE_CLOSED_CONNECTION']);
  });

  it('gives bodies in memory of their own', async () => {
    const extents: unknown[] = [];
    const server = subject.http.createServer({}, (message, response) => {
      message.on('data', ({ byteOffset, buffer, length }: Buffer) =>
        extents.push([byteOffset, buffer.byteLength - length]),
      );
      message.on('end', () => response.end(message.url));
    });
    const address = await listen(server, family);
    const client: Socket = reference.connect(address);
    client.on('error', () => undefined).resume();
    const body = `POST /body HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`;
    let count = 0;
    for (const piece of [body, body, body, body + body, body.slice(0, -2), `lo${body}`]) {
      client.write(piece);
      count += piece.split('\r\n\r\n').length - (piece.startsWith('lo') ? 0 : 1);
      while (extents.length < count) await new Promise(setImmediate);
    }
    expect(extents).toEqual(extents.map(() => [0, 0]));
  });

  it('calls nobody back within close()', async () => {
    const order: string[] = [];
    const server = subject.http.createServer({}, (_message, response) => {
      response.end('x', () => order.push('answered'));
      server.close();
      order.push('closed');
    });
    const address = await listen(server, family);
    await rawRequest(subject, address, PLAIN_REQUEST);
    expect(order).toEqual(['closed', 'answered']);
  });

  it('lets an accepted socket become the connection of a client', async () => {
    // A tunnel: who connects asks to be asked.
    const server = subject.http.createServer({}, (message, response) => response.end(message.url));
    const address = await listen(server, family);
    const asked = new Promise<string>((resolve) => {
      server.on('connect', (_message: http.IncomingMessage, socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        // It is given the parser that this connection had.
        server.emit('connection', new Duplex({ read: () => undefined }));
        const headers = { Host: 'x', Connection: 'close' };
        const sent = http.request({ path: '/asked', headers, createConnection: () => socket }, (response) => {
          response.setEncoding('latin1').on('data', resolve);
        });
        sent.end();
      });
    });
    const client: Socket = subject.connect(address);
    let text = '';
    client.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    const heard = async (end: string): Promise<void> => {
      while (!text.endsWith(end)) await once(client, 'data');
      text = '';
    };
    for (let i = 0; i < 3; i++) {
      client.write(PLAIN_REQUEST);
      await heard('/before');
    }
    // Leaves a parser to be used again, by the client.
    await rawRequest(subject, address, `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    client.write(PLAIN_REQUEST.replace('GET /before', 'CONNECT x:1'));
    while (!/GET \/asked[^]*\r\n\r\n$/.test(text)) await once(client, 'data');
    client.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer');
    expect(await asked).toBe('answer');
  });
});
