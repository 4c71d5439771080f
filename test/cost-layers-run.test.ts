/** `nearwire cost verdict` with real servers: a short run, an application that is out of order, an end before its time. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Effort } from '../bench/cost/layers/effort.js';
import { measureLayers, type LayersResult, type LayersWords } from '../bench/cost/layers/index.js';
import { CROWD, LOADS } from '../bench/cost/layers/measure.js';
import { NothingToRun } from '../bench/run.js';
import { runCli } from './support/cli.js';
import { folderForRuns } from './support/command-runs.js';
import { requireOrSkip } from './support/requirements.js';

const [addon, floor, nginx] = [requireOrSkip('addon'), requireOrSkip('floor'), requireOrSkip('nginx')];
const ready = addon !== undefined && floor !== undefined && nginx !== undefined && process.platform === 'linux';

const runs = folderForRuns();
const SHORT: Effort = { blocks: 2, sweeps: 3, warmUp: { window: 0.05, least: 0, longest: 0.4 } };
const TIMEOUT_MILLIS = 120_000;

interface Ran {
  readonly result: LayersResult;
  readonly labels: readonly string[];
}

async function run(words: Partial<LayersWords>): Promise<Ran> {
  const labels: string[] = [];
  const result = await measureLayers({
    ...{
      stacks: undefined,
      app: undefined,
      wsgi: undefined,
      ownPath: '/',
      appMs: undefined,
      command: 'nearwire cost verdict',
    },
    ...{ effort: SHORT, signal: new AbortController().signal, onWarning: () => undefined },
    onProgress: ({ label }) => labels.push(label),
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
      expect(blocks.map(({ length }) => length)).toEqual([SHORT.sweeps, SHORT.sweeps]);
      expect(Math.min(...blocks.flat())).toBeGreaterThan(0);
    }
    // client, nginx, the least hop, node:http, the application, and four changes.
    expect(result.samples.size).toBe(9 * LOADS.length);
    const chain = result.verdicts.get(CROWD)?.chains[0];
    expect(chain?.layers.map(({ layer }) => layer)).toEqual(['front', 'hop', 'server', 'app']);
    expect(chain?.layers.at(-1)?.work.median).toBeGreaterThan(900);
    expect(chain?.whole.median).toBeGreaterThan(1000);
    expect(labels.at(-1)).toMatch(/^so far: the hop is .* of .*$/);
  });

  it('tells what an application answers that is out of order', async () => {
    const app = appThat('broken', 'export default (_, response) => { response.statusCode = 500; response.end(); };');
    await expect(run({ app })).rejects.toThrow(/500/);
    await expect(run({ app })).rejects.toThrow(NothingToRun);
  });

  it('tells what it has, and leaves nothing, when it is ended', async () => {
    const abort = new AbortController();
    let sweeps = 0;
    const { result } = await run({
      ...{ appMs: 0.1, signal: abort.signal, effort: { ...SHORT, blocks: 1, sweeps: 50 } },
      onProgress: ({ label }) => {
        if (label === 'sweeps' && ++sweeps === 2)
          setImmediate(() => {
            abort.abort(new Error('ended'));
          });
      },
    });
    expect(result.interrupted).toBe(true);
    const counts = new Set([...result.samples.values()].map((blocks) => blocks.flat().length));
    expect(counts.size).toBe(1);
    expect(result.verdicts.get(CROWD)?.chains.length).toBeGreaterThan(0);
  });
});

describe('words that make no sense exit 2', () => {
  it.each([
    { words: ['--app-ms', 'five'], hint: '--app-ms takes a number' },
    { words: ['--app', '/no/such/app.js'], hint: 'no such file' },
    { words: ['--wsgi', 'wiki.py'], hint: 'as in --wsgi wiki.py:application' },
    { words: ['--stack', 'nginx-uswgi-unix'], hint: 'Did you mean nginx-uwsgi-unix?' },
    { words: ['--path', '/x'], hint: 'name it by --wsgi or --app' },
    { words: ['--quick'], hint: "unknown option '--quick'" },
    { words: ['now'], hint: 'too many arguments' },
  ])('$words', async ({ words, hint }) => {
    const { code, stderr } = await runCli(['cost', 'verdict', ...words]);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });

  it('a file that can not be written', async () => {
    const { code, stderr } = await runCli(['cost', 'verdict', '--json', '/no/such/folder/cost.json']);
    expect(code).toBe(2);
    expect(stderr).toContain('--json');
    expect(existsSync('/no/such/folder')).toBe(false);
  });
});
