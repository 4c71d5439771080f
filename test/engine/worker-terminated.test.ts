/**
 * A Worker is terminated within a call of Node-API. From then on every call that may run JS fails and throws nothing:
 * what takes its result for granted brings the whole process down, or leaves memory behind. Runs where the addon has a
 * gate in those calls (native/termination_gate.cc): in the build with sanitizers, whose report is part of the test.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { childResult } from '../support/children.js';
import { cleanup, socketPath } from '../support/sockets.js';
import { dirname } from 'node:path';

const hasGate = process.env['NEARWIRE_TERMINATION_GATE'] === '1';
const driver = fileURLToPath(new URL('../support/terminate-workers.mjs', import.meta.url));
const library = new URL('../../dist/bundle', import.meta.url).href;

/** The addon's load, the first engine and the first server: each call is a place of its own. */
const LAST_OF_START = 60;
/** More than the tour makes. */
const BEYOND = 100_000;
/** Of the calls after the start, which often are the same: one in so many. */
const STEP = 6;
const TIMEOUT_MILLIS = 180_000;

interface Outcome {
  terminated: number;
  end: string;
}

async function terminateWorkers(first: number, last: number, step: number): Promise<Outcome> {
  const words = [driver, library, dirname(socketPath()), first, last, step].map(String);
  const child = spawn(process.execPath, words);
  cleanup(() => child.kill('SIGKILL'));
  const result = await childResult(child);
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  return result.said[0] as Outcome;
}

describe.skipIf(!hasGate)('a Worker that is terminated within a call of Node-API', () => {
  it('takes nobody with it: each call of the start', { timeout: TIMEOUT_MILLIS }, async () => {
    const outcome = await terminateWorkers(1, LAST_OF_START, 1);
    expect(outcome).toEqual({ terminated: LAST_OF_START, end: 'terminated' });
  });

  it.each([1, 4])(
    'takes nobody with it: one call in six, from the one at place %i',
    { timeout: TIMEOUT_MILLIS },
    async (at) => {
      const outcome = await terminateWorkers(LAST_OF_START + at, BEYOND, STEP);
      expect(outcome.end).toBe('through');
      expect(outcome.terminated).toBeGreaterThan(30);
    },
  );
});
