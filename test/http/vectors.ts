/**
 * Requests after RFC 9112 and RFC 9110, each with the section that it is about. Some are right and some are wrong: what
 * matters is that all are read as node reads them.
 */

export interface Vector {
  readonly name: string;
  /** Of RFC 9112, or of RFC 9110 where it says so. */
  readonly section: string;
  /** One character is one byte. */
  readonly bytes: string;
}

const HOST = 'Host: x';
const NEXT = `GET /next HTTP/1.1\r\n${HOST}\r\n\r\n`;

/** Lines by name; the section is that of the group. */
type Group = Readonly<Record<string, string>>;

function group(section: string, of: string, entries: Group, toBytes: (text: string) => string): Vector[] {
  return Object.entries(entries).map(([name, text]) => ({ name: `${of}: ${name}`, section, bytes: toBytes(text) }));
}

const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const get = (field: string): string => head('GET /g HTTP/1.1', HOST, field);
const post = (fields: string, body: string): string => head('POST /p HTTP/1.1', HOST, fields) + body;
const chunked = (body: string): string => post('Transfer-Encoding: chunked', body);
const many = (count: number): string => Array.from({ length: count }, (_, i) => `H${String(i)}: v`).join('\r\n');

const METHODS: Group = {
  plain: 'GET',
  head: 'HEAD',
  'with a body': 'PUT',
  rare: 'M-SEARCH',
  unknown: 'BREW',
  'small letters': 'get',
  'a prefix of another': 'GE',
  'longer than another': 'GETS',
  'a token of marks': "!#$%&'*+-.^_`|~",
  'no token': 'G(T',
  'a NUL in it': 'GE\0T',
  'a colon behind it': 'GET:',
};

const TARGETS: Group = {
  origin: '/a/b?c=d&e',
  'escaped bytes': '/%41%zz%',
  'two slashes': '//a//b',
  dots: '/a/../b/./c',
  absolute: 'http://x/a?b',
  'absolute, with a user': 'http://u:p@x:80/',
  'absolute, of another scheme': 'ftp://x/a',
  'absolute, no path': 'http://x',
  authority: 'x:443',
  asterisk: '*',
  'no slash': 'a/b',
  fragment: '/a#b',
  quotes: '/"<>\\^`{|}',
  'obs-text': '/\x80\xff',
  'a NUL': '/\0',
  'a tab': '/a\tb',
  'a blank': '/a b',
  DEL: '/\x7f',
  empty: '',
  'a question': '?a',
  long: `/${'a'.repeat(300)}`,
};

const VERSIONS: Group = {
  '1.0': 'HTTP/1.0',
  '1.2': 'HTTP/1.2',
  '0.9': 'HTTP/0.9',
  '2.0': 'HTTP/2.0',
  'two digits': 'HTTP/1.10',
  'a leading zero': 'HTTP/01.1',
  'no dot': 'HTTP/11',
  'no minor': 'HTTP/1',
  'small letters': 'http/1.1',
  'another protocol': 'RTSP/1.0',
  'a blank in it': 'HTTP/ 1.1',
  'a blank behind it': 'HTTP/1.1 ',
  none: '',
};

const LINES: Group = {
  'LF at the end of the request line': `GET /g HTTP/1.1\n${HOST}\r\n\r\n`,
  'LF at the end of a field': `GET /g HTTP/1.1\r\n${HOST}\nA: b\r\n\r\n`,
  'LF for the empty line': `GET /g HTTP/1.1\r\n${HOST}\r\n\n`,
  'LF everywhere': `GET /g HTTP/1.1\n${HOST}\n\n`,
  'CR at the end of the request line': `GET /g HTTP/1.1\r${HOST}\r\n\r\n`,
  'CR at the end of a field': `GET /g HTTP/1.1\r\n${HOST}\rA: b\r\n\r\n`,
  'CR CR LF': `GET /g HTTP/1.1\r\r\n${HOST}\r\n\r\n`,
  'CR before something else than LF': `GET /g HTTP/1.1\r\n${HOST}\r\n\rA: b\r\n\r\n`,
  'empty line before': `\r\n${get('A: b')}`,
  'empty lines before': `\r\n\r\n\r\n${get('A: b')}`,
  'LF before': `\n${get('A: b')}`,
  'blank before': ` ${get('A: b')}`,
  'two blanks in the request line': head('GET  /g HTTP/1.1', HOST),
  'a tab in the request line': head('GET\t/g HTTP/1.1', HOST),
  'no target and no version': head('GET', HOST),
  'no fields': head('GET /g HTTP/1.1'),
  'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'nothing but CR LF': '\r\n',
};

