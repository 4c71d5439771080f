/** `nearwire cost`, measuring real stacks: two that work, one that fails, one that is not installed. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { cpuMissing } from '../bench/cost/cpu.js';
import type { CostOptions, CostResult, Stack } from '../bench/cost/model.js';
import { QUICK_STACKS } from '../bench/cost/quick.js';
import { runCost } from '../bench/cost/run.js';
import { stackNamed } from '../bench/cost/stacks/index.js';
import { parseCounts } from '../bench/cost/system-calls.js';
import { NothingToRun, type Progress } from '../bench/run.js';
import { requireOrSkip } from './support/requirements.js';
import { cleanup, temporaryDirectory } from './support/sockets.js';

const floor = requireOrSkip('floor');
const nginx = requireOrSkip('nginx');
const able = floor !== undefined && nginx !== undefined;

const failing: Stack = {
  ...{ name: 'failing', title: 'fails', language: 'node', hop: undefined, needs: [], works: ['hello'] },
  start: () => Promise.reject(new Error('it does not start')),
};
/** Serves until it is to be measured. */
const dying: Stack = {
  ...stackNamed('node-tcp'),
  name: 'dying',
  start: async (place) => {
    const running = await stackNamed('node-tcp').start(place);
    await running.stop();
    return running;
  },
};
const absent: Stack = { ...failing, name: 'absent', needs: ['bun'] };

function options(more: Partial<CostOptions> = {}): CostOptions {
  return {
    stacks: [stackNamed('nginx'), stackNamed('nginx-node-unix-close'), stackNamed('node-tcp')],
    ...{
      works: ['hello'],
      rounds: 2,
      quick: false,
      overloads: false,
      appMs: undefined,
      wsgi: undefined,
      app: undefined,
    },
    ...{ command: 'nearwire cost', signal: new AbortController().signal },
    onProgress: () => undefined,
    onWarning: () => undefined,
    ...more,
  };
}

describe.skipIf(!able)('a real run', () => {
  let result: CostResult;
  const progress: Progress[] = [];

  beforeAll(async () => {
    process.env['NEARWIRE_BUN'] = '/nowhere/bun';
    result = await runCost(
      options({
        stacks: [failing, ...options().stacks, dying, absent],
        onProgress: (step) => progress.push(step),
      }),
    );
    delete process.env['NEARWIRE_BUN'];
  }, 120_000);

  test('has a row for each stack that could be measured', () => {
    expect(result.rows.map(({ stack }) => stack)).toEqual(['nginx', 'nginx-node-unix-close', 'node-tcp']);
    for (const { latency, rate, p99 } of result.rows) {
      for (const figure of [latency, rate, p99]) {
        expect(figure).toMatchObject({ rounds: 2 });
        expect(figure.median).toBeGreaterThan(0);
        expect(figure.low).toBeLessThanOrEqual(figure.median);
      }
    }
  });

  test.skipIf(cpuMissing() !== undefined)('knows the CPU of each role', () => {
    const roles = result.rows.map(({ cpu }) => Object.keys(cpu).sort());
    expect(roles).toEqual([['front'], ['app', 'front'], ['app']]);
    const { front, app } = result.rows[1]?.cpu ?? {};
    // A connection for each request costs node far more than nginx needs to answer one by itself.
    expect(app?.all.median).toBeGreaterThan(result.rows[0]?.cpu.front?.all.median ?? NaN);
    expect((front?.user.median ?? 0) + (front?.system.median ?? 0)).toBeGreaterThan(0);
  });

  test('puts requests together again of other parts, in each round', () => {
    const checks = result.samples.crossChecks;
    expect(checks.map(({ stack, work, round }) => `${stack} ${work} ${String(round)}`)).toEqual([
      'nginx-node-unix-close hello 0',
      'nginx-node-unix-close hello 1',
    ]);
    for (const { time, cpu } of checks) {
      expect(Math.min(...Object.values(time), ...Object.values(cpu ?? {}))).toBeGreaterThan(0);
      // With the app there is more to do than with the plain C program in its place.
      expect(time.whole).toBeGreaterThan(time.front);
      expect(time.app).toBeGreaterThan(time.plain);
    }
  });

  test.skipIf(cpuMissing() !== undefined)('splits them, layers and all, and puts them together again', () => {
    const splits = result.splits.filter(({ stack }) => stack === 'nginx-node-unix-close');
    expect(splits.map(({ of }) => of).sort()).toEqual(['cpu', 'time']);
    for (const { layers, whole, crossCheck } of splits) {
      expect(layers.map(({ layer }) => layer)).toEqual(['front', 'hop', 'protocol', 'application']);
      expect(layers.reduce((sum, { figure }) => sum + figure.median, 0)).toBeCloseTo(whole.median, 6);
      // How near to 1 it is, is for a machine at rest.
      expect(crossCheck?.median).toBeGreaterThan(0);
    }
  });

  test.skipIf(requireOrSkip('strace') === undefined)('counts system calls, which tell what a hop is made of', () => {
    expect(result.systemCalls.map(({ stack, work }) => `${stack} ${work}`)).toEqual([
      ...['nginx hello', 'nginx-node-unix-close hello', 'node-tcp hello'],
    ]);
    const [alone, behind] = result.systemCalls.map(({ calls }) => calls);
    // A connection for each request: opened by the one, taken by the other.
    expect(behind?.front?.['connect']).toBeCloseTo(1, 1);
    expect(behind?.app?.['accept4']).toBeGreaterThan(0.9);
    expect(alone?.front).not.toHaveProperty('connect');
    expect(alone?.front?.['writev'] ?? alone?.front?.['sendto']).toBeCloseTo(1, 1);
  });

  test('has a curve of each, with rising rates', () => {
    expect(result.curves.map(({ stack }) => stack)).toEqual(['nginx', 'nginx-node-unix-close', 'node-tcp']);
    for (const { points } of result.curves) {
      const rates = points.map(({ offered }) => offered);
      expect(rates.length).toBeGreaterThan(1);
      expect(rates).toEqual(rates.toSorted((a, b) => a - b));
    }
  });

  test('answers what it can', () => {
    const questions = result.answers.map(({ question }) => question);
    expect(questions).toContain('What does the hop cost: nginx to a Node app by HTTP, a connection for each request?');
    expect(questions.some((question) => question.includes('Python'))).toBe(false);
    expect(result.answers[0]?.figures['hopUnix']?.median).toBeGreaterThan(0);
  });

  test('tells of what failed and of what is missing, and goes on', () => {
    expect(result.failures?.some((failure) => failure.startsWith('failing (2 rounds): it does not start'))).toBe(true);
    expect(result.failures?.some((failure) => /^dying hello.*connect ECONNREFUSED/.test(failure))).toBe(true);
    expect(result.missing).toEqual([
      { stack: 'absent', title: 'fails', reason: expect.stringContaining('not installed: ') as string },
    ]);
    expect(result.interrupted).toBe(false);
  });

  test('tells its progress', () => {
    expect(progress.length).toBeGreaterThan(10);
    expect(progress.every(({ done, total }) => done <= total)).toBe(true);
    expect(new Set(progress.map(({ label }) => label))).toContain('nginx-node-unix-close hello');
  });
});

