/** `npm run memory:uwsgi` says what connections cost, of each server and in each state. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../support/requirements.js';

const SCRIPT = new URL('../../scripts/uwsgi-memory.mjs', import.meta.url).pathname;
const addon = requireOrSkip('addon');

interface Range {
  median: number;
  least: number;
  most: number;
}

interface Told {
  connections: number;
  rounds: number;
  rows: { server: string; state: string; heap: Range; external: Range; rss: Range }[];
}

describe.skipIf(addon === undefined)('the memory of connections', () => {
  it('is told of each server in each state', { timeout: 60_000 }, async () => {
    const words = [SCRIPT, '--connections', '600', '--rounds', '2', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    const { connections, rounds, rows } = JSON.parse(stdout) as Told;
    expect([connections, rounds]).toEqual([600, 2]);
    const heapOf = (server: string, state: string): number => {
      const row = rows.find((candidate) => candidate.server === server && candidate.state === state);
      if (row === undefined) throw new Error(`${server} in the state ${state} is missing`);
      for (const { median, least, most } of [row.heap, row.external, row.rss]) {
        expect(least).toBeLessThanOrEqual(median);
        expect(median).toBeLessThanOrEqual(most);
      }
      return row.heap.median;
    };
    for (const server of ['uwsgi-native', 'uwsgi-js', 'http-net', 'http-nearwire']) {
      // An object for the connection at least; a request and a response more; and not a connection's worth is left.
      expect([server, heapOf(server, 'idle')]).toEqual([server, expect.toSatisfy((bytes: number) => bytes > 200)]);
      expect(heapOf(server, 'under-way') - heapOf(server, 'idle')).toBeGreaterThan(500);
      expect(heapOf(server, 'headers-read')).toBeGreaterThan(0);
      expect(heapOf(server, 'closed')).toBeLessThan(heapOf(server, 'under-way'));
    }
  });

  it('asks for whole numbers', () => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, '--connections', '0'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^usage: /)]);
  });
});
