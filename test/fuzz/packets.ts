/**
 * uwsgi requests from a seed: half of them as a front server sends them, the others broken in one to four places. The
 * number alone says what a packet is: number 0 of seed S + 1 is none of seed S.
 */
import { pick, randomOf, type Random } from '../support/random.js';

/** The largest that is made: a full packet and some body. */
const ROOM = 200_000;

const METHODS = [
  'GET',
  'GET',
  'POST',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'PROPFIND',
  'M-SEARCH',
  'X',
];
const URIS = ['/', '/a?b=c', '/%C3%BC%00', '*', '/~', '//', '?', '/..//.', '/|', 'http://host/path', ''];
/** None of which is a URL. */
const BAD_URIS = ['/a b', '/ü', '/\n', '/\0', '/\x7f'];
/** A variable's name, and values for it that are right, or wrong in a way that somebody has got wrong before. */
const VARIABLES: readonly (readonly [string, readonly string[]])[] = [
  ['QUERY_STRING', ['', 'a=1&b=2', '?']],
  ['PATH_INFO', ['', '/', '/a b/ü%', '/\0/..']],
  ['SCRIPT_NAME', ['', '/mount', 'x']],
  ['CONTENT_TYPE', ['', 'text/plain', 'a;b']],
  [
    'CONTENT_LENGTH',
    ['', '0', '00', '-1', '+1', '1e3', '0x10', ' 1', '1 ', '1,1', '9007199254740993', '999999999999999', '5'],
  ],
  ['SERVER_PROTOCOL', ['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/3', 'HTTP/', '', 'HTTP/1.11', 'ICAP/1.0']],
  ['REQUEST_METHOD', ['', 'GET', 'G T', 'GET\0', 'gät', 'post']],
  ['REQUEST_URI', ['', '/second']],
  ['REQUEST_SCHEME', ['http', 'https', '']],
  ['HTTPS', ['', 'on', 'off', 'OFF', '1']],
  ['REMOTE_ADDR', ['192.0.2.1', '::1', 'unix:', '']],
  ['REMOTE_PORT', ['1', '65536', 'x', '']],
  ['REMOTE_USER', ['', 'me', 'jürgen']],
  ['SERVER_PORT', ['80', '']],
  ['SERVER_NAME', ['example.org', '_']],
  ['HTTP_HOST', ['example.org', 'example.org:80', '', 'a, b']],
  ['HTTP_COOKIE', ['a=1; b=2', '', '\xff\t']],
  ['HTTP_CONTENT_LENGTH', ['5', '-1']],
  ['HTTP_CONTENT_TYPE', ['text/html']],
  ['HTTP_TRANSFER_ENCODING', ['chunked', 'gzip, chunked']],
  ['HTTP_CONNECTION', ['close', 'keep-alive', 'Upgrade']],
  ['HTTP_X_FORWARDED_FOR', ['10.0.0.1, 10.0.0.2']],
  ['HTTP_content_length', ['7']],
  ['HTTP_Transfer_Encoding', ['chunked']],
  ['HTTP___PROTO__', ['1']],
  ['__proto__', ['polluted']],
  ['constructor', ['polluted']],
  ['http_lower', ['1']],
  ['', ['', 'no name']],
  ['X', ['', 'y']],
];
/** They change what a server does with a request, so they come seldom. */
const SPECIAL: readonly (readonly [string, readonly string[]])[] = [
  ['HTTP_EXPECT', ['100-continue', '100-Continue', 'payment', '']],
  ['HTTP_UPGRADE', ['websocket', 'h2c', 'h2c, WebSocket', '']],
  ['HTTP_', ['nameless']],
  ['HTTP_A B', ['no name']],
  ['HTTP_A:', ['no name']],
  ['HTTP_Ü', ['no name']],
  ['HTTP_X_LINES', ['a\r\nb: c', 'a\nb', 'a\rb', 'a\0', '\x7f', '\x1b[2J']],
  ['CONTENT_TYPE', ['a\r\nb: c', '\0']],
  ['QUERY_STRING', ['a b', 'a\n', 'ü']],
];

export interface FuzzedPacket {
  /** Valid until the next is made. */
  bytes: Buffer;
  /** Where it is cut into pieces, in rising order. */
  cuts: number[];
}

export class PacketMaker {
  private readonly room = Buffer.alloc(ROOM);
  private readonly random: Random;
  private end = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  next(): FuzzedPacket {
    const { random } = this;
    this.end = 4;
    this.room.writeUInt32LE(0, 0);
    if (random(30) === 0) this.noise(random(random(10) === 0 ? 70_000 : 200));
    else this.request();
    if (random(2) === 0) for (let i = random(4); i >= 0; i--) this.break();
    return { bytes: this.room.subarray(0, this.end), cuts: this.cuts() };
  }

