/** The bytes of the model: each follows from who wrote it and its place in what that one wrote. */
import { createCipheriv } from 'node:crypto';

/** No write is longer. */
export const LONGEST = 4 * 1024 * 1024;
/** A prime: sources that begin apart stay apart. */
const PERIOD = 4_194_301;
const APART = 1_299_709;

/** The same in each run, and no place of it like another. */
export const table: Buffer = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2)).update(
  Buffer.alloc(PERIOD + LONGEST),
);

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789äöüßéñλπ中文字😀🎈';
const letters = Array.from(LETTERS);
const text = Array.from({ length: 20_011 }, (_, i) => letters[(table[i] as number) % letters.length] ?? '').join('');

/** What one end of a connection has to say. */
export class Source {
  private position: number;

  constructor(id: number) {
    this.position = (id * APART) % PERIOD;
  }

  /** The next bytes, and where in the table they begin. Not to be changed. */
  take(length: number): { bytes: Buffer; offset: number } {
    const offset = this.position;
    this.position = (offset + length) % PERIOD;
    return { bytes: table.subarray(offset, offset + length), offset };
  }

  /** As a string of so many UTF-16 units, which may begin or end with half of a character. */
  takeText(length: number): string {
    const at = this.take(1).offset % text.length;
    return (text.slice(at) + text.repeat(Math.ceil(length / text.length))).slice(0, length);
  }
}

/** What has been written to one end of a connection and not been read there yet. */
export class Journal {
  /** Bytes that have been read. */
  read = 0;
  private parts: Buffer[] = [];

  add(bytes: Buffer): void {
    if (bytes.length > 0) this.parts.push(bytes);
  }

  get isEmpty(): boolean {
    return this.parts.length === 0;
  }

  /** Takes what must be these bytes off; answers it, as it was written, or what is wrong. */
  take(data: Uint8Array): Buffer[] | string {
    const taken: Buffer[] = [];
    for (let at = 0; at < data.length;) {
      const [part] = this.parts;
      if (part === undefined) return `${String(data.length - at)} bytes more than were written`;
      const length = Math.min(part.length, data.length - at);
      const expected = part.subarray(0, length);
      if (expected.compare(data, at, at + length) !== 0) return this.difference(expected, data.subarray(at));
      taken.push(expected);
      if (length === part.length) this.parts.shift();
      else this.parts[0] = part.subarray(length);
      at += length;
      this.read += length;
    }
    return taken;
  }

  private difference(expected: Buffer, data: Uint8Array): string {
    const at = expected.findIndex((byte, i) => byte !== data[i]);
    const found = Buffer.from(data.subarray(at, at + 16));
    const elsewhere = found.length === 16 ? table.indexOf(found) : -1;
    const guess = elsewhere < 0 ? '' : `, which stands at ${String(elsewhere)} of the table`;
    const shown = expected.subarray(at, at + 16).toString('hex');
    return `byte ${String(this.read + at)} should begin ${shown}, but is ${found.toString('hex')}${guess}`;
  }
}
