/** Requests made at random, some of them broken, cut anywhere: told of as by node's own server, seed by seed. */
import { describe, expect, it } from 'vitest';
import { converse, PLAIN_REQUEST } from '../support/conversations.js';
import { reference, subjects } from '../support/subjects.js';
import { randomOf } from '../support/random.js';

const CONVERSATIONS_EACH = 50;
const SEEDS = [1, 2, 3, 4];

const METHODS = ['GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'LOCK', 'get'];
const TARGETS = ['/', '/a/b?c=d', "/-._~!$&'()*+,;=:@%41", '/a|b', '/a"b', '/\x80', '*', 'http://x/', '/a#b', '/{}'];
const HEADERS = [
  'A: b',
  'Cookie: a=b; c=d',
  'Cookie: e=f',
  'X-Empty:',
  'X-Blanks:  \t a b \t',
  'X-Latin: \xe9\xff',
  'Connection: keep-alive',
  'connection: KEEP-ALIVE',
  'Connection: close',
  'Connection: keep-alive, x',
  'Transfer-Encoding: identity',
  'Proxy-Connection: close',
  'Upgrade: x',
  'Content-Length: 0',
  'Host: y',
  'Bad Name: x',
  "!#$%&'*+-.^_`|~: tokens",
  `Long: ${'l'.repeat(3000)}`,
];

function makeRequest(random: (below: number) => number): string {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const lines = [
    `${pick(METHODS)} ${random(3) === 0 ? pick(TARGETS) : '/plain'} HTTP/1.${random(12) === 0 ? '0' : '1'}`,
  ];
  if (random(20) > 0) lines.push('Host: x');
  for (let left = random(4); left > 0; left--) lines.push(random(3) === 0 ? pick(HEADERS) : 'Accept: */*');
  const body = random(2) === 0 ? 'x'.repeat(random(random(4) === 0 ? 70_000 : 40)) : '';
  if (body !== '') lines.push(`Content-Length: ${String(body.length)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** One byte in a few hundred requests is another one. */
function perhapsBreak(text: string, random: (below: number) => number): string {
  if (random(8) > 0) return text;
  const at = random(Math.min(text.length, 200));
  return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
}

function cut(text: string, random: (below: number) => number): string[] {
  const pieces: string[] = [];
  while (text.length > 0) {
    const length = random(3) === 0 ? text.length : 1 + random(text.length);
    pieces.push(text.slice(0, length));
    text = text.slice(length);
  }
  return pieces;
}

function makeConversation(random: (below: number) => number): string[] {
  const text = Array.from({ length: 1 + random(4) }, () => perhapsBreak(makeRequest(random), random)).join('');
  return [PLAIN_REQUEST, PLAIN_REQUEST, ...cut(text, random)];
}

const natives = subjects.filter(({ name }) => name === 'native');

describe.each(natives)('random requests: $name', (subject) => {
  it.each(SEEDS)('seed %i', async (seed) => {
    const random = randomOf(seed);
    for (let i = 0; i < CONVERSATIONS_EACH; i++) {
      const pieces = makeConversation(random);
      const told = await converse(subject, 'unix', pieces);
      expect(told, JSON.stringify(pieces)).toEqual(await converse(reference, 'unix', pieces));
    }
  });
});
