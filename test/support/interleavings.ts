/**
 * Random sequences of what can be done to a socket's writing side, to be run on more than one transport. What is sent by
 * reference on one (a file, a page) is written as plain bytes on the other.
 */
import { readSync } from 'node:fs';
import { Page, type Socket } from 'nearwire';
import { failure, rangeOf } from './files.js';
import { randomOf, type Random } from './random.js';
import { nextTurn, pattern } from './sockets.js';

/** Where a step happens. */
export interface Scene {
  socket: Socket;
  peer: Socket;
  /** False: as node:net would be asked for the same bytes. */
  byReference: boolean;
  /** The callback of a write of these bytes; `settles`: by a promise, which has an order of its own. */
  note(bytes: Buffer, settles?: boolean): (error?: Error | null) => void;
}

export interface Step {
  text: string;
  /** What it adds to the bytes that are sent. */
  bytes?: Buffer;
  run(scene: Scene): unknown;
}

/** A kind of step: how often it comes, in parts of all, and one of it. */
export interface Kind {
  weight: number;
  make(random: Random, files: InterleavedFile): Step;
}

export interface InterleavedFile {
  path: string;
  fd: number;
  size: number;
}

const SMALL = 300;
const MIDDLE = 20_000;
const LARGE = 400_000;
const plenty = pattern(LARGE + 1, 5);

function bytesOf(random: Random, limit: number): Buffer {
  const length = random(limit);
  const start = random(plenty.length - length);
  return plenty.subarray(start, start + length);
}

function writeOf(bytes: Buffer, chunk: string | Buffer, encoding?: BufferEncoding): Step {
  return {
    text: `write ${typeof chunk === 'string' ? (encoding ?? 'utf8') : 'bytes'} ${String(bytes.length)}`,
    bytes,
    run: ({ socket, note }) => socket.write(chunk, encoding, note(bytes)),
  };
}

function fileStep(random: Random, file: InterleavedFile, limit: number): Step {
  const length = random(limit + 1);
  // To the end of the file it need not be said how much.
  const toEnd = random(3) === 0;
  const offset = toEnd ? file.size - length : random(file.size - length + 1);
  const range = toEnd ? { start: offset } : rangeOf(offset, length);
  // The last is a name that the kernel never has at hand: it is opened in the thread pool.
  const from = [file.path, file.fd, `/dev/fd/${String(file.fd)}`][random(3)] ?? file.path;
  const bytes = Buffer.alloc(length);
  readSync(file.fd, bytes, 0, length, offset);
  return {
    text: `sendFile ${String(from)} ${String(offset)} ${String(length)}`,
    bytes,
    run({ socket, byReference, note }) {
      const settled = note(bytes, true);
      if (byReference) void failure(socket.sendFile(from, range)).then(settled);
      else socket.write(bytes, settled);
    },
  };
}

/** To be added to, where there is more that goes by reference. */
export const KINDS: Kind[] = [
  {
    weight: 6,
    make(random) {
      const text = 'ü'.repeat(random(SMALL));
      return writeOf(Buffer.from(text), text);
    },
  },
  {
    weight: 6,
    make(random) {
      const bytes = bytesOf(random, SMALL);
      return writeOf(bytes, bytes.toString('latin1'), 'latin1');
    },
  },
  {
    weight: 8,
    make(random) {
      const bytes = bytesOf(random, SMALL);
      return writeOf(bytes, bytes);
    },
  },
  {
    weight: 6,
    make(random) {
      const bytes = bytesOf(random, MIDDLE);
      return writeOf(bytes, bytes);
    },
  },
  {
    weight: 2,
    make(random) {
      const bytes = bytesOf(random, LARGE);
      return writeOf(bytes, bytes);
    },
  },
  { weight: 8, make: (random, file) => fileStep(random, file, SMALL) },
  { weight: 6, make: (random, file) => fileStep(random, file, MIDDLE) },
  { weight: 3, make: (random, file) => fileStep(random, file, LARGE) },
  {
    weight: 4,
    make(random) {
      const bytes = bytesOf(random, LARGE);
      return {
        text: `page ${String(bytes.length)}`,
        bytes,
        run: ({ socket, byReference, note }) => socket.write(byReference ? Page.from(bytes) : bytes, note(bytes)),
      };
    },
  },
  {
    weight: 5,
    make: () => ({
      text: 'cork',
      run({ socket }) {
        socket.cork();
      },
    }),
  },
  {
    weight: 5,
    make: () => ({
      text: 'uncork',
      run({ socket }) {
        socket.uncork();
      },
    }),
  },
  {
    weight: 2,
    make: () => ({
      text: 'the peer pauses',
      run({ peer }) {
        peer.pause();
      },
    }),
  },
  {
    weight: 3,
    make: () => ({
      text: 'the peer reads on',
      run({ peer }) {
        peer.resume();
      },
    }),
  },
  { weight: 5, make: () => ({ text: 'a turn of the loop', run: nextTurn }) },
];

const LONGEST = 24;

export interface Sequence {
  steps: Step[];
  /** All that is written, in order. */
  bytes: Buffer;
  /** How the socket comes to its end. */
  ending: 'end' | 'destroy';
}

export function sequenceOf(seed: number, file: InterleavedFile): Sequence {
  const random = randomOf(seed);
  const total = KINDS.reduce((sum, { weight }) => sum + weight, 0);
  const steps = Array.from({ length: random(LONGEST) }, () => {
    let at = random(total);
    const kind = KINDS.find(({ weight }) => (at -= weight) < 0);
    if (kind === undefined) throw new Error('the weights do not add up');
    return kind.make(random, file);
  });
  const bytes = Buffer.concat(steps.map((step) => step.bytes ?? Buffer.alloc(0)));
  return { steps, bytes, ending: random(4) === 0 ? 'destroy' : 'end' };
}
