/** Inputs made of the vectors: a seed and a number alone say what an input is. */
import { SHORT_VECTORS } from './vectors.js';

/** Longer ones are cut off. */
export const ROOM = 4096;

const MOST_MUTATIONS = 4;

/** What has been misread somewhere, or is near it. */
const WORDS = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  ':',
  ',',
  ';',
  '"',
  '/',
  '?',
  '#',
  '0',
  '1',
  '9',
  '\r\n\r\n',
  '\r\n ',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 123456789\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: Upgrade\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Upgrade: x\r\n',
  'Expect: 100-continue\r\n',
  'Host: x\r\n',
  'A: b\r\n',
  'HTTP/1.0',
  'HTTP/1.1',
  'keep-alive',
  'close',
  'GET /w HTTP/1.1\r\n',
  'Proxy-Connection: close\r\n',
  'Keep-Alive: x\r\n',
  'HEAD ',
  'OPTIONS ',
  'POST ',
  'CONNECT ',
].map((word) => Buffer.from(word, 'latin1'));

const SEEDS = SHORT_VECTORS.map(({ bytes }) => Buffer.from(bytes, 'latin1'));

/** What is right has more ways to become wrong, and is what the scanner may take. */
const RIGHT = [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nCookie: a=b\r\nConnection: keep-alive\r\n\r\n',
  'POST /p HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello',
  'PUT /p HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 12\r\nX: \xe9\r\n\r\nhello hello!',
  'DELETE /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

export class Mutator {
  private state = 0;

  constructor(private readonly seed: number) {}

  /** Writes input `number` to the start of the memory; answers its length. */
  make(number: number, memory: Buffer): number {
    this.state = (Math.imul(this.seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b) ^ (number >>> 15)) | 0;
    const from = this.pick(this.below(2) === 0 ? SEEDS : RIGHT);
    let length = from.length;
    memory.set(from);
    for (let left = this.below(MOST_MUTATIONS + 1); left > 0; left--) length = this.mutate(memory, length);
    return length;
  }

  /** A whole number from 0 to `limit - 1`: mulberry32. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  private pick(list: readonly Buffer[]): Buffer {
    return list[this.below(list.length)] as Buffer;
  }

  private mutate(memory: Buffer, length: number): number {
    const at = this.below(length + 1);
    const some = 1 + this.below(12);
    switch (this.below(8)) {
      case 0: // One bit.
        memory[at] = (memory[at] as number) ^ (1 << this.below(8));
        return length;
      case 1: // Another byte.
        memory[at] = this.below(256);
        return length;
      case 2: // A deletion.
        memory.copyWithin(at, Math.min(length, at + some), length);
        return Math.max(at, length - some);
      case 3: // A duplication.
        return this.insert(memory, length, at, Buffer.from(memory.subarray(at, Math.min(length, at + 4 * some))));
      case 4: {
        // The end of another vector.
        const other = this.pick(SEEDS);
        return this.insert(memory, at, at, other.subarray(this.below(other.length)));
      }
      case 5: // Small or capital letters.
        for (let i = at; i < Math.min(length, at + some); i++) {
          const byte = memory[i] as number;
          if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) memory[i] = byte ^ 0x20;
        }
        return length;
      case 6: // A line more, at the start of a line.
        return this.insert(memory, length, this.lineBefore(memory, at), this.pick(WORDS));
      default:
        return this.insert(memory, length, at, this.pick(WORDS));
    }
  }

  private lineBefore(memory: Buffer, at: number): number {
    return memory.lastIndexOf('\n', at) + 1;
  }

  private insert(memory: Buffer, length: number, at: number, what: Buffer): number {
    const count = Math.min(what.length, ROOM - length);
    const place = Math.min(at, length);
    memory.copyWithin(place + count, place, length);
    memory.set(what.subarray(0, count), place);
    return length + count;
  }
}
