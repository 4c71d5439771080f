/** What the programs carry: bytes known at both ends, so that each is compared, and a stream that says how far it got. */
import { Readable } from 'node:stream';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** The largest body that is sent in one piece. */
export const LARGEST = MIB;
/** What a stream gives at a time: as a file would. */
const STREAM_PIECE = 64 * KIB;
/** Where the bodies of different seeds begin: primes, so that no two neighbours are alike. */
const SEED_STEP = 7919;
const OFFSETS = 1_048_573;

const block = ((): Buffer => {
  const bytes = Buffer.allocUnsafe(OFFSETS + LARGEST);
  let state = 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
})();

/** The body with this seed: any two differ from their first bytes on. Not to be changed by the caller. */
export function bodyOf(seed: number, length: number): Buffer {
  const start = (seed * SEED_STEP) % OFFSETS;
  return block.subarray(start, start + length);
}

/**
 * The length of the i-th body, from 0 B to 1 MiB: most are small, as most requests are, one in a hundred is 16 KiB to
 * 256 KiB and one in a thousand 1 MiB. 10,000 of them are about 40 MB.
 */
export function lengthOf(i: number): number {
  const spread = (i * 2_654_435_761) % 4_294_967_296;
  if (i % 1000 === 999) return LARGEST;
  if (i % 100 === 50) return 16 * KIB + (spread % (240 * KIB));
  if (i % 10 === 3) return spread % (16 * KIB);
  return i % 4 === 0 ? spread % 8 : spread % KIB;
}

/** The bytes of a long stream from `offset` on: one block over and over. */
function streamPiece(offset: number, length: number): Buffer {
  const start = offset % LARGEST;
  return block.subarray(start, start + Math.min(length, LARGEST - start));
}

/** A stream of this many bytes; `onProduced` is told of each piece that was asked for. */
export function bodyStream(length: number, onProduced?: (bytes: number) => void): Readable {
  let sent = 0;
  return new Readable({
    highWaterMark: STREAM_PIECE,
    read(): void {
      if (sent === length) {
        this.push(null);
        return;
      }
      const piece = streamPiece(sent, Math.min(STREAM_PIECE, length - sent));
      sent += piece.length;
      onProduced?.(piece.length);
      this.push(piece);
    },
  });
}

/** Compares what comes of a stream, chunk by chunk, with what `bodyStream` gave. */
export class StreamCheck {
  length = 0;

  /** Throws where a byte is not the one that was sent. */
  add(chunk: Uint8Array): void {
    let done = 0;
    while (done < chunk.length) {
      const wanted = streamPiece(this.length, chunk.length - done);
      const got = chunk.subarray(done, done + wanted.length);
      if (!wanted.equals(got)) throw new Error(`wrong bytes in the chunk at ${String(this.length)}`);
      done += wanted.length;
      this.length += wanted.length;
    }
  }
}

/** Throws unless both are the same, byte by byte. */
export function compare(what: string, got: Uint8Array, wanted: Buffer): void {
  if (wanted.equals(got)) return;
  throw new Error(`${what}: ${String(got.length)} bytes differ from the ${String(wanted.length)} that were sent`);
}