  /** Bytes of no meaning, behind a header that may have one. */
  private noise(length: number): void {
    const { random } = this;
    for (let i = 0; i < length; i++) this.room[this.end++] = random(256);
    if (random(2) === 0) this.room.writeUInt16LE(Math.min(length, 65_535), 1);
  }

  private request(): void {
    const { random } = this;
    this.variable('REQUEST_METHOD', pick(random, METHODS));
    if (random(20) !== 0) this.variable('REQUEST_URI', pick(random, random(40) === 0 ? BAD_URIS : URIS));
    for (let i = random(12); i > 0; i--) {
      const [name, values] = pick(random, random(40) === 0 ? SPECIAL : VARIABLES);
      // What makes a packet a bad one is not to be in most of them.
      const mayBeBad = name === 'REQUEST_METHOD' || name === 'CONTENT_LENGTH';
      if (!mayBeBad || random(8) === 0) this.variable(name, pick(random, values));
    }
    if (random(3) === 0) this.long();
    if (random(2000) === 0) for (let i = 990 + random(20); i > 0; i--) this.variable('N', '');
    const body = random(3) === 0 ? this.bodyLength() : -1;
    // As many as are announced; now and then fewer, or more.
    if (body >= 0) this.variable('CONTENT_LENGTH', String(body));
    this.room.writeUInt16LE(Math.min(this.end - 4, 65_535), 1);
    const off = random(20) === 0 ? random(9) - 4 : 0;
    const bytes = Math.max(0, Math.max(0, body) + off);
    this.room.fill(random(256), this.end, this.end + bytes);
    this.end += bytes;
  }

  private bodyLength(): number {
    const { random } = this;
    return random(200) === 0 ? random(60_000) : random(random(10) === 0 ? 3000 : 20);
  }

  /** A variable whose length is near one of the places where lengths go wrong. */
  private long(): void {
    const { random } = this;
    const near = pick(random, random(50) === 0 ? [4096, 32_768, 60_000, 65_500] : [10, 127, 128, 255, 256]);
    const length = Math.min(near - 3 + random(7), 65_535 - (this.end - 4) - 40);
    if (length > 0) this.variable(pick(random, ['HTTP_X_LONG', 'LONG', 'HTTP_COOKIE']), 'v'.repeat(length));
  }

  private variable(name: string, value: string): void {
    if (this.end + name.length + value.length + 4 > 65_539) return;
    for (const part of [name, value]) {
      this.end = this.room.writeUInt16LE(part.length, this.end);
      this.end += this.room.write(part, this.end, 'latin1');
    }
  }

  private break(): void {
    const { room, random } = this;
    if (this.end === 0) return;
    const at = random(this.end);
    switch (random(10)) {
      case 0:
        room[at] = (room[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        room[at] = random(256);
        break;
      case 2: // Cut off.
        this.end = at;
        break;
      case 3: // The size in the header.
        room.writeUInt16LE(pick(random, [0, 1, 3, 4, 5, 65_535, random(65_536), Math.min(65_535, this.end)]), 1);
        break;
      case 4: // One byte or two that may be a length.
        room.writeUInt16LE(pick(random, [0, 1, 255, 256, 65_535, random(300)]), Math.min(at, this.end));
        break;
      case 5: // Taken out.
        this.splice(at, Math.min(this.end, at + 1 + random(20)), 0);
        break;
      case 6: // Put in.
        this.splice(at, at, 1 + random(20));
        break;
      case 7: // Twice.
        if (this.end * 2 < ROOM) {
          room.copy(room, this.end, 0, this.end);
          this.end *= 2;
        }
        break;
      case 8:
        room[0] = pick(random, [0, 1, 5, 22, 71, 72, 80, 100, 255]);
        break;
      default:
        room[3] = random(256);
    }
  }

  private splice(from: number, until: number, more: number): void {
    const { room, random } = this;
    if (this.end + more > ROOM) return;
    room.copy(room, from + more, until, this.end);
    for (let i = 0; i < more; i++) room[from + i] = random(256);
    this.end += more - (until - from);
  }

  /** Mostly whole; in two or three pieces; now and then byte by byte. */
  private cuts(): number[] {
    const { random, end } = this;
    if (end < 2 || random(2) === 0) return [];
    if (end < 300 && random(30) === 0) return Array.from({ length: end - 1 }, (_, i) => i + 1);
    const cuts = Array.from(
      { length: 1 + random(3) },
      () => 1 + random(random(2) === 0 ? Math.min(end - 1, 12) : end - 1),
    );
    return [...new Set(cuts)].sort((a, b) => a - b);
  }
}
