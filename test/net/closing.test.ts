/** When 'close' comes: in the loop's closing phase, as libuv tells of its handles. */
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, closed, listen, nextTurn, pair, record, type Pair } from '../support/sockets.js';
import { everyWay, families, native, reference, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

describe.each(everyWay)("the place of 'close': $name over $family", ({ subject, family }) => {
  it('is behind immediates that were set when the socket was destroyed', async () => {
    const { client, peer } = await pair(subject, family);
    const told: string[] = [];
    client.on('close', () => told.push('close'));
    const over = closed(client);
    client.once('data', () => {
      client.destroy();
      setImmediate(() => told.push('immediate'));
      process.nextTick(() => told.push('tick'));
    });
    peer.write('x');
    await over;
    expect(told).toEqual(['tick', 'immediate', 'close']);
  });

  it('is in the same pass of the loop as an immediate that destroys it', async () => {
    const { client } = await pair(subject, family);
    const told: string[] = [];
    client.on('close', () => told.push('close'));
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        client.destroy();
        setImmediate(() => {
          told.push('the next immediate');
          resolve();
        });
      });
    });
    expect(told).toEqual(['close', 'the next immediate']);
  });

  it('is that of the last one destroyed first, where several are', async () => {
    const ends = [await pair(subject, family), await pair(subject, family), await pair(subject, family)];
    const told: number[] = [];
    for (const [i, { client }] of ends.entries()) client.on('close', () => told.push(i));
    const over = ends.map(({ client }) => closed(client));
    for (const { client } of ends) client.destroy();
    await Promise.all(over);
    expect(told).toEqual([2, 1, 0]);
  });

  it('does not keep the others from theirs, if its listeners or their ticks throw', async () => {
    const uncaught: string[] = [];
    onUncaught((error) => uncaught.push(error.message));
    const ends = [await pair(subject, family), await pair(subject, family), await pair(subject, family)];
    const over = ends.map(({ client }) => closed(client));
    ends[2]?.client.on('close', () => {
      process.nextTick(() => {
        throw new Error('tick');
      });
      throw new Error('listener');
    });
    for (const { client } of ends) client.destroy();
    await Promise.all(over);
    while (uncaught.length < 2) await nextTurn();
    expect(uncaught).toEqual(['listener', 'tick']);
  });
});

describe.skipIf(requireOrSkip('addon') === undefined).each(families)('destroySoon() over %s', (family) => {
  /** As much as libuv reads at once: it reads on to see what is behind it, where behind less it takes any end for one. */
  const FULL_READ = 65_536;

  /**
   * What a client sees of a server that answers and closes, with so many bytes of the client's unread. It reads once the
   * server has closed.
   */
  async function seen(subject: Subject, unread: number): Promise<unknown[]> {
    const server = subject.createServer({ pauseOnConnect: true });
    const address = await listen(server, family);
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    // node's own: what it does is not in question.
    const client = reference.connect(address);
    const [peer] = await accepted;
    const events = record(client, ['end', 'error', 'close']);
    let length = 0;
    client.pause();
    client.on('data', (chunk: Buffer) => (length += chunk.length));
    if (unread > 0) await new Promise((resolve) => client.write(Buffer.alloc(unread), resolve));
    const over = closed(client);
    const closes = once(peer, 'close');
    peer.write(Buffer.alloc(FULL_READ));
    peer.destroySoon();
    await closes;
    client.resume();
    await over;
    return [length, ...events];
  }

  it.each([0, 1, 100_000])('ends the connection for the peer as on node, with %i bytes unread', async (unread) => {
    expect(await seen(native, unread)).toEqual(await seen(reference, unread));
  });
});

describe.skipIf(requireOrSkip('addon') === undefined)('FINs of many sockets', () => {
  it('are told of in order, by one immediate', async () => {
    const ends: Pair[] = [];
    for (let i = 0; i < 20; i++) ends.push(await pair(native, 'unix', { server: { allowHalfOpen: true } }));
    const told: number[] = [];
    const finished = ends.map(({ client }, i) =>
      once(
        client.on('finish', () => told.push(i)),
        'finish',
      ),
    );
    let made = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'Immediate') made++;
      },
    });
    cleanup(() => hook.disable());
    // A tick of its own: within a turn's events none is needed.
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        hook.enable();
        for (const { client } of ends) client.end();
        hook.disable();
        resolve();
      });
    });
    await Promise.all(finished);
    expect(told).toEqual(ends.map((_, i) => i));
    expect(made).toBe(1);
  });
});
