/** When what is written leaves: see src/engine/departure.ts. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Channel, ChannelServer, type ChannelHandlers } from 'nearwire/channel';
import type * as ClockModule from '../../src/engine/clock.js';
import type * as DepartureModule from '../../src/engine/departure.js';
import { childResult, startChild } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, freshAddress, listen, readAll } from '../support/sockets.js';
import { everyWay, families, type Family } from '../support/subjects.js';

const { now, ORIGIN } = (await import(
  new URL('../../dist/src/engine/clock.js', import.meta.url).href
)) as typeof ClockModule;
const { HandlerTimes, PATIENCE } = (await import(
  new URL('../../dist/src/engine/departure.js', import.meta.url).href
)) as typeof DepartureModule;

function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** A server's handlers, and clients that are connected to it. */
async function connected(family: Family, count: number, handlers: ChannelHandlers): Promise<Channel[]> {
  const address = await new Promise<object>((resolve) => {
    const server = ChannelServer.listen({ ...freshAddress(family), transport: 'native' } as never, {
      // Clients leave without having read all.
      onError: () => undefined,
      ...handlers,
      onListening: (self) => {
        const at = self.address();
        resolve(typeof at === 'string' ? { path: at } : { port: at?.port });
      },
    });
    cleanup(() => {
      server.close();
    });
  });
  return Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Channel>((resolve) => {
          const channel = Channel.connect({ ...address, transport: 'native' } as never, {
            onConnect: resolve,
            onError: () => undefined,
          });
          cleanup(() => {
            channel.destroy();
          });
        }),
    ),
  );
}

/** Of a quick handler: with sanitizers, on a slow host, ten are not. */
const WRITES = process.env['ASAN_OPTIONS'] === undefined ? 10 : 2;

describe('handler times', () => {
  it('make writes leave at once when two long ones come close together, and for a while', () => {
    const times = new HandlerTimes(() => false);
    times.note(2 * PATIENCE);
    expect(times.prompt).toBe(false);
    for (let i = 0; i < 10; i++) times.note(PATIENCE / 10);
    times.note(2 * PATIENCE);
    expect(times.prompt).toBe(true);
    let short = 0;
    while (times.prompt && short < 10_000) {
      times.note(0);
      short++;
    }
    expect(short).toBeGreaterThan(100);
    expect(short).toBeLessThan(5000);
  });

  it('take one among many for a collection, and none in which the processor was taken away', () => {
    let preempted = false;
    const times = new HandlerTimes(() => preempted);
    for (let i = 0; i < 20; i++) {
      times.note(5);
      for (let j = 0; j < 200; j++) times.note(0.01);
    }
    expect(times.prompt).toBe(false);
    preempted = true;
    for (let i = 0; i < 20; i++) times.note(5);
    expect(times.prompt).toBe(false);
    preempted = false;
    times.note(5);
    times.note(5);
    expect(times.prompt).toBe(true);
  });

  it('never wait again once the process ends', () => {
    const times = new HandlerTimes(() => false);
    times.end();
    for (let i = 0; i < 5000; i++) times.note(0);
    expect(times.prompt).toBe(true);
  });
});

it('the clock that turns begin by is that of now()', () => {
  // Nanoseconds, and as much for what doubles can't tell apart.
  const GRAIN = 0.001;
  for (let i = 0; i < 100; i++) {
    const before = now();
    const same = ORIGIN + Number(process.hrtime.bigint()) / 1e6;
    const after = now();
    expect(same).toBeGreaterThanOrEqual(before - GRAIN - PATIENCE / 10);
    expect(same).toBeLessThanOrEqual(after + GRAIN + PATIENCE / 10);
  }
});

describe.skipIf(requireOrSkip('addon') === undefined).each(families)('what is written natively over %s', (family) => {
  it('waits for no other connection whose handler computes', async () => {
    const served: Channel[] = [];
    const waiting: number[] = [];
    const count = 24;
    await new Promise<void>((resolve, reject) => {
      connected(family, count, {
        onData(channel) {
          // The one before has computed for a millisecond: its answer is with the kernel.
          const before = served.at(-1);
          if (before?.counters.sends === 0) waiting.push(served.length - 1);
          compute(1);
          channel.write('answer');
          if (served.push(channel) === count) resolve();
        },
      }).then((clients) => {
        for (const client of clients) client.write('request');
      }, reject);
    });
    expect(waiting).toEqual([]);
  });

  it('leaves at once outside a turn, whatever the tick does then', async () => {
    const [client, other] = (await connected(family, 2, {})) as [Channel, Channel];
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const before = [client.counters.sends, other.counters.sends];
      client.write('mine');
      other.write('mine too');
      expect([client.counters.sends, other.counters.sends]).toEqual(before.map((sends) => sends + 1));
    }
  });

  it('leaves at once from handlers that are known to compute after they have written', async () => {
    let atOnce = 0;
    let done = (): void => undefined;
    const [client] = (await connected(family, 1, {
      onData(channel) {
        const before = channel.counters.sends;
        channel.write('first');
        if (channel.counters.sends > before) atOnce++;
        compute(0.2);
        done();
      },
    })) as [Channel];
    // The first ones are late; on a busy machine some are not counted.
    for (let i = 0; i < 500 && atOnce < 5; i++) {
      const answered = new Promise<void>((resolve) => (done = resolve));
      client.write('request');
      await answered;
    }
    expect(atOnce).toBe(5);
  });

  it('is gathered while handlers are quick', async () => {
    let sends: number | undefined;
    let done = (): void => undefined;
    const [client] = (await connected(family, 1, {
      onData(channel) {
        const before = channel.counters.sends;
        for (let i = 0; i < WRITES; i++) channel.write('x');
        sends = channel.counters.sends - before;
        done();
      },
    })) as [Channel];
    const seen: unknown[] = [];
    // A machine that is busy may make handlers slow for a while.
    for (let i = 0; i < 3000 && !seen.includes(0); i++) {
      const answered = new Promise<void>((resolve) => (done = resolve));
      client.write('request');
      await answered;
      seen.push(sends);
    }
    expect(seen).toContain(0);
  });
});

describe.each(everyWay)("what an 'exit' listener writes on $name over $family", ({ subject, family }) => {
  it('goes out', async () => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const accepted = once(server, 'connection');
    const child = startChild(
      subject.name,
      `
      const socket = connect(${JSON.stringify(address)}, () => {
        socket.write('before;');
        process.on('exit', () => {
          socket.write('one;');
          socket.write('two');
        });
        process.exit();
      });`,
    );
    const [peer] = (await accepted) as [Parameters<typeof readAll>[0]];
    const [text, result] = await Promise.all([readAll(peer), childResult(child)]);
    expect(result.code).toBe(0);
    expect(text.toString()).toBe('before;one;two');
  });
});

describe.each(everyWay)('what a program corked on $name over $family', ({ subject, family }) => {
  it.each([
    ['small', 1],
    ['large', 20_000],
  ])('is with the kernel once it is uncorked, all of it: %s', async (_, length) => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const accepted = once(server, 'connection');
    startChild(
      subject.name,
      `
      const socket = connect(${JSON.stringify(address)}, () => {
        setImmediate(() => {
          socket.cork();
          socket.write('head');
          socket.write(Buffer.alloc(${String(length)}, 'x'));
          socket.write('tail');
          socket.uncork();
          process.kill(process.pid, 'SIGKILL');
        });
      });`,
    );
    const [peer] = (await accepted) as [Parameters<typeof readAll>[0]];
    expect((await readAll(peer)).toString()).toBe(`head${'x'.repeat(length)}tail`);
  });
});
