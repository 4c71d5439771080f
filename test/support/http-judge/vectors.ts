/** Requests, right ones and wrong ones: RFC 9112's rules, one by one, and the ways to smuggle one request in another. */

const HOST = 'Host: x\r\n';

/** A plain one, whose handler is the ordinary one whatever the case's is. */
export const PLAIN = `GET /plain HTTP/1.1\r\n${HOST}\r\n`;

/** What a smuggled request would look like to its handler. */
const HIDDEN = `GET /hidden HTTP/1.1\r\n${HOST}\r\n`;

function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function get(...headers: string[]): string {
  return head('GET /g HTTP/1.1', 'Host: x', ...headers);
}

function post(headers: string[], body = ''): string {
  return head('POST /p HTTP/1.1', 'Host: x', ...headers) + body;
}

function chunked(body: string, ...headers: string[]): string {
  return post(['Transfer-Encoding: chunked', ...headers], body);
}

const REQUEST_LINES = [
  'GET /g HTTP/1.1',
  'HEAD /g HTTP/1.1',
  'OPTIONS /g HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'DELETE /g?a=b&c=%20 HTTP/1.1',
  'PROPFIND /g HTTP/1.1',
  'M-SEARCH * HTTP/1.1',
  'PRI * HTTP/2.0',
  'get /g HTTP/1.1',
  'GETX /g HTTP/1.1',
  'GE T /g HTTP/1.1',
  'GET  /g HTTP/1.1',
  'GET\t/g HTTP/1.1',
  'GET /g  HTTP/1.1',
  'GET /g HTTP/1.1 ',
  'GET /g\tHTTP/1.1',
  ' GET /g HTTP/1.1',
  'GET g HTTP/1.1',
  'GET http://x/g HTTP/1.1',
  'GET https://y:1/g?h HTTP/1.1',
  'GET //g HTTP/1.1',
  'GET /g#h HTTP/1.1',
  'GET /"<>\\^`{|} HTTP/1.1',
  'GET /\x80\xff HTTP/1.1',
  'GET /\x00 HTTP/1.1',
  'GET /\x7f HTTP/1.1',
  `GET /${'g'.repeat(2000)} HTTP/1.1`,
  'GET /g HTTP/1.0',
  'GET /g HTTP/0.9',
  'GET /g HTTP/1.2',
  'GET /g HTTP/2.0',
  'GET /g HTTP/1.10',
  'GET /g HTTP/11',
  'GET /g http/1.1',
  'GET /g HTP/1.1',
  'GET /g ICE/1.0',
  'GET /g',
  'GET',
  'CONNECT x:1 HTTP/1.1',
  'CONNECT /g HTTP/1.1',
  'SOURCE /g ICE/1.0',
  '\x16\x03\x01\x02\x00',
];

const FIELDS = [
  'A:b',
  'A: \t b \t ',
  'A:',
  'A:   ',
  'A : b',
  'A\t: b',
  ' A: b',
  ': b',
  'A',
  'A b: c',
  'A\x00: b',
  'A: \x00',
  'A: \x01',
  'A: \x7f',
  'A: \x80\xff',
  'A: b\rc',
  'A: b\nC: d',
  'A: b\r\n c',
  'A: b\r\n\tc',
  'A: b\r\n ',
  'A: b\r',
  'A(): b',
  "!#$%&'*+-.^_`|~09: tokens",
  'Cookie: a=b\r\nCookie: c=d',
  'Host: y',
  'Content-Type: a/b\r\nContent-Type: c/d',
  `A: ${'b'.repeat(9000)}`,
  `A: ${'b'.repeat(17_000)}`,
  Array.from({ length: 31 }, (_, i) => `A${String(i)}: b`).join('\r\n'),
  Array.from({ length: 40 }, (_, i) => `A${String(i)}: b`).join('\r\n'),
  '__proto__: a',
  'Connection: keep-alive',
  'Connection: KEEP-ALIVE',
  'Connection: keep-alive\t',
  'Connection: keep-alive, x',
  'Connection: close, keep-alive',
  'Connection: keep-alive\r\nConnection: close',
  'Connection: close',
  'Connection: Close ',
  'Connection: closed',
  'Connection: x',
  'Connection:',
  'Connection : close',
  'Proxy-Connection: close',
  'Keep-Alive: timeout=1',
  'Upgrade: x',
  'Connection: Upgrade\r\nUpgrade: x',
  'Connection: Upgrade',
  'Expect: 100-continue',
  'Expect: 100-Continue, x',
  'Expect: y',
  'Expect:',
  'TE: trailers',
  'Trailer: Content-Length',
];