const FIELDS: Group = {
  'blanks around a value': 'A: \t b \t ',
  'no blank': 'A:b',
  'empty value': 'A:',
  'a value of blanks': 'A: \t ',
  'a blank before the colon': 'A : b',
  'a tab before the colon': 'A\t: b',
  'a blank before the name': ' A: b',
  'empty name': ': b',
  'no colon': 'A',
  'a blank in the name': 'A b: c',
  'a NUL in the name': 'A\0: b',
  'obs-text in the name': 'A\xe9: b',
  'parentheses in the name': 'A(b): c',
  'a name of marks': "!#$%&'*+-.^_`|~: v",
  'a NUL in the value': 'A: b\0c',
  'a control byte in the value': 'A: b\x01c',
  'a vertical tab in the value': 'A: b\x0bc',
  'DEL in the value': 'A: b\x7fc',
  'obs-text in the value': 'A: \x80\xe9\xff',
  'a tab in the value': 'A: b\tc',
  'a fold': 'A: b\r\n c',
  'a fold by a tab': 'A: b\r\n\tc',
  'a fold of nothing': 'A: b\r\n ',
  'a fold of Host': 'B: c\r\nHost: x\r\n y',
  'colons in the value': 'A: :b:c:',
  'the same name twice': 'A: b\r\na: c',
  'names of cookies': 'Cookie: a=b\r\nCookie: c=d\r\nSet-Cookie: e',
  __proto__: '__proto__: a\r\nconstructor: b',
  '30 more': many(30),
  '31 more': many(31),
  '40 more': many(40),
};

const HOSTS: Group = {
  none: 'A: b',
  empty: 'Host:',
  twice: 'Host: x\r\nHost: x',
  'two different ones': 'Host: x\r\nHost: y',
  'with a port': 'Host: x:80',
  'with a path': 'Host: x/y',
  'with a user': 'Host: u@x',
  'two words': 'Host: x y',
  'an address': 'Host: [::1]:80',
  'a list': 'Host: x, y',
  'brackets left open': 'Host: [::1',
  'no address in brackets': 'Host: [x y]',
  'a port of letters': 'Host: x:eighty',
  'an empty port': 'Host: x:',
  'only a port': 'Host: :80',
  'obs-text': 'Host: \xe9',
  'a broken escape': 'Host: a%zz',
  'an escape': 'Host: a%20b',
  'a fragment': 'Host: x#y',
  'an underscore': 'Host: a_b',
  'in capitals': 'HOST: x',
};

const LENGTHS: Group = {
  right: '5',
  'leading zeros': '0005',
  zero: '0',
  'too small': '3',
  plus: '+5',
  minus: '-5',
  hexadecimal: '0x5',
  'two words': '1 1',
  'a list of equals': '5,5',
  'a list of others': '5, 6',
  'a fraction': '5.0',
  'an exponent': '5e0',
  letters: 'five',
  empty: '',
  'a blank behind': '5 ',
  'a tab before': '\t5',
  'a vertical tab': '\x0b5',
  'a NUL behind': '5\0',
  'beyond 32 bits': '4294967301',
  'beyond 64 bits': '18446744073709551621',
  'ten digits': '0000000005',
  'twice the same': '5\r\nContent-Length: 5',
  'twice, different': '5\r\nContent-Length: 6',
  'a fold': '5\r\n 5',
};

