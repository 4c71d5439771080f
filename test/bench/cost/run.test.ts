/** `nearwire cost` with real servers: a short run, and an application that is out of order. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Effort } from '../../../bench/cost/effort.js';
import { measureCost, type CostResult, type CostOptions } from '../../../bench/cost/index.js';
import { CROWD, LOADS } from '../../../bench/cost/measure.js';
import { stackNamed } from '../../../bench/cost/stacks/index.js';
import { NothingToRun } from '../../../bench/run.js';
import { folderForRuns } from '../../support/command-runs.js';
import { requireOrSkip } from '../../support/requirements.js';

const [addon, floor, nginx] = [requireOrSkip('addon'), requireOrSkip('floor'), requireOrSkip('nginx')];
const strace = requireOrSkip('strace');
const ready = addon !== undefined && floor !== undefined && nginx !== undefined && process.platform === 'linux';

const runs = folderForRuns();
const SHORT_WARM_UP = { window: 0.05, least: 0, longest: 0.4 };
const SHORT: Effort = {
  ...{ blocks: 2, sweeps: { least: 3, most: 3 }, seconds: 60 },
  warmUp: { compiled: SHORT_WARM_UP, other: SHORT_WARM_UP },
};
const TIMEOUT_MILLIS = 120_000;

interface Ran {
  readonly result: CostResult;
  readonly labels: readonly string[];
}

async function run(words: Partial<CostOptions>): Promise<Ran> {
  const labels: string[] = [];
  const result = await measureCost({
    ...{ stacks: undefined, app: undefined, wsgi: undefined, ownPath: '/', work: undefined, bytes: undefined },
    ...{ command: 'nearwire cost', effort: SHORT, signal: new AbortController().signal, onWarning: () => undefined },
    onProgress: ({ label, interim = label }) => labels.push(interim),
    ...words,
  });
  return { result, labels };
}

function appThat(name: string, code: string): string {
  const file = join(runs.path, `${name}.mjs`);
  writeFileSync(file, code);
  return file;
}

describe.skipIf(!ready)('a run with real servers', { timeout: TIMEOUT_MILLIS }, () => {
  it('has a sample of each configuration in each sweep, and tells a millisecond of work', async () => {
    const { result, labels } = await run({
      app: appThat(
        'busy',
        `export default (request, response) => {
           const { user } = process.cpuUsage();
           while (process.cpuUsage().user - user < 1000);
           response.end('done');
         };`,
      ),
    });
    expect(result.failures).toEqual([]);
    for (const blocks of result.samples.values()) {
      expect(blocks.map(({ length }) => length)).toEqual([3, 3]);
      expect(Math.min(...blocks.flat())).toBeGreaterThan(0);
    }
    // nginx, the least hop, node:http, the application, and four changes.
    expect(result.samples.size).toBe(8 * LOADS.length);
    const chain = result.verdicts.get(CROWD)?.chains[0];
    expect(chain?.layers.map(({ layer }) => layer)).toEqual(['front', 'hop', 'server', 'app']);
    expect(chain?.layers.at(-1)?.work.median).toBeGreaterThan(900);
    expect(chain?.whole.median).toBeGreaterThan(1000);
    // Of the empty handler: at least one that reads and one that writes, each.
    if (strace !== undefined) {
      for (const role of ['front', 'app'] as const) {
        const calls = Object.values(chain?.calls?.[role] ?? {}).reduce((sum, count) => sum + count, 0);
        expect(calls, role).toBeGreaterThan(1.9);
        expect(calls, role).toBeLessThan(40);
      }
    }
    expect(labels.at(-1)).toMatch(/^so far: the hop is .* of .*$/);
  });

  it('fits into its time, with fewer sweeps', async () => {
    const effort = { ...SHORT, sweeps: { least: 1, most: 1000 }, seconds: 16 };
    const { result } = await run({ effort, stacks: [stackNamed('node-unix')] });
    const counts = [...result.samples.values()].map((blocks) => blocks.flat().length);
    expect(new Set(counts).size).toBe(1);
    expect(counts[0]).toBeGreaterThan(10);
    expect(result.seconds).toBeLessThan(30);
    const [chain] = result.verdicts.get(CROWD)?.chains ?? [];
    expect(chain).toMatchObject({ title: 'node:http over node:net, UNIX', hop: undefined });
    expect(chain?.layers.map(({ layer }) => layer)).toEqual(['server']);
  });

  it('tells what an application answers that is out of order', async () => {
    const app = appThat('broken', 'export default (_, response) => { response.statusCode = 500; response.end(); };');
    await expect(run({ app })).rejects.toThrow(/500/);
    await expect(run({ app })).rejects.toThrow(NothingToRun);
  });
});
