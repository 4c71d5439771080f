import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { fill, listen, pair, passTime } from '../support/sockets.js';
import { everyWay, reference, type Subject } from '../support/subjects.js';

/** A timer may come this much early: node counts whole milliseconds. */
const GRAIN = 2;

/** More than a peer has read at READ_BYTES every 10 ms for 300 ms. */
const WRITE_BYTES = 96 * 1024 * 1024;
const READ_BYTES = 2 * 1024 * 1024;

describe.each(everyWay)('timeouts: $name over $family', ({ subject, family }) => {
  it('tells of idleness once, and does not close', async () => {
    const { client } = await pair(subject, family);
    let count = 0;
    const start = performance.now();
    client.setTimeout(30);
    client.on('timeout', () => count++);
    await once(client, 'timeout');
    expect(performance.now() - start).toBeGreaterThan(30 - GRAIN);
    await passTime(80);
    expect(count).toBe(1);
    expect(client.destroyed).toBe(false);
    expect(client.timeout).toBe(30);
  });

  it.each(['reads', 'writes'] as const)('is put off by %s', async (what) => {
    const { client, peer } = await pair(subject, family);
    client.resume();
    peer.resume();
    const timeouts: string[] = [];
    client.setTimeout(60, () => timeouts.push('timeout'));
    const start = performance.now();
    let last = start;
    let longestPause = 0;
    while (performance.now() - start < 150) {
      (what === 'reads' ? peer : client).write('x');
      await passTime(10);
      longestPause = Math.max(longestPause, performance.now() - last);
      last = performance.now();
    }
    // A machine under load may have held up this process for as long as the timeout.
    if (longestPause < 50) expect(timeouts).toEqual([]);
    if (timeouts.length === 0) await once(client, 'timeout');
    expect(timeouts).toHaveLength(1);
  });

  it('is put off while a peer reads, slowly, what is being written', async () => {
    const { client, peer } = await pair(subject, family);
    const timeouts: string[] = [];
    client.write(Buffer.alloc(WRITE_BYTES));
    client.setTimeout(100, () => timeouts.push('timeout'));
    const start = performance.now();
    let last = start;
    let longestPause = 0;
    while (performance.now() - start < 300) {
      const until = peer.bytesRead + READ_BYTES;
      peer.resume();
      while (peer.bytesRead < until) await once(peer, 'data');
      peer.pause();
      await passTime(10);
      longestPause = Math.max(longestPause, performance.now() - last);
      last = performance.now();
    }
    // A machine under load may have held up this process for as long as the timeout, which then has come, and comes once.
    if (longestPause < 50) expect(timeouts).toEqual([]);
    if (timeouts.length === 0) await once(client, 'timeout');
    expect(client.writableLength).toBe(WRITE_BYTES);
  });

  it('starts again with activity after it has come', async () => {
    const { client, peer } = await pair(subject, family);
    peer.resume();
    client.setTimeout(20);
    await once(client, 'timeout');
    client.write('x');
    await once(client, 'timeout');
  });

  it('can be turned off, changed and set again', async () => {
    const { client } = await pair(subject, family);
    let count = 0;
    const listener = (): void => {
      count++;
    };
    client.setTimeout(20, listener);
    client.setTimeout(0, listener);
    expect(client.listenerCount('timeout')).toBe(0);
    await passTime(60);
    expect(count).toBe(0);
    client.setTimeout(10_000);
    const start = performance.now();
    client.setTimeout(20);
    await once(client, 'timeout');
    expect(performance.now() - start).toBeLessThan(5000);
    client.setTimeout(20);
    client.setTimeout(0);
    client.setTimeout(40);
    await once(client, 'timeout');
  });

  it('comes while waiting for a peer that does not read', async () => {
    const { client } = await pair(subject, family);
    fill(client);
    client.setTimeout(20);
    await once(client, 'timeout');
  });

  it('counts from before the connection, by option', async () => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const client = subject.connect({ ...address, timeout: 30 });
    expect(client.timeout).toBe(30);
    await once(client, 'timeout');
    client.destroy();
  });

  function problems(by: Subject): unknown[] {
    const socket = by.socket();
    const codes = [5, Number.NaN, -1, Infinity, '5', null, undefined].map((value) => {
      try {
        socket.setTimeout(value as number);
      } catch (error) {
        return [(error as NodeJS.ErrnoException).code, (error as Error).message];
      }
      return socket.timeout;
    });
    try {
      socket.setTimeout(1, 5 as never);
    } catch (error) {
      codes.push([(error as NodeJS.ErrnoException).code, (error as Error).message]);
    }
    socket.destroy();
    return codes;
  }

  it('checks its arguments', () => {
    expect(problems(subject)).toEqual(problems(reference));
  });
});
