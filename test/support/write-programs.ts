/**
 * Random programs on a socket's writing side, to be run on more than one transport, and what a program sees of each: the
 * callbacks of its writes, 'drain', 'finish', 'error' and 'close', in one order.
 */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { randomOf, type Random } from './random.js';
import { closed, nextTurn, pattern, type Address } from './sockets.js';
import type { Subject } from './subjects.js';

/** Less than any socket's buffer: the kernel takes all of a program of small writes at once, on every transport. */
const ROOMY_BYTES = 40_000;
const LONGEST = 14;
const plenty = pattern(1_000_000, 3);

type Log = (what: string) => void;

/** What a program does its steps on. */
interface Scene {
  socket: Socket;
  peer: Socket;
  log: Log;
}

export interface WriteStep {
  text: string;
  run(scene: Scene): unknown;
}

export interface WriteProgram {
  seed: number;
  /**
   * The kernel takes all of it at once: then all that a program sees is the same everywhere. Others have no writes in
   * callbacks: in which turn of the loop those would come is up to chance.
   */
  roomy: boolean;
  steps: readonly WriteStep[];
  /** Writes again in each of these callbacks, 'drain' included. */
  onDrain: WriteStep | undefined;
}

export interface Outcome {
  log: string[];
  received: Buffer;
  bytesWritten: number;
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ` ${(error as NodeJS.ErrnoException).code ?? error.message}` : '';
}

const ENCODINGS: readonly (BufferEncoding | undefined)[] = ['utf8', 'latin1', 'hex', 'base64', 'utf16le', undefined];

class Writer {
  private writes = 0;
  private bytesLeft = ROOMY_BYTES;

  constructor(
    private readonly random: Random,
    private readonly roomy: boolean,
  ) {}

  private length(): number {
    const { random } = this;
    const most = [0, 10, 300, 9000, 20_000][random(5)] ?? 0;
    if (!this.roomy) return random(random(6) === 0 ? 700_000 : most + 1);
    const length = Math.min(random(most + 1), this.bytesLeft);
    this.bytesLeft -= length;
    return length;
  }

  /** A write, or an end with a last chunk. `depth`: how many more writes its callback may lead to. */
  step(method: 'write' | 'end', depth: number): WriteStep {
    const { random } = this;
    const name = `${method} ${String(this.writes++)}`;
    const length = this.length();
    const start = random(plenty.length - length);
    const bytes = plenty.subarray(start, start + length);
    const encoding = ENCODINGS[random(ENCODINGS.length)];
    // node 24 overruns its memory where utf16le is made of an odd number of bytes.
    const even = length - (length % 2);
    const chunk = random(2) === 0 ? bytes : bytes.toString(encoding ?? 'latin1', 0, even);
    const answered = random(3) > 0;
    const then = this.roomy && answered && depth > 0 && random(4) === 0 ? this.step('write', depth - 1) : undefined;
    const kind = typeof chunk === 'string' ? (encoding ?? 'a string') : 'bytes';
    const words = [name, kind, String(chunk.length), answered ? 'answered' : '', then ? `then (${then.text})` : ''];
    return {
      text: words.filter(Boolean).join(' '),
      run(scene) {
        const { socket, log } = scene;
        const callback = answered
          ? (error?: Error | null): void => {
              log(`${name} called back${codeOf(error)}`);
              // A stream that is written to behind its end fails, which it does at another moment inside its own callbacks.
              if (!socket.writableEnded) then?.run(scene);
            }
          : undefined;
        const answer = callback as () => void;
        const say = (said: unknown): void => {
          if (method === 'write') log(`${name} answers ${String(said === true)}`);
        };
        if (typeof chunk === 'string') say(socket[method](chunk, encoding, answer));
        else say(socket[method](chunk, answer));
      },
    };
  }
}

function plainStep(text: string, run: WriteStep['run']): WriteStep {
  return { text, run };
}

const CORK = plainStep('cork', ({ socket }) => {
  socket.cork();
});
const UNCORK = plainStep('uncork', ({ socket }) => {
  socket.uncork();
});
const TURN = plainStep('a turn of the loop', nextTurn);
const TICK = plainStep(
  'a tick',
  () =>
    new Promise<void>((resolve) => {
      process.nextTick(resolve);
    }),
);
const PAUSE = plainStep('the peer pauses', ({ peer }) => {
  peer.pause();
});
const RESUME = plainStep('the peer reads on', ({ peer }) => {
  peer.resume();
});
const DESTROY = plainStep('destroy', ({ socket }) => {
  socket.destroy();
});
const FAIL = plainStep('destroy with an error', ({ socket }) => {
  socket.destroy(new Error('its own'));
});
const SOON = plainStep('destroySoon', ({ socket }) => {
  socket.destroySoon();
});

/** In the middle of a program; the more often one stands here the more often it comes. */
const BETWEEN = [CORK, UNCORK, CORK, UNCORK, TURN, TURN, TICK, PAUSE, RESUME];

export function writeProgramOf(seed: number): WriteProgram {
  const random = randomOf(seed);
  const roomy = random(3) > 0;
  const writer = new Writer(random, roomy);
  const steps: WriteStep[] = [];
  for (let left = 1 + random(LONGEST); left > 0; left--) {
    steps.push(random(5) < 3 ? writer.step('write', 2) : (BETWEEN[random(BETWEEN.length)] as WriteStep));
  }
  const ending = random(8);
  if (ending < 4) steps.push(writer.step('end', 1));
  else if (ending === 4) steps.push(plainStep('end', ({ socket }) => socket.end()));
  else steps.push([DESTROY, FAIL, SOON][ending - 5] as WriteStep);
  // What comes behind the end.
  for (let left = random(3); left > 0; left--) {
    steps.push([TURN, TICK, DESTROY, writer.step('write', 0)][random(4)] as WriteStep);
  }
  return { seed, roomy, steps, onDrain: roomy && random(4) === 0 ? writer.step('write', 0) : undefined };
}

export async function playWrites(
  subject: Subject,
  server: Server,
  address: Address,
  program: WriteProgram,
): Promise<Outcome> {
  const socket = subject.connect({ ...address });
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  const log: string[] = [];
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A destroy() with bytes left unsent may reset it.
  peer.on('error', () => undefined);
  const scene: Scene = { socket, peer, log: (what) => void log.push(what) };
  socket.on('drain', () => {
    log.push('drain');
  });
  socket.once('drain', () => program.onDrain?.run(scene));
  socket.on('finish', () => log.push('finish'));
  socket.on('error', (error) => log.push(`error${codeOf(error)}`));
  socket.on('close', (hadError: boolean) => log.push(`close ${String(hadError)}`));
  const over = Promise.all([closed(socket), closed(peer)]);
  // Out of the socket's own event: inside it, small writes call back at the end of the turn.
  await nextTurn();
  for (const step of program.steps) await step.run(scene);
  peer.resume();
  await over;
  // A callback that is still owed comes by then.
  await nextTurn();
  await nextTurn();
  return { log, received: Buffer.concat(chunks), bytesWritten: socket.bytesWritten };
}

export function describeProgram({ seed, steps, onDrain, roomy }: WriteProgram): string {
  const lines = [...steps, ...(onDrain ? [{ text: `at drain: ${onDrain.text}` }] : [])].map(({ text }) => text);
  return [`NEARWIRE_SEED=${String(seed)} NEARWIRE_WRITE_PROGRAMS=1${roomy ? ' (roomy)' : ''}`, ...lines].join('\n  ');
}
