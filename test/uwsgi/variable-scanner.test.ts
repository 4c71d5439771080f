/** What the addon finds of a request's variables is what the reader finds by itself; and what it leaves to that. */
import { describe, expect, test } from 'vitest';
import { getEngine } from 'nearwire/internal';
import { HEADER_NAMES } from '../../src/http/header-names.js';
import { scannerOf } from '../../src/uwsgi/variable-scanner.js';
import { UwsgiReader } from '../../src/uwsgi/server-reader.js';
import type { Variables } from '../../src/uwsgi/variables.js';
import { requireOrSkip } from '../support/requirements.js';

type Pairs = readonly (readonly [name: string, value: string])[];

const LIMITS = { variablesSize: 65_535, variablesCount: 1000, bodySize: Number.POSITIVE_INFINITY };
const LEAST: Pairs = [
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/'],
];

function encode(pairs: Pairs): Buffer {
  const parts = pairs.flat().flatMap((text) => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(text.length);
    return [length, Buffer.from(text, 'latin1')];
  });
  return Buffer.concat(parts);
}

function headers(count: number): Pairs {
  return Array.from({ length: count }, (_, i) => [`HTTP_X_${String(i)}`, String(i)]);
}

/** As nginx sends them. */
const BROWSERS: Pairs = [
  ['QUERY_STRING', 'page=2'],
  ['REQUEST_METHOD', 'POST'],
  ['CONTENT_TYPE', 'text/plain; charset=utf-8'],
  ['CONTENT_LENGTH', '5'],
  ['REQUEST_URI', '/things?page=2'],
  ['PATH_INFO', '/things'],
  ['DOCUMENT_ROOT', '/usr/share/nginx/html'],
  ['SERVER_PROTOCOL', 'HTTP/2.0'],
  ['REQUEST_SCHEME', 'https'],
  ['HTTPS', 'on'],
  ['REMOTE_ADDR', '192.0.2.7'],
  ['REMOTE_PORT', '40000'],
  ['SERVER_PORT', '443'],
  ['SERVER_NAME', 'app.example'],
  ['HTTP_HOST', 'app.example'],
  ['HTTP_COOKIE', 'name=\xfc\tx'],
  ['HTTP_X_CUSTOM', 'one'],
  ['HTTP_X_CUSTOM', 'two'],
  ['HTTP_USER_AGENT', ''],
];

const allNames = [...new Set(HEADER_NAMES.map((name) => name.toUpperCase().replaceAll('-', '_')))];

/** Whether the addon finds the parts. */
const CASES: readonly [string, Pairs, boolean][] = [
  ['the least there is', LEAST, true],
  ["a browser's", BROWSERS, true],
  ['each known header', [...LEAST, ...allNames.map((name) => [`HTTP_${name}`, name] as const)].slice(0, 66), true],
  ['the rest of them', [...LEAST, ...allNames.slice(64).map((name) => [`HTTP_${name}`, name] as const)], true],
  ['headers that are nearly known', [...LEAST, ['HTTP_HOSTS', 'a'], ['HTTP_HOS', 'b'], ['HTTP_host', 'c']], true],
  ['headers of CGI by their other names', [...LEAST, ['HTTP_CONTENT_TYPE', 'a'], ['HTTP_CONTENT_LENGTH', '7']], true],
  ['what the proxy has decoded', [...LEAST, ['HTTP_TRANSFER_ENCODING', 'chunked'], ['HTTP_TE', 'x']], true],
  ["names of an object's own", [...LEAST, ['HTTP___PROTO__', '1'], ['__proto__', '2'], ['constructor', '3']], true],
  ['no name', [...LEAST, ['', '']], true],
  ['as many headers as it takes', [...LEAST, ...headers(64)], true],
  ['more', [...LEAST, ...headers(65)], false],
  ['as many variables as are allowed', [...LEAST, ...Array.from({ length: 998 }, () => ['N', ''] as const)], true],
  ['more', [...LEAST, ...Array.from({ length: 999 }, () => ['N', ''] as const)], true],
  ['the longest body', [...LEAST, ['CONTENT_LENGTH', '999999999']], true],
  ['a longer one', [...LEAST, ['CONTENT_LENGTH', '2147483648']], false],
  ['a length that is none', [...LEAST, ['CONTENT_LENGTH', '1e3']], false],
  ['the length twice', [...LEAST, ['CONTENT_LENGTH', '5'], ['CONTENT_LENGTH', '5']], false],
  ['two lengths', [...LEAST, ['CONTENT_LENGTH', '5'], ['CONTENT_LENGTH', '6']], false],
  ['an empty length and type', [...LEAST, ['CONTENT_LENGTH', ''], ['CONTENT_TYPE', '']], true],
  ['HTTP/1.0', [...LEAST, ['SERVER_PROTOCOL', 'HTTP/1.0']], true],
  ['another protocol', [...LEAST, ['SERVER_PROTOCOL', 'ICAP/1.0']], true],
  ['no protocol', [...LEAST, ['SERVER_PROTOCOL', '']], false],
  ['the protocol twice', [...LEAST, ['SERVER_PROTOCOL', 'HTTP/1.0'], ['SERVER_PROTOCOL', 'HTTP/2']], false],
  ['another one, then the usual', [...LEAST, ['SERVER_PROTOCOL', 'HTTP/1.0'], ['SERVER_PROTOCOL', 'HTTP/1.1']], true],
  ['an expectation', [...LEAST, ['HTTP_EXPECT', '100-continue']], false],
  ['an upgrade', [...LEAST, ['HTTP_UPGRADE', 'websocket']], false],
  ['no method', [['REQUEST_URI', '/']], false],
  [
    'an empty one',
    [
      ['REQUEST_METHOD', ''],
      ['REQUEST_URI', '/'],
    ],
    false,
  ],
  [
    'what is no method',
    [
      ['REQUEST_METHOD', 'G T'],
      ['REQUEST_URI', '/'],
    ],
    false,
  ],
  ['the method twice', [...LEAST, ['REQUEST_METHOD', 'PUT']], false],
  [
    'no URL',
    [
      ['REQUEST_METHOD', 'GET'],
      ['PATH_INFO', '/a b'],
    ],
    false,
  ],
  [
    'an empty one',
    [
      ['REQUEST_METHOD', 'GET'],
      ['REQUEST_URI', ''],
      ['PATH_INFO', '/x'],
    ],
    false,
  ],
  [
    'what is no URL',
    [
      ['REQUEST_METHOD', 'GET'],
      ['REQUEST_URI', '/a b'],
    ],
    false,
  ],
  ['the URL twice', [...LEAST, ['REQUEST_URI', '/other']], false],
  ['a type of two lines', [...LEAST, ['CONTENT_TYPE', 'a\r\nb: c']], false],
  ['a header of two lines', [...LEAST, ['HTTP_HOST', 'a\r\nb: c']], false],
  ['a longer one', [...LEAST, ['HTTP_X_LONG', `${'v'.repeat(100)}\0`]], false],
  ['a header without a name', [...LEAST, ['HTTP_', 'a']], false],
  ['a name with a colon', [...LEAST, ['HTTP_A:', 'a']], false],
];

