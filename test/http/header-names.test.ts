/** Request headers whose names are at hand as strings: what a listener sees is what it sees on node. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { getEngine } from 'nearwire/internal';
import { RequestHead } from '../../src/binding/words.js';
import { HEADER_NAMES } from '../../src/http/header-names.js';
import { rawRequest } from '../support/http.js';
import { listen } from '../support/sockets.js';
import { requireOrSkip } from '../support/requirements.js';
import { subjects } from '../support/subjects.js';

/** As many as node's parser reports at once; those that say how the message is read are another test's matter. */
const AT_ONCE = 30;
const FRAMING = /^(content-length|connection|host|te|keep-alive)$/i;

/** Known names, some that are nearly known, and what objects have by themselves. */
const NAMES = [
  ...HEADER_NAMES.filter((name) => !FRAMING.test(name)),
  ...HEADER_NAMES.map((name) => `${name}x`),
  ...HEADER_NAMES.map((name) => name.slice(1)).filter((name) => /^[a-z]/i.test(name) && !/^e$/i.test(name)),
  ...HEADER_NAMES.filter((name) => !FRAMING.test(name)).map((name) => name.toUpperCase()),
  ...['A', '__proto__', 'constructor', 'toString', '-', '!', 'x'.repeat(300)],
];

function batches(): string[][] {
  const count = Math.ceil(NAMES.length / AT_ONCE);
  return Array.from({ length: count }, (_, i) => NAMES.slice(i * AT_ONCE, (i + 1) * AT_ONCE));
}

describe.each(subjects)('on $name', (subject) => {
  test('a request has its names as they were sent', async () => {
    const seen: string[][] = [];
    const server = subject.http.createServer({}, ({ rawHeaders, headers, url }: IncomingMessage, response) => {
      seen.push(rawHeaders);
      const [, , name = '', value] = rawHeaders;
      response.end(`${String(url)} ${String(headers[name.toLowerCase()] === value)};`);
    });
    const address = await listen(server, 'unix');
    const sent = batches();
    const text = sent.map((names, i) => {
      const lines = names.map((name, j) => `${name}: ${String(j)}`);
      if (i === sent.length - 1) lines.push('Connection: close');
      return ['GET / HTTP/1.1', 'Host: x', ...lines, '', ''].join('\r\n');
    });
    const answers = await rawRequest(subject, address, text.join(''));
    expect(answers.match(/\/ true;/g)).toHaveLength(sent.length);
    expect(seen.slice(0, -1)).toEqual(
      sent.slice(0, -1).map((names) => ['Host', 'x', ...names.flatMap((name, j) => [name, String(j)])]),
    );
  });
});

test('no name is listed twice, and none that would not be one', () => {
  expect(new Set(HEADER_NAMES).size).toBe(HEADER_NAMES.length);
  expect(HEADER_NAMES.length).toBeLessThanOrEqual(256);
  for (const name of HEADER_NAMES) expect(name).toMatch(/^[\w-]+$/);
});

describe.skipIf(requireOrSkip('addon') === undefined)('the addon', () => {
  const native = getEngine()?.native;
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\nA-B: c\r\n\r\n');
  const starts = (): (number | undefined)[] => {
    native?.scanRequest(bytes, 0, bytes.length);
    return [0, 4, 8].map((at) => native?.layout.requestHead[RequestHead.Headers + at]);
  };

  test.each<[string, unknown, (number | undefined)[]]>([
    ['none', [], [16, 25, 34]],
    ['no list', undefined, [16, 25, 34]],
    ['one', ['Host'], [-1, 25, 34]],
    ['others', ['A-B', 'host'], [16, -2, -1]],
    ['the same twice', ['Host', 'Host', 'A-B'], [-1, 25, -3]],
    ['what is no name, and others behind it', ['host', 1, 'Host'], [16, -1, 34]],
    ['an empty one, and others behind it', ['', 'Host'], [16, 25, 34]],
    [
      'more than it takes',
      Array.from({ length: 300 }, (_, i) => (i === 255 ? 'Host' : i === 256 ? 'host' : `N${String(i)}`)),
      [-256, 25, 34],
    ],
  ])('knows %s', (_, names, expected) => {
    native?.setHeaderNames(names as string[]);
    expect(starts()).toEqual(expected);
    native?.setHeaderNames(HEADER_NAMES);
    expect(
      starts()
        .slice(0, 2)
        .map((start) => HEADER_NAMES[~(start ?? 0)]),
    ).toEqual(['Host', 'host']);
  });
});
