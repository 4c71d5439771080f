/** The headers of Responses, of which the last of each name is kept: they come again, change, and are invalid in turns. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FastResponse } from 'nearwire/http';
import { CLOSE, get, inbox, makers, start, ways } from '../support/fetch-servers.js';
import { random as uniform } from '../support/random.js';

type Init = Record<string, string>;

const NAMES = [
  ...['a', 'A', 'x-long-name', 'X-Long-Name', 'content-type', 'Content-Type', 'set-cookie', 'Set-Cookie', 'vary'],
  ...['Date', 'date', 'Connection', 'connection', 'Content-Length', 'content-length', 'Keep-Alive', 'Upgrade'],
  ...['Transfer-Encoding', 'transfer-encoding', 'Trailer', 'Proxy-Connection', 'constructor', 'b c', 'n\u{e9}', ''],
];
const VALUES = [
  ...[
    '1',
    '2',
    '11',
    'one',
    'text/html',
    'close',
    'keep-alive, close',
    'chunked',
    '',
    '1'.repeat(256),
    '2'.repeat(300),
  ],
  ...[' 1', '1\t', ' ', '\u{e9}', '\u{20ac}', 'a\r\nb: c', 'a\nb', '\0', '\x01', '\x7f'],
];
/** What serve() frames by itself. */
const OF_THE_CONNECTION = new Set([
  ...['connection', 'content-length', 'keep-alive', 'proxy-connection', 'trailer', 'transfer-encoding', 'upgrade'],
]);
/** Of Fetch's valid values, those that node:http refuses. */

const BEYOND_HTTP = /[^\t\x20-\x7e\x80-\xff]/;

/** The first names and values of the lists are the most frequent. */
function draw(next: () => number): Init {
  const pick = (list: readonly string[]): string => list[Math.floor(next() ** 2 * list.length)] ?? '';
  const count = Math.floor(next() * 4);
  return Object.fromEntries(Array.from({ length: count }, () => [pick(NAMES), pick(VALUES)]));
}

function draws(seed: number, count: number): Init[] {
  const next = uniform(seed);
  return Array.from({ length: count }, () => draw(next));
}

/** As a list, or the name of the error. */
function listOf(Maker: typeof Response, headers: Init): unknown {
  try {
    return [...new Maker('text', { headers }).headers];
  } catch (error) {
    return (error as Error).name;
  }
}

/** The lines of the header block that are the program's, in the order of the genuine Headers; undefined: a 500. */
function expectedLines(headers: Init): string[] | undefined {
  let response: Response;
  try {
    response = new Response('text', { headers });
  } catch {
    return undefined;
  }
  const pairs = [...response.headers];
  if (pairs.some(([, value]) => BEYOND_HTTP.test(value))) return undefined;
  return pairs.filter(([name]) => !OF_THE_CONNECTION.has(name)).map(([name, value]) => `${name}: ${value}`);
}

function wantsClose(headers: Init): boolean {
  return Object.entries(headers).some(([name, value]) => /^connection$/i.test(name) && value.endsWith('close'));
}

const SENT_BY_SERVE = /^(Date|Content-Length|Connection|Keep-Alive): /;

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});

it.each([1, 2, 3])('a FastResponse lists and refuses what the genuine one does: seed %i', (seed) => {
  for (const headers of draws(seed, 3000)) {
    expect(listOf(FastResponse, headers), JSON.stringify(headers)).toEqual(listOf(Response, headers));
  }
});

describe.each(ways)('$name', (way) => {
  it.each(makers)('sends what $kind lists, and nothing of what HTTP refuses', async ({ Maker }) => {
    const inits = draws(4, 300);
    const { address } = await start(way, ({ url }) => {
      const headers = inits[Number(new URL(url).searchParams.get('at'))] as Init;
      return new Maker('text', { headers });
    });
    let client = inbox(address);
    for (const [i, headers] of inits.entries()) {
      client.socket.write(get(`/?at=${String(i)}`));
      const head = (await client.until('\r\n\r\n')).split('\r\n').slice(0, -2);
      const expected = expectedLines(headers);
      const words = `${String(i)}: ${JSON.stringify(headers)}`;
      if (expected === undefined) {
        expect(head[0], words).toBe('HTTP/1.1 500 Internal Server Error');
        await client.until('Internal Server Error');
        continue;
      }
      const sent = head.slice(1).filter((line) => !SENT_BY_SERVE.test(line));
      expect([head[0], ...sent], words).toEqual(['HTTP/1.1 200 OK', ...expected]);
      expect(
        head.filter((line) => /^content-length: /i.test(line)),
        words,
      ).toEqual(['Content-Length: 4']);
      expect(
        head.filter((line) => /^date: /i.test(line)),
        words,
      ).toHaveLength(1);
      await client.until('text');
      if (!wantsClose(headers)) continue;
      expect(head, words).toContain('Connection: close');
      await client.untilClosed();
      client = inbox(address);
    }
  });

  it('headers that a program has changed after their Response was made', async () => {
    let calls = 0;
    const { address } = await start(way, () => {
      const response = new FastResponse('text', { headers: { 'X-One': '1', 'X-Two': '2' } });
      calls++;
      if (calls === 2) response.headers.set('x-one', 'changed');
      if (calls === 3) response.headers.append('x-two', '\u{e9}');
      if (calls === 4) response.headers.delete('x-one');
      return response;
    });
    const heads: string[][] = [];
    const client = inbox(address);
    for (let i = 0; i < 5; i++) {
      client.socket.write(get('/', i === 4 ? CLOSE : ''));
      const head = await client.until('\r\n\r\n');
      heads.push(head.split('\r\n').filter((line) => line.startsWith('x-')));
      await client.until('text');
    }
    const plain = ['x-one: 1', 'x-two: 2'];
    expect(heads).toEqual([
      plain,
      ['x-one: changed', 'x-two: 2'],
      ['x-one: 1', 'x-two: 2, \u{e9}'],
      ['x-two: 2'],
      plain,
    ]);
  });
});
