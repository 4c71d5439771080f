/** The handlers of case load, asked one by one: what a run of it measures is in bench-run.test.ts. */
import * as http from 'node:http';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { load } from '../../bench/cases/http.js';
import { commandWords } from '../../bench/cell-processes.js';
import type { Params } from '../../bench/model.js';
import { cleanup, freshAddress } from '../support/sockets.js';

const WORKER = fileURLToPath(new URL('../../bench/dist/worker.js', import.meta.url));

interface Served {
  ask(body?: string): Promise<{ status: number | undefined; body: string }>;
  /** A word on its stdin, and the number that it answers with. */
  tell(word: string): Promise<number>;
}

async function serve(params: Params): Promise<Served> {
  const { path } = freshAddress('unix');
  const words = ['serve', '--case', 'load', '--family', 'unix', '--address', path ?? '', '--subject', 'node:net'];
  const child = spawn(process.execPath, [
    '--expose-gc',
    WORKER,
    ...words,
    ...commandWords({ ...load.words, ...params }),
  ]);
  cleanup(async () => {
    child.stdin.end();
    await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, number>> =>
    JSON.parse(String((await lines.next()).value)) as Record<string, number>;
  await next();
  return {
    async ask(body) {
      const request = http.request({ socketPath: path, method: body === undefined ? 'GET' : 'POST' });
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      return { status: response.statusCode, body: await text(response) };
    },
    async tell(word) {
      child.stdin.write(`${word}\n`);
      return (await next())[word] ?? NaN;
    },
  };
}

describe('a handler of case load', () => {
  test('answers a JSON with what it parsed, as long as the client is told', async () => {
    const { ask } = await serve({ json: 1024 });
    const { words, body: sent = '' } = load.requestOf?.({ json: 1024 }) ?? {};
    const asked = String(sent);
    const { status, body } = await ask(asked);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual(JSON.parse(asked));
    expect(words).toEqual({ answer: Buffer.byteLength(body) });
  });

  test('has as many MB alive as it is told, and replaces some of them', async () => {
    const { ask, tell } = await serve({ heap: 100 });
    const before = await tell('held');
    expect(before).toBeGreaterThan(95e6);
    for (let i = 0; i < 50; i++) expect((await ask()).body).toBe('hello world\n');
    const after = await tell('held');
    expect(after).toBeGreaterThan(95e6);
    expect(after).toBeLessThan(1.1 * before);
  });

  test('burns CPU, and not time alone', async () => {
    const { ask, tell } = await serve({ compute: 20 });
    await ask();
    const before = await tell('cpu');
    for (let i = 0; i < 5; i++) await ask();
    expect((await tell('cpu')) - before).toBeGreaterThanOrEqual(100e3);
  });
});
