/** relay(): the bytes, the ends, and what goes wrong. */
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { relay, type RelayOptions, type RelayResult } from 'nearwire';
import { descriptors, pipes, pipesAtRest } from '../support/files.js';
import { ends, relayed, startRelay, until, type Ends } from '../support/relays.js';
import { closed, fill, nextTurn, pattern, readAll, readBytes } from '../support/sockets.js';
import { everyWay, type Subject } from '../support/subjects.js';

const MiB = 1024 * 1024;
/** More than all buffers on the way hold. */
const MUCH = 32 * MiB;

describe.each(everyWay)('a relay: $name over $family', ({ subject, family }) => {
  it.each([1, 4096, 65_537, 8 * MiB + 1, 64 * MiB])('carries %i bytes both ways at once', async (size) => {
    const { client, far, outcome } = await relayed(subject, family);
    const [there, back] = [pattern(size, 1), pattern(size, 2)];
    client.end(there);
    far.end(back);
    const [atFar, atClient] = await Promise.all([readAll(far), readAll(client)]);
    expect(atFar.equals(there)).toBe(true);
    expect(atClient.equals(back)).toBe(true);
    expect(await outcome).toEqual({ bytesAtoB: size, bytesBtoA: size, reason: 'ended' });
  });

  it('carries a conversation of small messages', async () => {
    const { client, far, outcome } = await relayed(subject, family);
    for (let i = 0; i < 200; i++) {
      client.write(`question ${String(i)}`);
      expect((await readBytes(far, 9 + String(i).length)).toString()).toBe(`question ${String(i)}`);
      far.write(`answer ${String(i)}`);
      expect((await readBytes(client, 7 + String(i).length)).toString()).toBe(`answer ${String(i)}`);
    }
    client.end();
    far.end();
    expect(await outcome).toMatchObject({ bytesAtoB: 2290, bytesBtoA: 1890 });
  });

  it('counts what it carries on the sockets as well', async () => {
    const { client, a, b, far, outcome } = await relayed(subject, family);
    far.resume();
    client.write(pattern(5 * MiB));
    await until(() => b.bytesWritten === 5 * MiB);
    expect(a.bytesRead).toBe(5 * MiB);
    client.end();
    far.end('ab');
    client.resume();
    await outcome;
    expect([a.bytesRead, a.bytesWritten, b.bytesRead, b.bytesWritten]).toEqual([5 * MiB, 2, 2, 5 * MiB]);
  });

  it('is a matter of the kernel between native sockets', async () => {
    const { client, a, far } = await relayed(subject, family);
    far.resume();
    client.write(pattern(5 * MiB));
    await until(() => a.bytesRead === 5 * MiB);
    expectPumped(subject, a, 4 * MiB);
  });

  const beginnings: Record<string, (four: Ends) => unknown> = {
    'both are paused': ({ a, b }) => [a, b].map((socket) => socket.pause()),
    'one has been read and stopped': async ({ client, a }) => {
      client.write('x');
      await readBytes(a, 1);
      a.pause();
    },
    'one holds more than it was to buffer': async ({ client, a }) => {
      client.write(pattern(MiB));
      await until(() => a.readableLength > 0);
    },
    'one has been written to more than it takes': async ({ b }) => {
      fill(b);
      await until(() => b.writableNeedDrain);
    },
  };
  it.each(Object.entries(beginnings))('comes to that although %s', async (_, begin) => {
    const four = await ends(subject, family);
    await begin(four);
    const { client, a, b, far } = four;
    void startRelay(four);
    far.resume();
    await until(() => b.writableLength === 0);
    client.write(pattern(8 * MiB));
    await until(() => client.writableLength === 0 && a.bytesRead === client.bytesWritten);
    expectPumped(subject, a, 4 * MiB);
  });

  it('comes to that although the sink has no room for all of what has been read', async () => {
    const four = await ends(subject, family, { sendBufferSize: 4096, allowSmallBuffers: true });
    const { client, a, far } = four;
    client.write(pattern(8 * MiB));
    await until(() => a.readableLength > 0);
    void startRelay(four);
    far.resume();
    await until(() => client.writableLength === 0 && a.bytesRead === client.bytesWritten);
    expectPumped(subject, a, 4 * MiB);
  });

  it('sends the head, then what is buffered, then the rest', async () => {
    const four = await ends(subject, family);
    const { client, a, b, far } = four;
    client.write('two ');
    far.write('back one ');
    await Promise.all([once(a, 'readable'), once(b, 'readable')]);
    a.removeAllListeners('readable');
    b.removeAllListeners('readable');
    const outcome = startRelay(four, { head: Buffer.from('one ') });
    client.end('three');
    far.end('back two');
    const [atFar, atClient] = await Promise.all([readAll(far), readAll(client)]);
    expect([atFar.toString(), atClient.toString()]).toEqual(['one two three', 'back one back two']);
    expect(await outcome).toMatchObject({ bytesAtoB: 13, bytesBtoA: 17 });
  });

  it('takes over from a socket that was read before, and from one that is paused', async () => {
    const four = await ends(subject, family);
    const { client, a, b, far } = four;
    client.write('first');
    expect((await readBytes(a, 5)).toString()).toBe('first');
    b.pause();
    const outcome = startRelay(four);
    client.end('second');
    far.end('back');
    const [atFar, atClient] = await Promise.all([readAll(far), readAll(client)]);
    expect([atFar.toString(), atClient.toString()]).toEqual(['second', 'back']);
    expect(await outcome).toEqual({ bytesAtoB: 6, bytesBtoA: 4, reason: 'ended' });
  });

  it('passes a half close on, and goes on in the other direction', async () => {
    const { client, a, far, outcome } = await relayed(subject, family);
    client.end('question');
    expect((await readAll(far)).toString()).toBe('question');
    expect(a.destroyed).toBe(false);
    const answer = pattern(3 * MiB);
    far.end(answer);
    expect((await readAll(client)).equals(answer)).toBe(true);
    expect(await outcome).toEqual({ bytesAtoB: 8, bytesBtoA: 3 * MiB, reason: 'ended' });
  });

  it('does so on sockets that are not half-open by themselves', async () => {
    const four = await ends(subject, family);
    four.a.allowHalfOpen = four.b.allowHalfOpen = false;
    const outcome = startRelay(four);
    four.client.end('question');
    await readAll(four.far);
    four.far.end('answer');
    expect((await readAll(four.client)).toString()).toBe('answer');
    expect(await outcome).toMatchObject({ bytesBtoA: 6 });
  });

  it.each([
    ['a-ended', 'client', 'far'],
    ['b-ended', 'far', 'client'],
  ] as const)('without halfClose one end is the end of both: %s', async (reason, ender, other) => {
    const four = await relayed(subject, family, { halfClose: false });
    const bytes = pattern(2 * MiB);
    four[ender].end(bytes);
    const [got] = await Promise.all([readAll(four[other]), readAll(four[ender])]);
    expect(got.equals(bytes)).toBe(true);
    expect(await four.outcome).toMatchObject({ reason });
    await Promise.all([four.a, four.b].map(isClosed));
  });

  it('holds the sender back while the other side does not read', async () => {
    const { client, far, outcome } = await relayed(subject, family);
    far.pause();
    const bytes = pattern(MUCH);
    client.end(bytes);
    far.write('still works the other way');
    await readBytes(client, 25);
    // Whatever the buffers between take has been taken when nothing more leaves for a while.
    let before = -1;
    for (let same = 0; same < 50; same = client.writableLength === before ? same + 1 : 0) {
      before = client.writableLength;
      await nextTurn();
    }
    expect(client.writableLength).toBeGreaterThan(0);
    expect((await readAll(far.resume())).equals(bytes)).toBe(true);
    far.end();
    client.resume();
    expect(await outcome).toMatchObject({ bytesAtoB: MUCH });
  });

  it('carries exactly maxBytes each way', async () => {
    const { client, far, outcome } = await relayed(subject, family, { maxBytes: MiB });
    client.end(pattern(MiB));
    far.end(pattern(MiB));
    const [atFar, atClient] = await Promise.all([readAll(far), readAll(client)]);
    expect([atFar.length, atClient.length]).toEqual([MiB, MiB]);
    expect(await outcome).toMatchObject({ bytesAtoB: MiB, bytesBtoA: MiB });
  });

  it.each([0, 1, 65_536, MiB])('fails at one byte more than maxBytes of %i', async (maxBytes) => {
    const { client, a, b, far, outcome } = await relayed(subject, family, { maxBytes });
    let came = 0;
    far.on('data', (chunk: Buffer) => (came += chunk.length));
    client.write(pattern(maxBytes));
    await until(() => came === maxBytes || a.destroyed);
    client.write('x');
    expect(await outcome).toMatchObject({ code: 'ERR_NEARWIRE_RELAY_LIMIT' });
    expect([a.destroyed, b.destroyed]).toEqual([true, true]);
    expect(came).toBeLessThanOrEqual(maxBytes);
    await over(far);
  });

  it('fails after idleTimeout, and not while something moves', async () => {
    const idleTimeout = 600;
    const { client, a, b, far, outcome } = await relayed(subject, family, { idleTimeout });
    let last = 0;
    far.on('data', () => (last = performance.now()));
    let left = 20;
    const timer = setInterval(() => {
      client.write('tick');
      if (--left === 0) clearInterval(timer);
    }, idleTimeout / 12);
    expect(await outcome).toMatchObject({ code: 'ERR_NEARWIRE_RELAY_TIMEOUT' });
    expect(left).toBe(0);
    expect(performance.now() - last).toBeGreaterThan(idleTimeout - 5);
    expect([a.destroyed, b.destroyed]).toEqual([true, true]);
  });

  it('refreshes the timeouts of the sockets', async () => {
    const { client, a, b, far } = await relayed(subject, family);
    far.resume();
    let timeouts = 0;
    let ticks = 0;
    for (const socket of [a, b]) socket.setTimeout(600, () => timeouts++);
    let [last, longestGap] = [performance.now(), 0];
    const timer = setInterval(() => {
      client.write('tick');
      longestGap = Math.max(longestGap, performance.now() - last);
      last = performance.now();
      if (++ticks === 20) clearInterval(timer);
    }, 50);
    await until(() => ticks === 20);
    // On a machine that stands still for so long they are due.
    expect(timeouts === 0 || longestGap > 500).toBe(true);
    await until(() => timeouts === 2);
    client.destroy();
  });

  it('is ended by its signal', async () => {
    for (const early of [true, false]) {
      const four = await ends(subject, family);
      const controller = new AbortController();
      if (early) controller.abort(new Error('mine'));
      const outcome = startRelay(four, { signal: controller.signal });
      if (!early) {
        fill(four.client);
        await until(() => four.a.bytesRead > 0);
        controller.abort(new Error('mine'));
      }
      expect(await outcome).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'mine' } });
      await Promise.all([over(four.far), over(four.client)]);
    }
  });

  const steps: Record<string, (four: Ends) => unknown> = {
    'at once': () => undefined,
    'while idle': () => nextTurn(),
    'after a message': ({ client, far }) => {
      client.write('x');
      return readBytes(far, 1);
    },
    'while both ways are full': async ({ client, a, b, far }) => {
      fill(client);
      fill(far);
      await until(() => a.bytesRead > 0 && b.bytesRead > 0);
      for (let i = 0; i < 20; i++) await nextTurn();
    },
    'after a half close': ({ client, far }) => {
      client.end('x');
      return readAll(far);
    },
  };
  const victims = ['client', 'a', 'b', 'far'] as const;
  it.each(Object.keys(steps).flatMap((step) => victims.map((victim) => [victim, step] as const)))(
    'is over when %s is destroyed %s',
    async (victim, step) => {
      const four = await relayed(subject, family);
      await steps[step]?.(four);
      four[victim].destroy();
      for (const name of ['client', 'far'] as const) four[name].resume().end();
      const outcome = await four.outcome;
      expect(outcome).toSatisfy((result: RelayResult & NodeJS.ErrnoException) =>
        ['ended', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(result.code ?? result.reason),
      );
      await Promise.all([four.a, four.b].map(isClosed));
    },
  );

  it('fails when the program ends one of the sockets, and more comes for it', async () => {
    const { client, b, far, outcome } = await relayed(subject, family);
    far.resume();
    client.write(pattern(MiB));
    await until(() => b.bytesWritten === MiB);
    b.end();
    await once(b, 'finish');
    client.write('more');
    expect(await outcome).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });

  it('tells of a reset', async () => {
    const { client, far, outcome } = await relayed(subject, family);
    far.resume();
    client.write('x');
    await readBytes(far, 1);
    if (family === 'tcp') {
      client.resetAndDestroy();
    } else {
      // Closing with bytes unread resets a UNIX connection.
      client.pause();
      far.write('unread');
      await until(() => far.writableLength === 0);
      await nextTurn();
      client.destroy();
      far.write('more');
    }
    expect((await outcome) as NodeJS.ErrnoException).toHaveProperty('code', expect.stringMatching(/ECONNRESET|EPIPE/));
    await over(far);
  });

  it('leaves no descriptor behind, whatever becomes of many relays', { timeout: 60_000 }, async () => {
    const pipesBefore = pipes();
    const round = async (i: number): Promise<void> => {
      const four = await relayed(subject, family);
      const { client, a, far, outcome } = four;
      client.write(pattern(300_000));
      if (i % 4 === 0) far.pause();
      else far.resume();
      await until(() => a.bytesRead > 0);
      if (i % 4 < 2) four[victims[i % 3] ?? 'far'].destroy();
      client.end();
      far.end();
      client.resume();
      far.resume();
      await outcome;
      await Promise.all(
        Object.values<Socket>({ client, a, b: four.b, far }).map((socket) => isClosed(socket.destroy())),
      );
    };
    const batch = (): Promise<unknown> => Promise.all(Array.from({ length: 60 }, (_, i) => round(i)));
    await batch();
    await nextTurn();
    const before = descriptors();
    for (let i = 0; i < 4; i++) await batch();
    // Each round has two servers of its own, which close at the end of the test. A busy host may close late.
    await until(() => descriptors() - 4 * 60 * 2 <= before);
    await until(() => pipes() <= pipesAtRest(pipesBefore));
  });
});