test.skipIf(!able)('where strace may not look the run goes on, and says so', { timeout: 60_000 }, async () => {
  const strace = join(temporaryDirectory(), 'strace');
  const denied = 'strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted';
  writeFileSync(strace, `#!/bin/sh\n[ "$1" = --version ] && exit\necho '${denied}' >&2\nexit 1\n`, { mode: 0o755 });
  process.env['NEARWIRE_STRACE'] = strace;
  cleanup(() => delete process.env['NEARWIRE_STRACE']);
  const { systemCalls, notes, failures, rows } = await runCost(
    options({ stacks: [stackNamed('node-tcp'), stackNamed('node-unix')], rounds: 1 }),
  );
  expect([systemCalls, failures, rows.length]).toEqual([[], [], 2]);
  const told = notes.filter((note) => note.startsWith('system calls of'));
  expect(told).toEqual([`system calls of node-tcp hello were not counted: strace ended at once: ${denied}`]);
});

test.skipIf(!able)('a stack behind our proxy is put together of our proxy', { timeout: 60_000 }, async () => {
  // No nginx is there to be taken by mistake.
  process.env['NEARWIRE_NGINX'] = '/nowhere/nginx';
  cleanup(() => delete process.env['NEARWIRE_NGINX']);
  const proxied = QUICK_STACKS.filter(({ name }) => name === 'proxy-node-unix-keep');
  const { samples, failures } = await runCost(options({ stacks: proxied, rounds: 1 }));
  expect(failures).toEqual([]);
  expect(samples.crossChecks.map(({ stack }) => stack)).toEqual(['proxy-node-unix-keep']);
});

test('what strace counts is read', () => {
  const text = `    calls syscall
--------- ----------------
       12 epoll_wait
        5 writev
--------- ----------------
       17 total
`;
  expect(parseCounts(text)).toEqual({ epoll_wait: 12, writev: 5 });
  expect(parseCounts('')).toEqual({});
});

test.skipIf(floor === undefined)('with nothing to run it says what is missing', async () => {
  const nowhere: Stack = { ...failing, needs: ['bun'] };
  process.env['NEARWIRE_BUN'] = '/nowhere/bun';
  const run = runCost(options({ stacks: [nowhere] }));
  await expect(run).rejects.toThrow(NothingToRun);
  await expect(run).rejects.toThrow('failing: not installed: ');
  delete process.env['NEARWIRE_BUN'];
});

test.skipIf(!able)('a run that is ended early tells what it has, and leaves nothing', { timeout: 60_000 }, async () => {
  // Its folder for temporary files is its own, so that what is left in it is of this run.
  const folder = temporaryDirectory();
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = folder;
  cleanup(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
  const controller = new AbortController();
  let pid: number | undefined;
  let folders = 0;
  const watched: Stack = {
    ...stackNamed('node-tcp'),
    start: async (place) => {
      const running = await stackNamed('node-tcp').start(place);
      [pid] = running.pids('app');
      return running;
    },
  };
  const result = await runCost(
    options({
      stacks: [stackNamed('nginx'), watched],
      signal: controller.signal,
      onProgress({ label }) {
        if (label !== 'node-tcp hello') return;
        folders = readdirSync(folder).length;
        controller.abort();
      },
    }),
  );
  expect(result.interrupted).toBe(true);
  expect(result.rows.map(({ stack }) => stack)).toEqual(['nginx']);
  expect(pid).toBeDefined();
  expect(existsSync(`/proc/${String(pid)}`)).toBe(false);
  expect(folders).toBeGreaterThan(0);
  expect(readdirSync(folder)).toEqual([]);
});
