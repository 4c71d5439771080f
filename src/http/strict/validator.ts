/**
 * Reads the bytes of a connection, in whatever pieces they come, and says how many of them may be given to node's parser:
 * none of a head, or of a line behind it, that breaks a rule, and none of what follows. It finds the end of each message, so that those that follow are
 * read as well. docs/compatibility.md#strict has the rules.
 *
 *   start --(a request line)--> fields --(the empty line)--> body, or size --> data --> end of data --> size ... trailers
 *     ^----------------------------(the message's last byte)------------------------------------------------------'
 *
 * Node's parser may see the beginning of a line whose end comes later, and breaks a rule. It calls nothing before that end.
 */
import { readChunkHeader } from './chunk-header.js';
import { readField } from './field-lines.js';
import { Head, type Framing } from './head.js';
import { readRequestLine } from './request-line.js';
import { violation, type Violation } from './violation.js';

const CR = 13;
const LF = 10;
const BARE_CR = violation('a CR that no LF follows', '9112, 2.2');

type Stage = 'start' | 'fields' | 'body' | 'size' | 'data' | 'end of data' | 'trailers';

/** A Buffer's own decoder, without the checks of toString(). */
interface RawReads {
  latin1Slice(start: number, end: number): string;
}

export class RequestValidator {
  violation: Violation | undefined;
  /**
   * Where `read` has stopped before the end of the bytes: behind a head, or a message, that asks for another protocol.
   * `done`: the message is complete.
   */
  switching: 'asked' | 'done' | undefined;
  private stage: Stage = 'start';
  /** What has come of the current line. */
  private line = '';
  private afterCr = false;
  private head: Head | undefined;
  private framing: Framing | undefined;
  /** Bytes of a body, or of a chunk's data, that are to come. */
  private left: number;

  /** `left`: of the body in which it begins. */
  constructor(left = 0) {
    this.left = left;
    if (left > 0) this.stage = 'body';
  }

  /** The head of a message has been read, and not yet its end. */
  get isWithinBody(): boolean {
    return this.stage !== 'start' && this.stage !== 'fields';
  }

  /** Reads on from `at`. Returns where it has stopped: at the end, where `switching` says, or before what breaks a rule. */
  read(bytes: Buffer, at: number): number {
    this.switching = undefined;
    let headAt = at;
    while (at < bytes.length) {
      if (this.left > 0) {
        const taken = Math.min(this.left, bytes.length - at);
        this.left -= taken;
        at += taken;
        if (this.left === 0) this.endData();
        headAt = at;
      } else {
        const next = this.readLine(bytes, at);
        if (next < 0) return this.isWithinBody ? at : headAt;
        at = next;
        if (this.stage === 'start') headAt = at;
      }
      if (this.stops()) return at;
    }
    return at;
  }

  private stops(): boolean {
    return this.switching !== undefined;
  }

  /** Of a line or a part of it. Returns where it ends; less than 0: it breaks a rule. */
  private readLine(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(LF, at);
    const end = found < 0 ? bytes.length : found;
    const piece = (bytes as Buffer & RawReads).latin1Slice(at, end);
    const cr = piece.indexOf('\r');
    const isBare = (cr >= 0 && cr < piece.length - 1) || (this.afterCr && end > at);
    if (isBare) return this.refuse(BARE_CR);
    this.line += piece;
    if (end > at) this.afterCr = bytes[end - 1] === CR;
    if (found < 0) {
      // Nothing may make a request of a head before it has been looked at.
      const isEmptyLine = this.afterCr && this.line.length === 1;
      return isEmptyLine && this.stage === 'fields' ? this.tell(this.closeHead(), end) : end;
    }
    const line = this.afterCr ? this.line.slice(0, -1) : this.line;
    this.line = '';
    this.afterCr = false;
    return this.tell(this.take(line), end + 1);
  }

  private tell(found: Violation | undefined, next: number): number {
    return found === undefined ? next : this.refuse(found);
  }

  private refuse(found: Violation): number {
    this.violation = found;
    return -1;
  }

  private take(line: string): Violation | undefined {
    switch (this.stage) {
      case 'start':
        return line === '' ? undefined : this.takeRequestLine(line);
      case 'fields':
        return this.takeField(line);
      case 'size':
        return this.takeSize(line);
      case 'trailers':
        return this.takeTrailer(line);
      default:
        // Behind the data of a chunk.
        this.stage = 'size';
        return line === '' ? undefined : violation('a chunk that is longer than its size', '9112, 7.1');
    }
  }

  private takeRequestLine(line: string): Violation | undefined {
    const found = readRequestLine(line);
    if ('reason' in found) return found;
    this.head = new Head(found);
    this.framing = undefined;
    this.stage = 'fields';
    return undefined;
  }

  private takeField(line: string): Violation | undefined {
    const head = this.head as Head;
    if (line === '') {
      const wrong = this.closeHead();
      if (wrong === undefined) this.beginBody(this.framing as Framing);
      return wrong;
    }
    const found = readField(line, head.isEmpty);
    if ('reason' in found) return found;
    head.add(found);
    return undefined;
  }

  private closeHead(): Violation | undefined {
    if (this.framing !== undefined) return undefined;
    const found = (this.head as Head).close();
    if ('reason' in found) return found;
    this.framing = found;
    return undefined;
  }

  private beginBody({ chunked, length, maySwitch }: Framing): void {
    this.head = undefined;
    this.left = length;
    this.stage = chunked ? 'size' : 'body';
    if (!chunked && length === 0) this.endMessage();
    else if (maySwitch) this.switching = 'asked';
  }

  private takeSize(line: string): Violation | undefined {
    const size = readChunkHeader(line);
    if (typeof size !== 'number') return size;
    this.left = size;
    this.stage = size === 0 ? 'trailers' : 'data';
    return undefined;
  }

  private takeTrailer(line: string): Violation | undefined {
    if (line === '') {
      this.endMessage();
      return undefined;
    }
    const found = readField(line, false);
    return 'reason' in found ? found : undefined;
  }

  private endData(): void {
    if (this.stage === 'data') this.stage = 'end of data';
    else this.endMessage();
  }

  private endMessage(): void {
    this.stage = 'start';
    if (this.framing?.maySwitch === true) this.switching = 'done';
  }
}