const LENGTHS = [
  '5',
  '5 ',
  '5\t',
  '5 \t',
  '\t5',
  ' 5',
  '05',
  '0000000000000000000005',
  '+5',
  '-5',
  '5.0',
  '5,5',
  '5, 5',
  '5 5',
  '0x5',
  '5a',
  'a',
  '',
  ' ',
  '4294967301',
  '18446744073709551621',
  '99999999999999999999999999',
  '5\x00',
  '5\x0b',
  '5\r\nContent-Length: 5',
  '5\r\nContent-Length: 0',
  '0\r\nContent-Length: 5',
  '5\r\ncontent-length: 5',
  '0',
  '3',
];

const CODINGS = [
  'chunked',
  'Chunked',
  'CHUNKED',
  ' chunked',
  'chunked ',
  'chunked\t',
  '\tchunked',
  '\x0bchunked',
  'chunked\x00',
  'xchunked',
  'chunkedx',
  'x, chunked',
  'x,chunked',
  'chunked, x',
  'chunked, chunked',
  'chunked\r\nTransfer-Encoding: chunked',
  'chunked\r\nTransfer-Encoding: x',
  'x\r\nTransfer-Encoding: chunked',
  'identity',
  'gzip, chunked',
  'gzip',
  '',
  '"chunked"',
  'chunked;a=b',
  'chunked\r\n x',
  'chun\r\n ked',
];

const CODING_NAMES = ['Transfer-Encoding ', 'Transfer_Encoding', 'Transfer-Encodin', ' Transfer-Encoding', 'TE'];

const CHUNKS = [
  '5\r\nhello\r\n0\r\n\r\n',
  '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '00\r\n\r\n',
  '000005\r\nhello\r\n0000\r\n\r\n',
  'A\r\n0123456789\r\n0\r\n\r\n',
  'a\r\n0123456789\r\n0\r\n\r\n',
  '5;a=b\r\nhello\r\n0\r\n\r\n',
  '5;a="b\\"c"\r\nhello\r\n0;d\r\n\r\n',
  '5 ;a\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\t\r\nhello\r\n0\r\n\r\n',
  ' 5\r\nhello\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '+5\r\nhello\r\n0\r\n\r\n',
  '-1\r\nhello\r\n0\r\n\r\n',
  'g\r\nhello\r\n0\r\n\r\n',
  '\r\nhello\r\n0\r\n\r\n',
  '5\nhello\r\n0\r\n\r\n',
  '5\r\nhello\n0\r\n\r\n',
  '5\rhello\r\n0\r\n\r\n',
  '5;a\nhello\r\n0\r\n\r\n',
  '5\r\nhello0\r\n\r\n',
  '4\r\nhello\r\n0\r\n\r\n',
  '6\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\n',
  'FFFFFFFFFFFFFFFF5\r\nhello\r\n0\r\n\r\n',
  '10000000000000005\r\nhello\r\n0\r\n\r\n',
  '7fffffffffffffff\r\nhello',
  `5;${'a'.repeat(17_000)}\r\nhello\r\n0\r\n\r\n`,
  '5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n',
  '5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n',
  '5\r\nhello\r\n0\r\nA b\r\n\r\n',
  '0\r\nConnection: close\r\n\r\n',
  '5\r\nhello\r\n0\r\nConnection: close\r\n\r\n',
  '5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n',
  '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
  '5\r\nhello\r\n0\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
];

