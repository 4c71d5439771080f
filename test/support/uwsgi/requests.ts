/** Requests of every size, method and header, from a seed. */
import { pick, type Random } from '../random.js';
import { pattern } from '../sockets.js';
import { encodePlan, type Plan } from './echo.js';

export interface PlannedRequest {
  method: string;
  path: string;
  /** Names and values in turn. */
  headers: string[];
  body: Buffer;
  /** In so many chunks, of no known length; 0: at once, with its length. */
  chunks: number;
}

const METHODS = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'PROPFIND',
  'REPORT',
];
const STATUSES = [
  200, 200, 200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 409, 410, 418, 422, 429, 500, 503, 599,
];
const PATHS = [
  '/',
  '/a/b/c',
  '/%C3%BC/%20/%2F',
  '/a//b///c',
  '/a/./b/../c',
  '/%61bc%3Fx',
  '/file.name;v=1,2',
  "/!$&'()*+,=:@~-._",
  '/long/'.padEnd(900, 'x'),
  '/plus+and%2Bplus',
];
const QUERIES = ['', 'a=1&b=2&', 'q=%20%26&', 'empty=&&', '%C3%BC=%E2%82%AC&', 'x=\'"<>[]{}|^`&'];
const FILLING = pattern(1_000_000, 3);

/** Mostly small, now and then large: as many of one to two bytes as of half the limit to all of it. */
function anySize(random: Random, limit: number): number {
  const bits = random(Math.ceil(Math.log2(limit)) + 1);
  return bits === 0 ? 0 : Math.min(limit, 2 ** (bits - 1) + random(2 ** (bits - 1)));
}

function headersOf(random: Random, number: number): string[] {
  const headers = ['Host', pick(random, ['example.org', 'example.org:8080', '[::1]:80', 'EXAMPLE'])];
  const more: [string, () => string][] = [
    ['User-Agent', () => 'Mozilla/5.0 (X11; Linux x86_64)'],
    ['Accept', () => 'text/html,application/xhtml+xml,*/*;q=0.8'],
    ['Cookie', () => `session=${'s'.repeat(anySize(random, 2000))}; other="quoted; value"`],
    ['Authorization', () => 'Basic dXNlcjpwYXNz'],
    [
      'Content-Type',
      () => pick(random, ['application/json', 'multipart/form-data; boundary=x', 'text/plain;charset=ü']),
    ],
    ['Referer', () => 'http://example.org/before?q=1'],
    ['If-None-Match', () => 'W/"1234", "5678"'],
    ['Range', () => 'bytes=0-9'],
    ['X-Forwarded-For', () => '10.0.0.1, 10.0.0.2'],
    ['X-Empty', () => ''],
    ['X-Latin', () => 'grün'],
    ['X-Long', () => 'x'.repeat(anySize(random, 4000))],
    ['X-Spaces', () => 'a  b\tc'],
    ['x-lower-case', () => '1'],
    ['X-UPPER-CASE', () => '2'],
    ['X-Number', () => String(number)],
  ];
  for (const [name, value] of more) if (random(3) === 0) headers.push(name, value());
  // Several of a name: what node keeps of them is a list.
  if (random(6) === 0)
    headers.push('X-Several', 'one', 'X-Several', 'two', 'Accept-Language', 'de', 'Accept-Language', 'en');
  return headers;
}

function planOf(random: Random): Plan {
  const headers: Plan['headers'] = [];
  const more: Plan['headers'] = [
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Set-Cookie', ['a=1; Path=/; HttpOnly', 'b=2; Max-Age=3']],
    ['Cache-Control', 'no-store'],
    ['ETag', '"1234"'],
    ['Last-Modified', 'Wed, 01 Jan 2020 00:00:00 GMT'],
    ['Location', '/elsewhere?x=1'],
    ['Vary', ['Accept', 'Cookie']],
    ['WWW-Authenticate', ['Basic realm="a"', 'Bearer']],
    ['X-Empty', ''],
    ['X-Latin', 'grün'],
    ['x-lower-case', '1'],
    ['X-Long', 'y'.repeat(anySize(random, 2000))],
  ];
  for (const header of more) if (random(4) === 0) headers.push(header);
  return {
    status: pick(random, STATUSES),
    message: random(10) === 0 ? 'As I Say' : '',
    headers,
    bytes: anySize(random, 300_000),
    pieces: random(2) === 0 ? 0 : 1 + random(5),
  };
}

export function planRequest(random: Random, number: number): PlannedRequest {
  const method = pick(random, METHODS);
  const withBody = !['GET', 'HEAD', 'OPTIONS'].includes(method) || random(20) === 0;
  const length = withBody ? anySize(random, 300_000) : 0;
  const start = random(FILLING.length - length);
  return {
    method,
    path: `${pick(random, PATHS)}?${pick(random, QUERIES)}${encodePlan(planOf(random))}`,
    headers: headersOf(random, number),
    body: FILLING.subarray(start, start + length),
    chunks: withBody && random(4) === 0 ? 1 + random(4) : 0,
  };
}
