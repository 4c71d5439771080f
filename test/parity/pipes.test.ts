/**
 * `pipe()` from socket to socket: the record of events is node:net's in the same run. What tells of single chunks ('data',
 * and the 'drain', 'pause' and 'resume' that follow from how they come) is left out of the record, and nothing else.
 */
import { once } from 'node:events';
import { pipeline } from 'node:stream';
import type { Socket } from 'node:net';
import { describe, it } from 'vitest';
import { compare, PLAIN, type Scenario, type Stage } from '../support/stage.js';
import { until } from '../support/relays.js';
import { closed, nextTurn, pattern } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

/** More than all buffers on the way hold. */
const MUCH = 12_000_000;
const bytes = pattern(MUCH);

/** Longer than a busy machine keeps a process waiting. */
const IDLE_MILLIS = 300;
/** Node's timers come up to so much early. */
const TIMER_GRAIN_MILLIS = 2;

/** client -> source, which is to be piped to `out` -> far. */
interface Chain {
  client: Socket;
  source: Socket;
  out: Socket;
  far: Socket;
  /** What has come to `far`. */
  got: Buffer[];
}

function lengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((length, chunk) => length + chunk.length, 0);
}

interface ChainOptions {
  allowHalfOpen?: boolean;
  /** Whether what the sockets count is compared. No: it depends on what was under way at the moment. */
  counts?: boolean;
}

async function chain(stage: Stage, { allowHalfOpen = false, counts = true }: ChainOptions = {}): Promise<Chain> {
  stage.watchFromBelow();
  stage.ignore('data', 'drain', 'pause', 'resume', 'readable');
  stage.leaveOut('readableFlowing', 'readableLength', 'writableLength', 'writableNeedDrain', 'bufferSize');
  if (!counts) stage.leaveOut('bytesRead', 'bytesWritten');
  const server = stage.server({ allowHalfOpen });
  const address = await stage.listen(server);
  const [client, source] = await stage.join(server, address, { allowHalfOpen }, 'client');
  const [out, far] = await stage.join(server, address, { allowHalfOpen }, 'out');
  const got: Buffer[] = [];
  far.on('data', (chunk: Buffer) => got.push(chunk));
  return { client, source, out, far, got };
}

/** Names of the listeners that a program sees. */
function listenersOf(socket: Socket): string {
  const names = socket.eventNames().map((event) => {
    // Ours, in the place of node's.
    const listeners = socket.listeners(event).map(({ name }) => (name === 'noteEnd' ? 'onReadableStreamEnd' : name));
    return `${String(event)}: ${listeners.join(' ')}`;
  });
  return names.join(', ');
}

/** Stretches of the same byte. */
function runsOf(bytes: Buffer): { byte: string; length: number }[] {
  const runs: { byte: string; length: number }[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const byte = bytes[start];
    while (bytes[at] === byte) at++;
    runs.push({ byte: String.fromCharCode(byte as number), length: at - start });
  }
  return runs;
}

/** Much is under way, and some has come. */
async function midway({ client, got }: Chain): Promise<void> {
  client.write(bytes);
  await until(() => lengthOf(got) > 2_000_000);
}

function isStartOf(got: readonly Buffer[], whole: Buffer): boolean {
  const all = Buffer.concat(got);
  return all.equals(whole.subarray(0, all.length));
}