/** On native sockets so much has gone below JS. */
function expectPumped(subject: Subject, socket: Socket, bytes: number): void {
  const { _connection: connection } = socket as { _connection?: { sink?: { moved: number } } };
  if (subject.name === 'native') expect(connection?.sink?.moved).toBeGreaterThan(bytes);
  else expect(connection).toBeUndefined();
}

/** Resolves when nothing more comes. */
function over(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close'] as const) socket.once(event, resolve);
    if (socket.readableEnded || socket.closed) resolve();
    socket.resume();
  });
}

async function isClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await closed(socket);
}

describe('relay()', () => {
  it('refuses what makes no sense', () => {
    const [a, b] = [new PassThrough(), new PassThrough()];
    const wrong: [unknown, unknown, unknown, string][] = [
      [undefined, b, {}, 'ERR_INVALID_ARG_TYPE'],
      [a, {}, {}, 'ERR_INVALID_ARG_TYPE'],
      [a, a, {}, 'ERR_INVALID_ARG_VALUE'],
      [a, b, null, 'ERR_INVALID_ARG_TYPE'],
      [a, b, { halfClose: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [a, b, { idleTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
      [a, b, { maxBytes: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [a, b, { head: 'x' }, 'ERR_INVALID_ARG_TYPE'],
      [a, b, { signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    ];
    for (const [x, y, options, code] of wrong) {
      expect(() => relay(x as Duplex, y as Duplex, options as RelayOptions)).toThrow(
        expect.objectContaining({ code }) as Error,
      );
    }
  });

  it('takes a callback', async () => {
    const [a, b] = [new PassThrough(), new PassThrough()];
    const told = new Promise<unknown[]>((resolve) => {
      relay(a, b, {}, (...args) => {
        resolve(args);
      });
    });
    a.destroy(new Error('mine'));
    expect(await told).toMatchObject([{ message: 'mine' }]);
    expect(b.destroyed).toBe(true);
  });
});
