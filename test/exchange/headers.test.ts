/** Header values of every kind, by every way in which node:http takes them: what is sent, kept or thrown is the same. */
import type * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { subjects } from '../support/subjects.js';
import { outcomeOf, type Log } from '../support/uwsgi/contract.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));

/** Made anew for each answer: node changes an array that it is given. */
const VALUES: [name: string, make: () => unknown][] = [
  ['a string', () => 'text'],
  ['an empty string', () => ''],
  ['latin1', () => 'gr\u00fcn'],
  ['a number', () => 42],
  ['NaN', () => NaN],
  ['a bigint', () => 42n],
  ['true', () => true],
  ['null', () => null],
  ['undefined', () => undefined],
  ['a Date', () => new Date(0)],
  ['a Buffer', () => Buffer.from('bytes')],
  ['a Buffer with CRLF', () => Buffer.from('a\r\nb: c')],
  ['a typed array', () => new Uint16Array([1, 2])],
  ['a plain object', () => ({ a: 1 })],
  ['an object with a text', () => ({ toString: () => 'own text' })],
  ['an object with a text of two lines', () => ({ toString: () => 'a\r\nb: c' })],
  ['an object with a text and a value', () => ({ toString: () => 'own text', valueOf: () => 7 })],
  ['an object with a length', () => ({ length: 3, toString: () => 'own text' })],
  ['a String object', () => new String('text')],
  ['a Set', () => new Set(['a'])],
  ['a symbol', () => Symbol('a')],
  ['an empty array', () => []],
  ['an array of one', () => ['a']],
  ['an array', () => ['a', 'b']],
  ['an array of all kinds', () => ['a', 1, true, null, new Date(0), Buffer.from('c')]],
  ['an array with undefined', () => ['a', undefined]],
  ['an array in an array', () => [['a', 'b'], 'c']],
  ['an array with CRLF', () => ['a', 'b\r\nc: d']],
];

type Way = (res: http.ServerResponse, name: string, value: never) => unknown;

const WAYS: [name: string, way: Way][] = [
  ['setHeader', (res, name, value) => res.setHeader(name, value)],
  ['appendHeader', (res, name, value) => res.appendHeader(name, value)],
  ['appendHeader to another', (res, name, value) => res.setHeader(name, 'first').appendHeader(name, value)],
  ['setHeaders', (res, name, value) => res.setHeaders(new Map([[name, value]]))],
  ['writeHead with an object', (res, name, value) => res.writeHead(200, { [name]: value })],
  [
    'writeHead with an object over setHeader',
    (res, name, value) => res.setHeader('X-B', 'b').writeHead(200, { [name]: value }),
  ],
  ['writeHead with a raw list', (res, name, value) => res.writeHead(200, [name, value])],
  [
    'writeHead with a raw list over setHeader',
    (res, name, value) => res.setHeader('X-B', 'b').writeHead(200, [name, value]),
  ],
  ['writeHead with pairs', (res, name, value) => res.writeHead(200, [[name, value]] as never)],
];

/** Those about which node has rules of its own. */
const NAMES = ['X-A', 'Set-Cookie', 'Cookie', 'Content-Length', 'Date', 'Content-Disposition'];

function attempt(log: Log, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    log.push(`${String((error as NodeJS.ErrnoException).code)}: ${(error as Error).message}`);
  }
}

function handler(way: Way, name: string, make: () => unknown) {
  return (_req: http.IncomingMessage, res: http.ServerResponse, log: Log): void => {
    attempt(log, () => way(res, name, make() as never));
    log.push(String(res.headersSent), JSON.stringify(res.getHeaderNames()));
    attempt(log, () => res.end('hello'));
    // What could not be made into a head is left: the connection is to end all the same.
    if (!res.writableEnded) res.destroy();
  };
}

/** In which encoding a head goes out hangs on what is behind it. */
const ANSWERS: [name: string, answer: (res: http.ServerResponse) => unknown][] = [
  ['end', (res) => res.end('h\u00e9')],
  ['end with a Buffer', (res) => res.end(Buffer.from('h\u00e9'))],
  ['end with nothing', (res) => res.end()],
  ['write and end', (res) => (res.write('h\u00e9'), res.end('!'))],
  [
    'write and end of a known length',
    (res) => (res.setHeader('Content-Length', 4), res.write('h\u00e9'), res.end('!')),
  ],
  ['writeHead and end', (res) => res.writeHead(200).end('h\u00e9')],
  ['writeHead and write', (res) => (res.writeHead(200).write('h\u00e9'), res.end())],
  ['flushHeaders', (res) => (res.flushHeaders(), res.end('h\u00e9'))],
  ['chunks that are asked for', (res) => res.setHeader('Transfer-Encoding', 'chunked').end('h\u00e9')],
  ['a reason', (res) => res.writeHead(200, 'gr\u00fcn').end('h\u00e9')],
  ['a status without a body', (res) => res.writeHead(204).end()],
];

describe.each(transports)('as node:http does, on %s', (transport) => {
  it.each(ANSWERS)('a head in latin1: %s', async (_, answer) => {
    const handler = (_req: http.IncomingMessage, res: http.ServerResponse): unknown =>
      answer(res.setHeader('X-A', 'gr\u00fcn'));
    expect(await outcomeOf(transport, handler, {})).toEqual(await outcomeOf('node:http', handler, {}));
  });

  describe.each(WAYS)('%s', (_, way) => {
    it.each(VALUES)('%s', async (_name, make) => {
      for (const name of NAMES) {
        const expected = await outcomeOf('node:http', handler(way, name, make), {});
        expect([name, await outcomeOf(transport, handler(way, name, make), {})]).toEqual([name, expected]);
      }
    });
  });
});
