/** The bytes of the engine's responses: those of node:http, whatever the handler does to the response or the socket. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { rawRequest } from '../support/http.js';
import { listen } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { GET, LAST, post } from './engine-requests.js';

const withoutDate = (text: string): string => text.replace(/Date: .*\r\n/g, '');

async function told(subject: Subject, family: Family, listener: http.RequestListener, text: string): Promise<string> {
  const address = await listen(subject.http.createServer({}, listener), family);
  return withoutDate(await rawRequest(reference, address, text));
}

/** A response, and what a client is sent as that of the second of its three requests. */
const RESPONSES: Record<string, http.RequestListener> = {
  'a string': (_, response) => response.end('text'),
  'text beyond ASCII': (_, response) => response.end('täxt €'),
  bytes: (_, response) => response.end(Buffer.from('bytes')),
  'many bytes': (_, response) => response.end(Buffer.alloc(100_000, 'x')),
  nothing: (_, response) => response.end(),
  'headers that are set': (_, response) => {
    response.setHeader('X-One', 'one').setHeader('Set-Cookie', ['a=1', 'b=2']).setHeader('X-Number', 3);
    response.end('text');
  },
  'headers by writeHead': (_, response) =>
    response.writeHead(201, { 'X-One': 'one', 'X-List': ['1', '2'] }).end('text'),
  'headers by writeHead, none of a length': (_, response) => response.writeHead(200, 'Fine').end(Buffer.from('bytes')),
  'headers beyond ASCII, in chunks': (_, response) => response.writeHead(200, { 'X-Name': 'nåme' }).end('täxt'),
  'headers beyond ASCII, and a length': (_, response) => response.setHeader('X-Name', 'nåme').end('täxt'),
  'raw headers': (_, response) => response.writeHead(200, ['X-One', 'one', 'X-One', 'two']).end('text'),
  'its own length': (_, response) => response.writeHead(200, { 'Content-Length': 4 }).end('text'),
  'its own Connection': (_, response) => response.setHeader('Connection', 'close').end('text'),
  'its own coding': (_, response) => response.setHeader('Transfer-Encoding', 'chunked').end('text'),
  'trailers without a word': (_, response) => {
    response.writeHead(200);
    response.addTrailers({ 'X-After': 'after' });
    response.end('text');
  },
  'no content': (_, response) => response.writeHead(204).end(),
  'not modified': (_, response) => response.writeHead(304, { ETag: '"1"' }).end(),
  'early hints': (_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeProcessing();
    response.end('text');
  },
  'no date': (_, response) => {
    response.sendDate = false;
    response.end('text');
  },
  'a removed header': (_, response) => {
    response.removeHeader('Connection');
    response.end('text');
  },
  'a removed length, text': (_, response) => {
    response.removeHeader('Content-Length');
    response.end('text');
  },
  'a removed length, set again': (_, response) => {
    response.removeHeader('Content-Length');
    response.setHeader('Content-Length', 4).end('text');
  },
  'a removed coding, text': (_, response) => {
    response.removeHeader('Transfer-Encoding');
    response.end('text');
  },
  'a removed coding, pieces': (_, response) => {
    response.removeHeader('Transfer-Encoding');
    response.write('one');
    response.end('two');
  },
  'a removed length and coding, a length set': (_, response) => {
    response.removeHeader('Content-Length');
    response.removeHeader('Transfer-Encoding');
    response.writeHead(200, { 'Content-Length': 4 }).end('text');
  },
  'a removed length, no content': (_, response) => {
    response.removeHeader('Content-Length');
    response.writeHead(204).end();
  },
  'a status set first': (_, response) => {
    response.statusCode = 404;
    response.statusMessage = 'Gone Away';
    response.end('text');
  },
  'pieces in one tick': (_, response) => {
    response.write('one');
    response.write('two');
    response.end('three');
  },
  'pieces in several': (_, response) => {
    response.write('one');
    setImmediate(() => response.write('two'));
    setImmediate(() => response.end('three'));
  },
  'a corked one': (_, response) => {
    response.cork();
    response.write('one');
    response.write('two');
    response.uncork();
    response.end('three');
  },
  'raw bytes before it': (request, response) => {
    request.socket.write('HTTP/1.1 103 Early Hints\r\n\r\n', 'ascii');
    response.end('text');
  },
};

/** What a program does to its socket. */
const TOUCHES: Record<string, (socket: net.Socket) => unknown> = {
  "listens to 'data'": (socket) => socket.on('data', () => undefined),
  'asks for the parser': (socket) => (socket as net.Socket & { parser: unknown }).parser,
  reads: (socket) => {
    const bytes: unknown = socket.read();
    return bytes;
  },
  'takes its options': (socket) => socket.setNoDelay().setKeepAlive(true, 1000).ref(),
  'looks at it': (socket) => [socket.bytesRead, socket.remoteAddress, socket.readyState, socket.writableLength],
};

describe.each(everyWay)('responses: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(RESPONSES))('%s: the same bytes as from node:http', async (_, listener) => {
    const text =
      GET + GET.replace('HTTP/1.1', 'HTTP/1.0').replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n') + LAST;
    expect(await told(subject, family, listener, text)).toBe(await told(reference, family, listener, text));
    const head = GET.replace('GET', 'HEAD') + LAST;
    expect(await told(subject, family, listener, head)).toBe(await told(reference, family, listener, head));
  });

  it.each([
    ['1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['1.0, kept', `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${LAST}`],
    ['1.1, closed', LAST],
    ['1.1, closed in capitals', LAST.replace('close', 'CLOSE')],
  ])('a request of HTTP/%s', async (_, text) => {
    const listener: http.RequestListener = (request, response) => {
      response.setHeader('X-Version', request.httpVersion);
      response.end(JSON.stringify([request.rawHeaders, request.url, request.complete]));
    };
    expect(await told(subject, family, listener, text)).toBe(await told(reference, family, listener, text));
  });

  it.each(Object.entries(TOUCHES))('a handler that %s', async (_, touch) => {
    for (const when of ['at once', 'late', 'when it has answered']) {
      const listener: http.RequestListener = (request, response) => {
        request.resume();
        const act = (): void => void touch(request.socket);
        if (when === 'at once') act();
        if (when === 'late') setImmediate(act);
        if (when !== 'when it has answered') setImmediate(() => response.end(request.url));
        else {
          response.end(request.url);
          act();
        }
      };
      const text = `${GET}${post(5)}hello${LAST}`;
      expect(await told(subject, family, listener, text), when).toBe(await told(reference, family, listener, text));
    }
  });
});
