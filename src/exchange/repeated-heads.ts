/**
 * Response heads that are the same, byte by byte, as one before: those of most responses of a program within a second.
 * A head is built of pieces, and the pieces that came behind one another the last time are looked for first. A head that
 * comes again is kept as bytes, which are copied in a third of the time that it takes to join its pieces and to write the
 * text.
 */
import { Buffer } from 'node:buffer';

/** In characters. Longer heads have what differs each time, such as cookies. */
const LONGEST_KEPT = 1024;

/** Of pieces that are not what came behind theirs the last time, one of so many is expected from then on. */
const PATIENCE = 32;

const ASCII = /^[\x00-\x7f]*$/;

/** A piece that has come behind certain others. */
class KnownPiece {
  /** What has come behind it. */
  next: KnownPiece | undefined = undefined;
  /** The bytes of `text`; undefined if it has not ended twice here, or has characters whose bytes depend on the body. */
  bytes: Uint8Array | undefined = undefined;
  private ends = 0;
  private misses = 0;

  /** `text`: of the head so far. */
  constructor(
    readonly piece: string,
    public text: string,
  ) {}

  /** Another piece has come behind it than the last time: whether to expect that one now. */
  isToLearn(piece: string): boolean {
    if (this.text.length + piece.length > LONGEST_KEPT) return false;
    return this.next === undefined || ++this.misses % PATIENCE === 0;
  }

  /** The head ends with it. */
  end(): void {
    if (this.ends === 2) return;
    if (++this.ends === 1 || !ASCII.test(this.text)) return;
    const bytes = Buffer.from(this.text, 'latin1');
    this.bytes = bytes;
    // In one piece.
    this.text = bytes.toString('latin1');
  }
}

/** The first pieces, by the length of the status line. A power of two. */
const FIRSTS = 16;
const firsts = Array.from({ length: FIRSTS }, () => new KnownPiece('', ''));

/** The head that is being built. Module variables: an object for each response would cost more than its head. */
let known: KnownPiece | undefined;
/** As far as it has been built, if it is not a known one. */
let text = '';

/** The last head that was built, if it was a known one. */
let last: KnownPiece | undefined;

/** Counts heads that have been begun. */
let begun = 0;

/** Returns what `isBegun` asks for. */
export function beginHead(statusLine: string): number {
  known = firsts[statusLine.length % FIRSTS];
  addToHead(statusLine);
  return ++begun;
}

/** Whether no other head has been begun since: a program that ran meanwhile may have answered another request. */
export function isBegun(head: number): boolean {
  return head === begun;
}

export function addToHead(piece: string): void {
  if (known === undefined) {
    text += piece;
    return;
  }
  const { next } = known;
  if (next?.piece === piece) known = next;
  else addOther(known, piece);
}

function addOther(before: KnownPiece, piece: string): void {
  const joined = before.text + piece;
  if (before.isToLearn(piece)) {
    known = before.next = new KnownPiece(piece, joined);
  } else {
    known = undefined;
    text = joined;
  }
}

export function endHead(): string {
  last = known;
  if (known === undefined) return text;
  known.end();
  return known.text;
}

/** The bytes of a head that has been built just before; undefined if they are not known. They are those of ASCII. */
export function bytesOfHead(head: string): Uint8Array | undefined {
  return last?.text === head ? last.bytes : undefined;
}
