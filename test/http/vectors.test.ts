/**
 * Each vector as the first, second and third request of a connection, whole and cut at every byte, on node:http and on
 * nearwire's engine: whatever either end sees is the same.
 */
import type * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { reference, subjects, type Subject } from '../support/subjects.js';
import { asNth, type Script, type Setting } from './talk.js';
import { differences } from './vectors-compare.js';
import { SHORT_VECTORS, VECTORS } from './vectors.js';

/** All combinations of a cut and a place in the connection; otherwise the cuts take turns in the three places. */
const ALL = process.env['NEARWIRE_VECTORS_ALL'] === '1';

const NTHS = [1, 2, 3];
const natives = subjects.filter(({ name }) => name === 'native');

function wholes(nths: readonly number[]): Script[] {
  return VECTORS.flatMap(({ name, bytes }) => nths.map((nth) => asNth(nth, name, [bytes])));
}

/** In two writes, the second of them after the first has been read. */
function cuts(turn: number): Script[] {
  return SHORT_VECTORS.flatMap(({ name, bytes }) =>
    Array.from({ length: bytes.length - 1 }, (_, at) => {
      const pieces = [bytes.slice(0, at + 1), bytes.slice(at + 1)];
      return (ALL ? NTHS : [1 + ((at + turn) % NTHS.length)]).map((nth) =>
        asNth(nth, `${name}, cut at ${String(at + 1)}`, pieces),
      );
    }).flat(),
  );
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  'a program that listens to all, over unix': { family: 'unix', listens: true },
  "node's answers, over unix": { family: 'unix', listens: false },
  'a program that listens to all, over tcp': { family: 'tcp', listens: true },
  "node's answers, over tcp": { family: 'tcp', listens: false },
  'no Host required': { family: 'unix', listens: false, options: { requireHostHeader: false } },
  'a lenient parser': { family: 'unix', listens: true, options: { insecureHTTPParser: true } },
  'heads of 100 bytes': { family: 'unix', listens: true, options: { maxHeaderSize: 100 } },
  'duplicates joined': { family: 'unix', listens: false, options: { joinDuplicateHeaders: true } },
  'two requests on a connection': { family: 'unix', listens: true, maxRequestsPerSocket: 2 },
};

describe.each(natives)('vectors: $name', (subject) => {
  it('has a name for each', () => {
    expect(new Set(VECTORS.map(({ name }) => name)).size).toBe(VECTORS.length);
  });

  it.each(Object.entries(SETTINGS))('whole: %s', async (_, setting) => {
    expect(await differences(subject, setting, wholes(NTHS))).toEqual([]);
  });

  it.each<Setting>([
    { family: 'unix', listens: true },
    { family: 'tcp', listens: false },
  ])('cut at every byte: $family', async (setting) => {
    expect(await differences(subject, setting, cuts(setting.family === 'tcp' ? 1 : 0))).toEqual([]);
  });
});

/** node:http with something wrong in it. */
function doctored(wrong: (request: http.IncomingMessage, response: http.ServerResponse) => void): Subject {
  const createServer: Subject['http']['createServer'] = (options, listener) =>
    reference.http.createServer(options, (request, response) => {
      wrong(request, response);
      listener?.(request, response);
    });
  return { ...reference, http: { ...reference.http, createServer } };
}

describe('what is compared', () => {
  it.each<[string, Parameters<typeof doctored>[0]]>([
    ['a header', ({ rawHeaders }) => rawHeaders.push('A', 'b')],
    ['a target', (request) => (request.url = '/other')],
    ['an answer', (_, response) => response.setHeader('A', 'b')],
    ['a connection that closes', (_, response) => (response.shouldKeepAlive = false)],
    ['a connection that is cut', ({ socket }) => socket.destroy()],
    ['bytes that nobody asked for', ({ socket }) => socket.write('x')],
  ])('shows %s', async (_, wrong) => {
    const scripts = [asNth(2, 'plain', ['GET /g HTTP/1.1\r\nHost: x\r\n\r\n'])];
    expect(await differences(doctored(wrong), { family: 'unix', listens: true }, scripts)).toHaveLength(1);
    expect(await differences(reference, { family: 'unix', listens: true }, scripts)).toEqual([]);
  });
});