const CODINGS: Group = {
  chunked: 'chunked',
  'in capitals': 'CHUNKED',
  identity: 'identity',
  'twice in a list': 'chunked, chunked',
  twice: 'chunked\r\nTransfer-Encoding: chunked',
  'a letter before': 'xchunked',
  'a letter behind': 'chunkedx',
  'gzip before': 'gzip, chunked',
  'gzip behind': 'chunked, gzip',
  'gzip only': 'gzip',
  empty: '',
  'a tab before': '\tchunked',
  'a vertical tab before': '\x0bchunked',
  'a blank behind': 'chunked ',
  quotes: '"chunked"',
  parameters: 'chunked;a=b',
  'a fold': '\r\n chunked',
  'a NUL behind': 'chunked\0',
  'a comma before': ', chunked',
  'a comma behind': 'chunked,',
  'chunked, then identity': 'chunked\r\nTransfer-Encoding: identity',
};

const FRAMINGS: Group = {
  'a length, then a coding': 'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'a coding, then a length': 'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'a length, then identity': 'Content-Length: 5\r\nTransfer-Encoding: identity',
  'a coding with a blank before its colon': 'Content-Length: 5\r\nTransfer-Encoding : chunked',
  'a coding under another name': 'Content-Length: 5\r\nTransfer_Encoding: chunked',
};

const CHUNKS: Group = {
  one: '5\r\nhello\r\n0\r\n\r\n',
  two: '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
  none: '0\r\n\r\n',
  'leading zeros': '0005\r\nhello\r\n000\r\n\r\n',
  'a capital': 'A\r\n0123456789\r\n0\r\n\r\n',
  extension: '5;a=b\r\nhello\r\n0\r\n\r\n',
  'a quoted extension': '5;a="b;\\"c"\r\nhello\r\n0\r\n\r\n',
  'an extension without a name': '5;\r\nhello\r\n0\r\n\r\n',
  'a blank before an extension': '5 ;a\r\nhello\r\n0\r\n\r\n',
  'LF in an extension': '5;a\nhello\r\n0\r\n\r\n',
  'LF behind the size': '5\nhello\r\n0\r\n\r\n',
  'LF behind the data': '5\r\nhello\n0\r\n\r\n',
  'a prefix': '0x5\r\nhello\r\n0\r\n\r\n',
  plus: '+5\r\nhello\r\n0\r\n\r\n',
  'an underscore': '0_5\r\nhello\r\n0\r\n\r\n',
  'no size': '\r\nhello\r\n0\r\n\r\n',
  'no digit': 'g\r\nhello\r\n0\r\n\r\n',
  'too large': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  'shorter than the data': '4\r\nhello\r\n0\r\n\r\n',
  'longer than the data': '6\r\nhello\r\n0\r\n\r\n',
  trailers: '5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n',
  'a wrong trailer': '0\r\nA b\r\n\r\n',
  'a trailer that closes': '0\r\nConnection: close\r\n\r\n',
  'a blank behind the size': '5 \r\nhello\r\n0\r\n\r\n',
  'an extension that is no token': '5;a[=b\r\nhello\r\n0\r\n\r\n',
  'a CR in an extension': '5;a\rb\r\nhello\r\n0\r\n\r\n',
  'a fold among the trailers': '0\r\nA: b\r\n c\r\n\r\n',
  'a control byte in a trailer': '0\r\nA: b\x01\r\n\r\n',
  'a length among the trailers': '0\r\nContent-Length: 5\r\n\r\n',
};