const scenarios: Record<string, Scenario> = {
  'a little, and its end': async (stage) => {
    const { client, source, out, far, got } = await chain(stage);
    stage.note(source, 'pipe', source.pipe(out) === out);
    client.end('some data');
    await once(far, 'end');
    stage.note('far', 'got', Buffer.concat(got).toString());
  },
  'much, and its end': async (stage) => {
    const { client, source, out, far, got } = await chain(stage);
    source.pipe(out);
    client.end(bytes);
    await once(far, 'end');
    stage.note('far', 'all', Buffer.concat(got).equals(bytes));
  },
  'both ways': async (stage) => {
    const { client, source, out, far, got } = await chain(stage, { allowHalfOpen: true });
    source.pipe(out);
    out.pipe(source);
    const back: Buffer[] = [];
    client.on('data', (chunk: Buffer) => back.push(chunk));
    client.write('question');
    await until(() => lengthOf(got) === 8);
    far.end('answer');
    await once(client, 'end');
    stage.note('back', 'all', Buffer.concat(back).toString());
    client.end();
  },
  'the listeners that a program sees': async (stage) => {
    const { client, source, out } = await chain(stage);
    stage.note(source, 'before', listenersOf(source));
    source.pipe(out);
    stage.note(source, 'piped', listenersOf(source));
    stage.note(out, 'piped', listenersOf(out));
    source.unpipe(out);
    stage.note(source, 'unpiped', listenersOf(source));
    stage.note(out, 'unpiped', listenersOf(out));
    out.end();
    client.end();
    source.resume();
  },
  'end: false': async (stage) => {
    const { client, source, out, far, got } = await chain(stage);
    source.pipe(out, { end: false });
    client.end(bytes);
    await once(source, 'end');
    stage.try(out, 'write', () => out.write('behind'));
    out.end();
    await once(far, 'end');
    stage.note('far', 'all', Buffer.concat(got).equals(Buffer.concat([bytes, Buffer.from('behind')])));
  },
  'a trailer written at end': async (stage) => {
    const { client, source, out, far, got } = await chain(stage);
    source.pipe(out, { end: false });
    source.on('end', () => out.end('trailer'));
    client.end(bytes);
    await once(far, 'end');
    stage.note('far', 'all', Buffer.concat(got).equals(Buffer.concat([bytes, Buffer.from('trailer')])));
  },
  'unpipe() midway': async (stage) => {
    stage.leaveOutContexts();
    const four = await chain(stage, { counts: false });
    const { client, source, out, far, got } = four;
    source.pipe(out);
    await midway(four);
    source.unpipe(out);
    stage.note(source, 'paused', source.isPaused());
    out.end();
    await once(far, 'end');
    const rest: Buffer[] = [];
    source.on('data', (chunk: Buffer) => rest.push(chunk));
    source.resume();
    client.end();
    await once(source, 'end');
    stage.note('rest', 'nothing lost', Buffer.concat([...got, ...rest]).equals(bytes));
  },
  "a 'data' listener midway": async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out, far, got } = four;
    source.pipe(out);
    await midway(four);
    const seen: Buffer[] = [];
    source.on('data', (chunk: Buffer) => seen.push(chunk));
    client.end();
    await once(far, 'end');
    stage.note('far', 'all', Buffer.concat(got).equals(bytes));
    const tail = Buffer.concat(seen);
    stage.note('rest', 'seen', tail.length > 0 && tail.equals(bytes.subarray(MUCH - tail.length)));
  },
  "once('data') midway": async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out, far, got } = four;
    source.pipe(out);
    await midway(four);
    const [chunk] = (await once(source, 'data')) as [Buffer];
    stage.note(source, 'seen', chunk.length > 0);
    client.end();
    await once(far, 'end');
    stage.note('far', 'all', Buffer.concat(got).equals(bytes));
  },
  "a 'readable' listener midway": async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out, far, got } = four;
    source.pipe(out);
    await midway(four);
    source.on('readable', () => {
      while (source.read() !== null);
    });
    client.end();
    await once(far, 'end');
    stage.note('far', 'all', Buffer.concat(got).equals(bytes));
  },
  'pause() and resume() midway': async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out, far, got } = four;
    source.pipe(out);
    await midway(four);
    source.pause();
    stage.note(source, 'paused', source.isPaused());
    // What was under way arrives, and then nothing more.
    let before = -1;
    for (let same = 0; same < 30; same = lengthOf(got) === before ? same + 1 : 0) {
      before = lengthOf(got);
      await nextTurn();
    }
    source.resume();
    client.end();
    await once(far, 'end');
    stage.note('far', 'all', Buffer.concat(got).equals(bytes));
  },
  'unshift() midway': async (stage) => {
    const four = await chain(stage);
    const { client, source, out, far, got } = four;
    source.pipe(out);
    client.write('abc');
    await until(() => lengthOf(got) === 3);
    source.unshift(Buffer.from('put back '));
    client.end('def');
    await once(far, 'end');
    stage.note('far', 'got', Buffer.concat(got).toString());
  },
  'setEncoding() midway': async (stage) => {
    const four = await chain(stage);
    const { client, source, out, far, got } = four;
    source.pipe(out);
    client.write('ä');
    await until(() => lengthOf(got) === 2);
    source.setEncoding('latin1');
    client.end('x');
    await once(far, 'end');
    stage.note('far', 'got', Buffer.concat(got).toString('hex'));
  },
  'another pipe() midway': async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out, far, got } = four;
    source.pipe(out);
    await midway(four);
    // An echo of the rest.
    const echo: Buffer[] = [];
    client.on('data', (chunk: Buffer) => echo.push(chunk));
    source.pipe(source);
    client.end();
    await Promise.all([once(far, 'end'), once(client, 'end')]);
    stage.note('far', 'all', Buffer.concat(got).equals(bytes));
    const tail = Buffer.concat(echo);
    stage.note('echo', 'the rest', tail.length > 0 && tail.equals(bytes.subarray(MUCH - tail.length)));
  },
  'two sources': async (stage) => {
    const { client, source, out, far, got } = await chain(stage, { counts: false });
    out.pipe(out, { end: false });
    source.pipe(out);
    client.write('a'.repeat(100_000));
    far.write('b'.repeat(100_000));
    await until(() => lengthOf(got) === 200_000);
    const all = Buffer.concat(got).toString();
    stage.note(far, 'from both', all.replaceAll('b', '').length === 100_000);
    client.end();
  },
  'an echo': async (stage) => {
    const { client, source, out } = await chain(stage, { counts: false });
    out.destroy();
    source.pipe(source);
    const echo: Buffer[] = [];
    client.on('data', (chunk: Buffer) => echo.push(chunk));
    client.end(bytes);
    await once(client, 'end');
    stage.note('echo', 'all', Buffer.concat(echo).equals(bytes));
  },
  'what the program writes at one go stays together': async (stage) => {
    const four = await chain(stage);
    const { client, source, out, far, got } = four;
    source.pipe(out);
    client.write(Buffer.alloc(MUCH, 'p'));
    const own = [
      Buffer.alloc(300_000, '1'),
      Buffer.alloc(3_000_000, '2'),
      Buffer.alloc(10, '3'),
      Buffer.alloc(90_000, '4'),
    ];
    for (let round = 1; round <= 3; round++) {
      await until(() => lengthOf(got) > round * 1_000_000);
      for (const part of own) out.write(part);
    }
    client.end();
    await once(far, 'end');
    const runs = runsOf(Buffer.concat(got));
    const piped = runs.filter(({ byte }) => byte === 'p').reduce((sum, { length }) => sum + length, 0);
    stage.note(far, 'piped', piped);
    const written = runs.filter(({ byte }) => byte !== 'p').map(({ byte, length }) => `${byte} ${String(length)}`);
    stage.note(far, 'written', written.join(', '));
    stage.note(
      far,
      'together',
      runs
        .map(({ byte }) => byte)
        .join('')
        .match(/1234/g)?.length,
    );
  },
  'the destination is ended by the program': async (stage) => {
    stage.leaveOutContexts();
    const four = await chain(stage, { counts: false });
    const { client, source, out, far, got } = four;
    source.pipe(out);
    await midway(four);
    out.end();
    await once(far, 'end');
    stage.note(far, 'what was written, no less', [isStartOf(got, bytes), lengthOf(got) === out.bytesWritten]);
    client.destroy();
    source.destroy();
  },
  'the destination is destroyed': async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out } = four;
    source.pipe(out);
    await midway(four);
    out.destroy();
    await closed(out);
    stage.note(source, 'paused', source.isPaused());
    client.destroy();
    source.destroy();
  },
  'the destination is destroyed with an error': async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out } = four;
    source.pipe(out);
    await midway(four);
    out.destroy(new Error('mine'));
    await closed(out);
    stage.note(source, 'paused', source.isPaused());
    client.destroy();
    source.destroy();
  },
  'the source is destroyed': async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out, far } = four;
    source.pipe(out);
    await midway(four);
    source.destroy(new Error('mine'));
    client.destroy();
    await closed(source);
    stage.note(out, 'is open', out.destroyed);
    // Whether a write is still under way is up to the kernel, and where it ends the stream then comes from there.
    await until(() => out.writableLength === 0);
    out.end();
    await once(far, 'end');
  },
  'the reader goes away': async (stage) => {
    const { client, source, out, far, got } = await chain(stage, { counts: false });
    source.pipe(out);
    client.write('abc');
    await until(() => lengthOf(got) === 3);
    far.destroy();
    await closed(far);
    await closed(out);
    client.destroy();
    source.destroy();
  },
  'a destination that still connects': async (stage) => {
    const { client, source, out } = await chain(stage, { counts: false });
    out.destroy();
    const server = stage.server({}, 'late server');
    const address = await stage.listen(server);
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const late = stage.connect(address, 'late');
    source.pipe(late);
    client.end('for the late one');
    const [peer] = await accepted;
    const got: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => got.push(chunk));
    await once(peer, 'end');
    stage.note(peer, 'got', Buffer.concat(got).toString());
  },
  'a destination that is corked': async (stage) => {
    const { client, source, out, far, got } = await chain(stage);
    out.cork();
    source.pipe(out);
    client.write('abc');
    await once(source, 'data');
    await nextTurn();
    stage.note('far', 'got', lengthOf(got));
    out.uncork();
    client.end();
    await once(far, 'end');
    stage.note('far', 'got', lengthOf(got));
  },
  'a source that has ended': async (stage) => {
    const { client, source, out, far } = await chain(stage, { allowHalfOpen: true });
    source.resume();
    client.end();
    await once(source, 'end');
    source.pipe(out);
    await once(far, 'end');
    far.end();
    source.end();
    client.resume();
    out.resume();
  },
  'pipeline()': async (stage) => {
    const { client, source, out, far, got } = await chain(stage);
    const done = new Promise<void>((resolve) => {
      pipeline(source, out, (error) => {
        stage.callback(out, 'through')(error);
        resolve();
      });
    });
    client.end(bytes);
    await Promise.all([once(far, 'end'), done]);
    stage.note('far', 'all', Buffer.concat(got).equals(bytes));
  },
  'pipeline() whose source fails': async (stage) => {
    const four = await chain(stage, { counts: false });
    const { client, source, out } = four;
    const done = new Promise<void>((resolve) => {
      pipeline(source, out, (error) => {
        stage.callback(out, 'through')(error);
        resolve();
      });
    });
    await midway(four);
    source.destroy(new Error('mine'));
    await done;
    client.destroy();
  },
  'pipeline() whose destination goes away': async (stage) => {
    // Whether a write was under way decides on the error.
    stage.ignore('error');
    const four = await chain(stage, { counts: false });
    const { client, source, out } = four;
    const done = new Promise<boolean>((resolve) => {
      pipeline(source, out, (error) => {
        resolve(error instanceof Error);
      });
    });
    await midway(four);
    out.destroy();
    stage.note('pipeline', 'failed', await done);
    client.destroy();
  },
};

const timeouts: Scenario = async (stage) => {
  const { client, source, out, far } = await chain(stage, { counts: false });
  source.pipe(out);
  let wrote = performance.now();
  source.setTimeout(IDLE_MILLIS, stage.callback(source, 'timeout'));
  out.setTimeout(IDLE_MILLIS, stage.callback(out, 'timeout'));
  // What goes through puts them off. A machine that stands still for as long may have them come between two writes.
  const idle = Promise.all(
    [source, out].map(async (socket) => {
      await once(socket, 'timeout');
      return performance.now() - wrote > IDLE_MILLIS - TIMER_GRAIN_MILLIS;
    }),
  );
  for (const began = wrote; performance.now() - began < 1.5 * IDLE_MILLIS;) {
    const arrived = once(far, 'data');
    wrote = performance.now();
    client.write('tick');
    await arrived;
  }
  const putOff = await idle;
  // Both may have come in one turn, or the one in the next.
  await nextTurn();
  stage.note(source, 'put off', ...putOff);
  client.end();
  await once(far, 'end');
};

describe.each(everyWay)('pipes: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    await compare(scenario, subject, family);
  });

  // It takes its time.
  it('timeouts of both', async () => {
    await compare(timeouts, subject, family, PLAIN);
  });
});
