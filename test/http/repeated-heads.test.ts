/**
 * Heads of responses that come again are sent as the bytes of the last time (src/exchange/repeated-heads.ts). Each program's
 * responses, many times on one connection and in among others, must be node's, byte by byte.
 */
import { once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { cleanup, listen, nextTurn, readAll } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { ask, packet, parseAnswer } from '../support/uwsgi/packets.js';
import { serveUwsgi } from '../support/uwsgi/serve.js';
import { GET, LAST } from './engine-requests.js';

type Answer = (response: http.ServerResponse, number: number, request: http.IncomingMessage) => void;

/** More than it takes for a head to be known, and to be given up again. */
const TIMES = 80;

const programs: { readonly what: string; readonly answer: Answer }[] = [
  { what: 'the same text', answer: (response) => response.end('Hello, world!') },
  { what: 'the same bytes', answer: (response) => response.end(Buffer.from([0, 1, 0x80, 0xff])) },
  { what: 'no body', answer: (response) => response.end() },
  { what: 'no date', answer: (response) => ((response.sendDate = false), response.end('x')) },
  {
    what: 'texts of the same length whose bytes are more, fewer, or not text at all',
    answer(response, number) {
      response.end(['abcd', 'abcé', 'ab\u{1f600}', '\ud800abc', 'a€€b', 'ÿÿÿÿ'][number % 6]);
    },
  },
  {
    what: 'a length that the program says, of a text beyond ASCII',
    answer(response) {
      response.setHeader('Content-Length', Buffer.byteLength('größe'));
      response.end('größe');
    },
  },
  {
    what: 'headers beyond ASCII, before a text, bytes and nothing',
    answer(response, number) {
      response.setHeader('X-Name', 'größe');
      response.end([undefined, 'größe', Buffer.from('größe'), 'x'][number % 4]);
    },
  },
  {
    what: 'a header beyond ASCII, before a text each time',
    answer: (response) => response.setHeader('X-Name', 'größe').end('x'),
  },
  {
    what: 'a header beyond ASCII, before bytes each time',
    answer: (response) => response.setHeader('X-Name', 'größe').end(Buffer.from('x')),
  },
  {
    what: 'a reason beyond ASCII',
    answer: (response, number) => response.writeHead(200, 'größe').end(number % 2 === 0 ? 'x' : 'ü'),
  },
  {
    what: 'one header that differs each time',
    answer(response, number) {
      response.setHeader('ETag', `"${String(number % 60)}"`).setHeader('X-After', 'y');
      response.end('x');
    },
  },
  {
    what: 'two heads by turns',
    answer(response, number) {
      response.setHeader('Content-Type', number % 2 === 0 ? 'text/plain' : 'text/plaid');
      response.end('x');
    },
  },
  {
    what: 'other status codes, whose lines are as long as one another',
    answer(response, number) {
      response.statusCode = [200, 404, 304, 204, 500][number % 5] ?? 200;
      response.end('x');
    },
  },
  {
    what: 'pieces that begin as other ones',
    answer(response, number) {
      const lines = ['A: 1', 'A: 1\tB: 2', 'A: 1 '][number % 3] ?? '';
      response.setHeader('X', lines).setHeader('X-List', ['a', 'b'].slice(number % 2));
      response.end('x');
    },
  },
  {
    what: 'headers longer than are kept',
    answer: (response, number) => response.setHeader('Set-Cookie', 'c'.repeat(1000 + (number % 3) * 20)).end('x'),
  },
  {
    what: 'texts about as long as may be copied',
    answer: (response, number) => response.end('é'.repeat(2400 + (number % 80) * 10)),
  },
  {
    what: 'chunks, and trailers',
    answer(response, number) {
      response.setHeader('Transfer-Encoding', 'chunked').setHeader('Trailer', 'X');
      response.addTrailers({ X: String(number % 2) });
      response.end('größe');
    },
  },
  { what: 'several writes', answer: (response) => (response.write('a'), response.write('b'), response.end('c')) },
  {
    what: 'a header block that the program has changed',
    answer(response, number) {
      response.writeHead(200, { 'Content-Length': 1 });
      const text = response as unknown as { _header: string };
      if (number % 2 === 1) text._header = text._header.replace('200 OK', '299 OK');
      response.end('x');
    },
  },
  {
    what: 'a name whose capitals differ',
    answer: (response, number) => response.setHeader(number % 2 === 0 ? 'X-Y' : 'x-y', '1').end('x'),
  },
  {
    what: 'a Buffer of its own that it changes afterwards',
    answer(response) {
      const body = Buffer.from('before');
      response.end(body);
      setImmediate(() => body.fill('!'));
    },
  },
];

async function serve(subject: Subject, family: Family, answer: Answer): Promise<() => net.Socket> {
  let number = 0;
  const server = subject.http.createServer({}, (request, response) => {
    answer(response, number++, request);
  });
  const address = await listen(server, family);
  return () => {
    const client = net.connect(address as net.NetConnectOpts);
    cleanup(() => client.destroy());
    return client;
  };
}

const withoutDates = (bytes: Buffer): string => bytes.toString('latin1').replace(/^Date: .*$/gm, 'Date: ');

/** Requests one behind another, then all that is left in one write. */
async function sentBy(subject: Subject, family: Family, answer: Answer): Promise<string> {
  const client = (await serve(subject, family, answer))();
  const received = readAll(client);
  client.write(GET.repeat(TIMES / 2));
  await new Promise((resolve) => client.once('data', resolve));
  client.write(GET.repeat(TIMES / 2) + LAST);
  return withoutDates(await received);
}

describe.each(everyWay)('heads that come again: $name over $family', ({ subject, family }) => {
  it.each(programs)('$what', async ({ answer }) => {
    expect(await sentBy(subject, family, answer)).toBe(await sentBy(reference, family, answer));
  });

  it('are those of their own responses where others are built in between', async () => {
    const answer: Answer = (response, number, request) => {
      response.writeHead(200, { 'X-Number': 'n'.repeat(number % 3), 'Content-Length': 5 });
      // Another response is built, of a head as long as this one and a body that is not.
      if (number % 2 === 0) setImmediate(() => response.end('first'));
      else response.end(request.url === '/get' ? 'other' : 'final');
    };
    expect(await sentBy(subject, family, answer)).toBe(await sentBy(reference, family, answer));
  });

  it('are whole where a getter of a header answers another request', async () => {
    const waiting: http.ServerResponse[] = [];
    const connectOne = await serve(subject, family, (response, _, request) => {
      if (request.url === '/get') {
        waiting.push(response);
        return;
      }
      response.writeHead(200, {
        'X-Before': 'b',
        get 'X-Outer'() {
          waiting.pop()?.writeHead(200, { 'X-Inner': 'i', Date: 'inner', 'Content-Length': 5 }).end('inner');
          return 'o';
        },
        'Content-Length': 5,
      });
      response.end('outer');
    });
    for (let i = 0; i < 5; i++) {
      const [inner, outer] = [connectOne(), connectOne()];
      inner.write(GET);
      while (waiting.length === 0) await nextTurn();
      const answer = readAll(outer);
      outer.write(LAST);
      expect(withoutDates(await answer)).toBe(
        'HTTP/1.1 200 OK\r\nX-Before: b\r\nX-Outer: o\r\nContent-Length: 5\r\nDate: \r\nConnection: close\r\n\r\nouter',
      );
      const [bytes] = (await once(inner, 'data')) as [Buffer];
      expect(bytes.toString()).toContain('\r\nX-Inner: i\r\nDate: inner\r\nContent-Length: 5\r\n');
      inner.destroy();
    }
  });

  it('leave what a program does with their text alone', async () => {
    const heads = new Set<string>();
    const answer: Answer = (response) => {
      response.sendDate = false;
      response.end('x');
      heads.add((response as unknown as { _header: string })._header);
    };
    await sentBy(subject, family, answer);
    expect([...heads].sort()).toEqual([
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n',
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 1\r\n\r\n',
    ]);
  });
});

describe.each(['native', 'js'] as const)('heads of uwsgi responses that come again: %s', (transport) => {
  it('are whole where a value runs a program that answers another request', async () => {
    let waiting: http.ServerResponse | undefined;
    const value = {
      toString() {
        waiting?.setHeader('X-Inner', 'i').end('inner');
        waiting = undefined;
        return 'o';
      },
    };
    const { target } = await serveUwsgi({ transport }, (request, response) => {
      if (request.url === '/wait') {
        waiting = response;
        return;
      }
      response
        .setHeader('X-Before', 'b')
        .setHeader('X-Outer', value as unknown as string)
        .setHeader('X-After', 'a');
      response.end('outer');
    });
    for (let i = 0; i < TIMES; i++) {
      const inner = ask(target, { REQUEST_URI: '/wait' });
      while (waiting === undefined) await new Promise(setImmediate);
      const outer = await ask(target, { REQUEST_URI: '/' });
      expect(outer.body.toString()).toBe('outer');
      expect(outer.headers).toMatchObject({ 'x-before': 'b', 'x-outer': 'o', 'x-after': 'a' });
      expect((await inner).headers).toMatchObject({ 'x-inner': 'i' });
      expect((await inner).body.toString()).toBe('inner');
    }
  });

  it('are whole on streams that change what they are given', async () => {
    const { server } = await serveUwsgi({ transport }, (_, response) => response.end(Buffer.from('body')));
    for (let i = 0; i < TIMES; i++) {
      const written: Buffer[] = [];
      const stream = new Duplex({
        read: () => undefined,
        write(chunk: Buffer, _encoding, done) {
          written.push(Buffer.from(chunk));
          chunk.fill('!');
          done();
        },
      });
      server.emit('connection', stream);
      stream.push(packet());
      while (!Buffer.concat(written).includes('body')) await nextTurn();
      expect(parseAnswer(Buffer.concat(written))).toMatchObject({ status: 200, headers: { 'content-length': '4' } });
      stream.destroy();
    }
  });

  it('are those of their bodies', async () => {
    let number = 0;
    const texts = ['abcd', 'abcé', 'ab\u{1f600}', 'a€€b', ''];
    const { target } = await serveUwsgi({ transport }, (_, response) => {
      response.end(texts[number++ % texts.length]);
    });
    for (let i = 0; i < TIMES; i++) {
      const { body, headers } = await ask(target, { REQUEST_URI: '/' });
      const text = texts[i % texts.length] ?? '';
      expect(body.toString()).toBe(text);
      expect(headers).toMatchObject({ 'content-length': String(Buffer.byteLength(text)) });
    }
  });
});