/** Their fields besides those that ask for an upgrade, and what follows. */
const UPGRADES: Group = {
  'and more': head('X: y') + 'more',
  'with an empty body': `${head('Content-Length: 0')}more`,
  'with a body': `${head('Content-Length: 5')}hello`,
  'with a body, and more': `${head('Content-Length: 5')}hellomore`,
  'with less than its body': `${head('Content-Length: 5')}hel`,
  'with chunks': `${head('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
  'with chunks, and more': `${head('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\nA: b\r\n\r\nmore`,
  'with a chunk that is none': `${head('Transfer-Encoding: chunked')}5\r\nhello\r\nx\r\nmore`,
  'with an expectation': `${head('Content-Length: 5', 'Expect: 100-continue')}hellomore`,
};

const CONNECTIONS: Group = {
  'keep-alive': 'Connection: keep-alive',
  'mixed case': 'Connection: Keep-Alive',
  close: 'Connection: close',
  'close in capitals': 'Connection: CLOSE',
  'a list': 'Connection: keep-alive, x',
  'both in a list': 'Connection: keep-alive, close',
  'both in two fields': 'Connection: keep-alive\r\nConnection: close',
  'another word': 'Connection: closed',
  empty: 'Connection:',
  'a blank behind': 'Connection: close ',
  'a tab behind': 'Connection: close\t',
  'of a proxy': 'Proxy-Connection: close',
  upgrade: 'Connection: Upgrade\r\nUpgrade: x',
  'upgrade without a protocol': 'Connection: Upgrade',
  'a protocol without upgrade': 'Upgrade: x',
  'keep-alive and upgrade': 'Connection: keep-alive, Upgrade\r\nUpgrade: x',
};

const EXPECTATIONS: Group = {
  'to continue': 'Expect: 100-continue',
  'in capitals': 'Expect: 100-CONTINUE',
  another: 'Expect: x',
  empty: 'Expect:',
};

const OLD: Group = {
  bare: head('GET /g HTTP/1.0'),
  'kept alive': head('GET /g HTTP/1.0', 'Connection: keep-alive'),
  'kept alive, with a tab behind': head('GET /g HTTP/1.0', 'Connection: keep-alive\t'),
  closed: head('GET /g HTTP/1.0', 'Connection: close'),
  'chunks wanted': head('GET /g HTTP/1.0', 'TE: trailers, chunked'),
  'chunks wanted, kept alive': head('GET /g HTTP/1.0', 'Connection: keep-alive', 'te: chunked'),
  'chunks wanted in the second of two': head('GET /g HTTP/1.0', 'Te: gzip', 'tE: chunked', 'Connection: keep-alive'),
  'no chunks wanted': head('GET /g HTTP/1.0', 'TE: unchunked', 'Connection: keep-alive'),
  'kept alive, with a body': `${head('POST /p HTTP/1.0', 'Connection: keep-alive', 'Content-Length: 5')}hello`,
  'two Hosts': head('GET /g HTTP/1.0', HOST, HOST),
  'an empty Host': head('GET /g HTTP/1.0', 'Host:'),
  chunked: `${head('POST /p HTTP/1.0', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
};

const PAIRS: Group = {
  'two plain ones': get('A: b') + NEXT,
  'a body, then another': post('Content-Length: 5', 'hello') + NEXT,
  'a chunked one, then another': chunked('5\r\nhello\r\n0\r\n\r\n') + NEXT,
  'a last one, then another': get('Connection: close') + NEXT,
  'one of 1.0, then another': head('GET /g HTTP/1.0') + NEXT,
  'an empty line between': `${get('A: b')}\r\n${NEXT}`,
  'a request as a body': post(`Content-Length: ${String(NEXT.length)}`, NEXT) + NEXT,
  'a wrong one behind': `${get('A: b')}GET /g HTTP/1.1\r\nA b\r\n\r\n`,
  'a wrong one before': `${get('A b')}${NEXT}`,
  'more than the length': post('Content-Length: 5', 'hello!') + NEXT,
  'less than the length': post('Content-Length: 500', 'hello') + NEXT,
};

const ABSOLUTE: Group = {
  'with another Host': head('GET http://y/ HTTP/1.1', HOST),
  'with an empty Host': head('GET http://y/ HTTP/1.1', 'Host:'),
  'with a wrong Host': head('GET http://y/ HTTP/1.1', 'Host: x y'),
  'without a host': head('GET http:///a HTTP/1.1', HOST),
  'without an authority': head('GET http:a HTTP/1.1', HOST),
};

const TUNNELS: Group = {
  'an authority': 'x:1',
  'no port': 'x',
  'an empty port': 'x:',
  'port 0': 'x:0',
  'a port that is too large': 'x:65536',
  'an address': '[::1]:443',
  'a path': '/g',
};

/** Too long to be cut at each byte. */
const LONG: Group = {
  'a head of 7 KiB': get(`A: ${'b'.repeat(7 * 1024)}`),
  'a head of 12 KiB': get(`A: ${'b'.repeat(12 * 1024)}`),
  'a head of 20 KiB': get(`A: ${'b'.repeat(20 * 1024)}`),
  'a name of 20 KiB': get(`${'A'.repeat(20 * 1024)}: b`),
  'a target of 20 KiB': head(`GET /${'a'.repeat(20 * 1024)} HTTP/1.1`, HOST),
  '1000 fields': get(many(1000)),
  'a chunk extension of 20 KiB': chunked(`5;${'a'.repeat(20 * 1024)}\r\nhello\r\n0\r\n\r\n`),
};

export const VECTORS: readonly Vector[] = [
  ...group('3.1', 'method', METHODS, (method) => head(`${method} /g HTTP/1.1`, HOST)),
  ...group('3.2', 'target', TARGETS, (target) => head(`GET ${target} HTTP/1.1`, HOST)),
  ...group('3.2.4', 'OPTIONS', { asterisk: '*', path: '/' }, (target) => head(`OPTIONS ${target} HTTP/1.1`, HOST)),
  ...group('3.2.2', 'absolute', ABSOLUTE, (bytes) => bytes),
  ...group('2.3', 'version', VERSIONS, (version) => head(`GET /g ${version}`, HOST)),
  ...group('2.2', 'line', LINES, (bytes) => bytes),
  ...group('5', 'field', FIELDS, get),
  ...group('3.2, RFC 9110 7.2', 'host', HOSTS, (field) => head('GET /g HTTP/1.1', field)),
  ...group('6.2', 'length', LENGTHS, (length) => post(`Content-Length: ${length}`, 'hello')),
  ...group('6.1', 'coding', CODINGS, (coding) => post(`Transfer-Encoding: ${coding}`, '5\r\nhello\r\n0\r\n\r\n')),
  ...group('6.3', 'framing', FRAMINGS, (fields) => post(fields, '0\r\n\r\n')),
  ...group('7.1', 'chunks', CHUNKS, chunked),
  ...group('9.6, RFC 9110 7.6.1', 'connection', CONNECTIONS, get),
  ...group('RFC 9110 10.1.1', 'expectation', EXPECTATIONS, (field) => post(`${field}\r\nContent-Length: 5`, 'hello')),
  ...group('RFC 9110 6.2', 'HTTP/1.0', OLD, (bytes) => bytes),
  ...group('9.3.2', 'pair', PAIRS, (bytes) => bytes),
  ...group(
    'RFC 9110 7.8',
    'upgrade',
    UPGRADES,
    (rest) => `POST /p HTTP/1.1\r\n${HOST}\r\nConnection: Upgrade\r\nUpgrade: x\r\n${rest}`,
  ),
  ...group('RFC 9110 9.3.6', 'CONNECT', UPGRADES, (rest) => `CONNECT x:1 HTTP/1.1\r\n${HOST}\r\n${rest}`),
  ...group('RFC 9110 9.3.6', 'CONNECT', TUNNELS, (target) => `${head(`CONNECT ${target} HTTP/1.1`, HOST)}more`),
  ...group('RFC 9110 5.4', 'size', LONG, (bytes) => bytes),
];

/** Longer ones are sent whole only. */
export const LONGEST_CUT = 1000;

export const SHORT_VECTORS = VECTORS.filter(({ bytes }) => bytes.length <= LONGEST_CUT);