const WHOLE = [
  // Ends of lines.
  'GET /g HTTP/1.1\nHost: x\n\n',
  'GET /g HTTP/1.1\r\nHost: x\n\r\n',
  'GET /g HTTP/1.1\r\nHost: x\r\n\n',
  'GET /g HTTP/1.1\rHost: x\r\r',
  'GET /g HTTP/1.1\r\r\nHost: x\r\n\r\n',
  `\r\n${get()}`,
  `\r\n\r\n\r\n${get()}`,
  `\n${get()}`,
  `\r${get()}`,
  ` ${get()}`,
  `\x00${get()}`,
  '\r\n',
  '\x00',
  'hello\r\n\r\n',
  // Hosts.
  head('GET /g HTTP/1.1'),
  head('GET /g HTTP/1.1', 'Host:'),
  head('GET /g HTTP/1.1', 'Host: x', 'Host: x'),
  head('GET /g HTTP/1.1', 'Host: x y'),
  head('GET /g HTTP/1.0'),
  head('GET /g HTTP/1.0', 'Connection: keep-alive'),
  head('GET /g HTTP/1.0', 'Connection: close'),
  head('POST /p HTTP/1.0', 'Content-Length: 5') + 'hello',
  head('POST /p HTTP/1.0', 'Connection: keep-alive', 'Content-Length: 5') + 'hello',
  head('POST /p HTTP/1.0', 'Transfer-Encoding: chunked') + '0\r\n\r\n',
  // Lengths and codings against each other.
  post(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  post(['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  post(['Content-Length: 6', 'Transfer-Encoding: identity'], 'hello!'),
  post([], 'hello'),
  post(['Content-Length: 5'], 'hel'),
  post(['Content-Length: 5'], 'hello!'),
  post(['Content-Length: 5'], 'hello\r\n'),
  post([`Content-Length: ${String(HIDDEN.length)}`], HIDDEN),
  post([`Content-Length: ${String(HIDDEN.length)}`], HIDDEN.slice(0, 20)),
  get(`Content-Length: ${String(HIDDEN.length)}`) + HIDDEN,
  head('GET /g HTTP/1.1', 'Host: x', `Content-Length:${String(HIDDEN.length)}`, 'Connection: close') + HIDDEN,
  chunked(`${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`),
  head('HEAD /g HTTP/1.1', 'Host: x', 'Content-Length: 5') + 'hello',
  head('CONNECT x:1 HTTP/1.1', 'Host: x', 'Content-Length: 5') + 'hello',
  post(['Content-Length: 70000'], 'x'.repeat(70_000)),
  chunked(`11170\r\n${'x'.repeat(70_000)}\r\n0\r\n\r\n`),
  // Last ones.
  post(['Connection: close', 'Content-Length: 5'], 'hello'),
  post(['Connection: close', 'Content-Length: 0']),
  chunked('5\r\nhello\r\n0\r\n\r\n', 'Connection: close'),
  get('Connection: close') + get(),
  head('GET /g HTTP/1.0') + get(),
  // Expectations.
  post(['Expect: 100-continue', 'Content-Length: 5'], 'hello'),
  post(['Expect: 100-continue', 'Content-Length: 0']),
  post(['Expect: 100-continue', 'Connection: close', 'Content-Length: 5'], 'hello'),
  chunked('5\r\nhello\r\n0\r\n\r\n', 'Expect: 100-continue'),
  post(['Expect: z', 'Content-Length: 5'], 'hello'),
  // Upgrades.
  get('Connection: Upgrade', 'Upgrade: x') + 'more',
  post(['Connection: Upgrade', 'Upgrade: x', 'Content-Length: 5'], 'hello'),
  get('Connection: keep-alive, Upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
];

export interface Vector {
  readonly name: string;
  readonly bytes: string;
}

function named(of: string, all: readonly string[]): Vector[] {
  return all.map((bytes, i) => ({ name: `${of} ${String(i)}`, bytes }));
}

export const VECTORS: readonly Vector[] = [
  ...named(
    'request line',
    REQUEST_LINES.map((line) => head(line, 'Host: x')),
  ),
  ...named(
    'field',
    FIELDS.map((field) => get(field)),
  ),
  ...named(
    'field of a body',
    FIELDS.map((field) => post([field, 'Content-Length: 5'], 'hello')),
  ),
  ...named(
    'length',
    LENGTHS.map((length) => post([`Content-Length: ${length}`], 'hello')),
  ),
  ...named(
    'coding',
    CODINGS.map((coding) => post([`Transfer-Encoding: ${coding}`], '5\r\nhello\r\n0\r\n\r\n')),
  ),
  ...named(
    'coding and length',
    CODINGS.map((coding) => post(['Content-Length: 5', `Transfer-Encoding: ${coding}`], '0\r\n\r\n')),
  ),
  ...named(
    'coding by name',
    CODING_NAMES.map((name) => post([`${name}: chunked`, 'Content-Length: 5'], 'hello')),
  ),
  ...named(
    'chunks',
    CHUNKS.map((chunks) => chunked(chunks)),
  ),
  ...named('message', WHOLE),
];
