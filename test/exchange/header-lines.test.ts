/**
 * Lines of response headers are kept from one response to the next. Each response must have the lines that node's would
 * have, whatever those before it had, and what node refuses must be refused each time.
 */
import type { OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { HeaderName, headerName, LastText } from '../../src/exchange/header-lines.js';
import { rawRequest } from '../support/http.js';
import { pick, randomOf, type Random } from '../support/random.js';
import { listen } from '../support/sockets.js';
import { reference, subjects } from '../support/subjects.js';

const NAMES = ['X-Name', 'x-name', 'ETag', 'Content-Type', 'Set-Cookie', 'Content-Length', 'Date', 'Vary', 'bad name'];
const VALUES = [
  'same',
  'Same',
  '4',
  4,
  0,
  -0,
  NaN,
  1e21,
  '',
  'gr\u00fcn',
  '\u20ac',
  'a\r\nb: c',
  'a\0',
  'x'.repeat(300),
];
const LISTS = [['a', 'b'], ['a'], ['b', 'a'], [], ['a\r\nb']];

const WAYS: ((response: ServerResponse, headers: OutgoingHttpHeaders) => unknown)[] = [
  (response, headers) => response.writeHead(200, headers),
  (response, headers) => response.writeHead(404, Object.entries(headers).flat() as never),
  (response, headers) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value as string);
  },
  (response, headers) => {
    const [name, value] = Object.entries(headers)[0] ?? ['X-First', 'none'];
    response.setHeader(name, value as string).writeHead(200, headers);
  },
];

/** Few values of few names, most of them ordinary, so that nearly all come again; a response of node's for each. */
function answer(random: Random, response: ServerResponse): void {
  const headers: OutgoingHttpHeaders = {};
  for (let left = random(4); left > 0; left--) {
    const isOrdinary = random(3) > 0;
    const name = pick(random, isOrdinary ? NAMES.slice(0, 4) : NAMES);
    headers[name] = isOrdinary
      ? pick(random, VALUES.slice(0, 4))
      : (pick<unknown>(random, [...VALUES, ...LISTS]) as string);
  }
  if (random(10) === 0) response.shouldKeepAlive = false;
  if (random(5) === 0) response.sendDate = false;
  let refusal = '';
  try {
    pick(random, WAYS)(response, headers);
  } catch (error) {
    refusal = (error as NodeJS.ErrnoException).code ?? '';
  }
  const body = pick(random, ['', 'body', 'the body', 'gr\u00fcn']) + refusal;
  if (random(4) === 0) response.write(body);
  try {
    response.end(random(2) === 0 ? body : Buffer.from(body));
  } catch (error) {
    response.socket?.end(String((error as NodeJS.ErrnoException).code));
  }
}

async function answersOf(server: Server, text: string, subject = reference): Promise<string> {
  const answers = await rawRequest(subject, await listen(server, 'unix'), text);
  return answers.replaceAll(/^Date: \w{3}, .* GMT\r\n/gm, 'Date: then\r\n');
}

describe.each(subjects.filter(({ name }) => name !== 'node:net'))('responses of $name', (subject) => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'have the headers of node, each of many: seed %i',
    async (seed) => {
      const numbers = Array.from({ length: 12 }, (_, i) => i);
      const text = numbers
        .map((i) => `GET /${String(i)} HTTP/1.1\r\nHost: a\r\n${i === 11 ? 'Connection: close\r\n' : ''}\r\n`)
        .join('');
      const [expected, seen] = await Promise.all(
        [reference, subject].map(({ http }) => {
          const server = http.createServer({}, ({ url }, response) => {
            answer(randomOf(100 * seed + Number(url?.slice(1))), response);
          });
          return answersOf(server, text);
        }),
      );
      expect(seen).toBe(expected);
      expect(expected).toMatch(/^HTTP\/1\.1 /);
    },
  );
});

describe('a line', () => {
  test('is the same string as long as its value is the same', () => {
    const name = new HeaderName('X-Name');
    const lines = ['a', 'a', 'a', 'b', 'a', 4, 4, '4', 4].map((value) => name.line(value, false));
    expect(lines).toEqual(['a', 'a', 'a', 'b', 'a', '4', '4', '4', '4'].map((value) => `X-Name: ${value}\r\n`));
  });

  test.each(['a\r\nb: c', 'a\0', '\u20ac', 'a\x7f'])(
    'is not made of what node refuses, the tenth time either: %j',
    (value) => {
      const name = new HeaderName('X-Name');
      for (let i = 0; i < 10; i++) {
        // Validated elsewhere, or not.
        expect(name.line(value, true)).toBe(`X-Name: ${value}\r\n`);
        expect(name.line(value, false)).toBeUndefined();
      }
    },
  );

  test('of a long value is not kept', () => {
    const name = new HeaderName('X-Name');
    const long = 'x'.repeat(10_000);
    for (let i = 0; i < 3; i++) expect(name.line(long, false)).toBe(`X-Name: ${long}\r\n`);
    expect(JSON.stringify(name)).not.toContain('xxx');
  });
});

test.each(['', 'a b', 'a\r\n', 'a:', '\u20ac', 'gr\u00fcn'])('%j is no name', (name) => {
  expect(headerName(name)).toBeUndefined();
});

test('names are kept apart by their case, and not without end', () => {
  expect([headerName('X-Case')?.name, headerName('x-case')?.name]).toEqual(['X-Case', 'x-case']);
  expect(headerName('X-Case')).toBe(headerName('X-Case'));
  for (let i = 0; i < 2000; i++) headerName(`X-${String(i)}`);
  expect(headerName('X-1999')?.line('a', false)).toBe('X-1999: a\r\n');
  expect(headerName('X-1999')).not.toBe(headerName('X-1999'));
});

test('a text is found from the second time on, until another value comes', () => {
  const last = new LastText<number>();
  const seen = [1, 1, 1, 2, 1, 1, 1].map(
    (value) => last.find(value) ?? (last.see(value, `text ${String(value)}`), 'made'),
  );
  expect(seen).toEqual(['made', 'made', 'text 1', 'made', 'made', 'made', 'text 1']);
});