const engine = requireOrSkip('addon') === undefined ? undefined : getEngine();

type Outcome = { readonly code: string } | Variables | undefined;

/** What a reader makes of the packet, with its engine or by itself. */
function read(packet: Buffer, byAddon: boolean): Outcome {
  let outcome: Outcome;
  const sink = {
    onHead: (head: unknown) => (outcome = head as Variables),
    wantsBody: true,
    onBody: () => undefined,
    onComplete: () => undefined,
  };
  const reader = new UwsgiReader(LIMITS, byAddon ? engine : undefined);
  return reader.read(sink, packet, 0, packet.length) ?? outcome;
}

function packetOf(variables: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(variables.length, 1);
  return Buffer.concat([header, variables]);
}

/** All that a listener can find out. */
function told(outcome: Outcome): unknown {
  if (outcome === undefined || 'code' in outcome) return outcome?.code;
  const { method, url, bodyLength, expect, upgrade, versionMajor, versionMinor, rawHeaders, count, all } = outcome;
  const variables = Object.entries(all);
  return { method, url, bodyLength, expect, upgrade, versionMajor, versionMinor, rawHeaders, count, variables };
}

describe.skipIf(engine === undefined)('the addon', () => {
  const scan = (variables: Buffer): Variables | undefined => {
    if (engine === undefined) throw new Error('no engine');
    return scannerOf(engine).scan(variables, 0, variables.length);
  };

  test.each(CASES)('%s', (_, pairs, isFound) => {
    const variables = encode(pairs);
    expect(scan(variables) !== undefined).toBe(isFound);
    expect(told(read(packetOf(variables), true))).toEqual(told(read(packetOf(variables), false)));
  });

  test('variables that end anywhere', () => {
    const whole = encode(BROWSERS);
    let found = 0;
    for (let end = 0; end <= whole.length; end++) {
      // In memory of its own: what is read past its end is seen by AddressSanitizer.
      const variables = Buffer.from(new Uint8Array(whole.subarray(0, end)).buffer);
      if (scan(variables) !== undefined) found++;
      expect(told(read(packetOf(variables), true))).toEqual(told(read(packetOf(variables), false)));
    }
    // Wherever a whole variable ends, from the URL on.
    expect(found).toBe(BROWSERS.length - 4);
  });

  test('bytes of any value, anywhere', () => {
    const usual = encode(LEAST.concat([['HTTP_HOST', 'x']]));
    let found = 0;
    for (let at = 0; at < usual.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const variables = Buffer.from(usual);
        variables[at] = byte;
        if (scan(variables) !== undefined) found++;
        const [byAddon, byItself] = [true, false].map((is) => JSON.stringify(told(read(packetOf(variables), is))));
        if (byAddon !== byItself) expect([at, byte, byAddon]).toEqual([at, byte, byItself]);
      }
    }
    expect(found).toBeGreaterThan(usual.length);
  });

  test.each<[string, unknown, number, number]>([
    ['before its memory', encode(LEAST), -1, 10],
    ['behind its memory', encode(LEAST), 0, 1000],
    ['nowhere', encode(LEAST), 5, 5],
    ['backwards', encode(LEAST), 10, 5],
    ['in no memory', {}, 0, 10],
    ['in memory that is gone', detached(encode(LEAST)), 0, 10],
    ['behind the inbox', undefined, 0, 2 ** 31 - 1],
  ])('finds nothing %s', (_, memory, start, end) => {
    expect(engine?.native.scanVariables(memory as Buffer, start, end)).toBeUndefined();
  });
});

function detached(bytes: Buffer): Uint8Array {
  const memory = new Uint8Array(bytes);
  structuredClone(memory, { transfer: [memory.buffer] });
  return memory;
}
