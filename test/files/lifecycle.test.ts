/** The file of a listening socket, at the end of the thread or process that listens: gone where node's is. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { temporaryDirectory } from '../support/sockets.js';
import { native, reference, subjects, type Subject } from '../support/subjects.js';

const library = new URL('../../dist/bundle/index.js', import.meta.url).href;

/** A thread that listens at `at`, and then comes to the end that it is told of. */
const THREAD = `
import { parentPort, workerData } from 'node:worker_threads';
const { createServer } = await import(process.env.SUBJECT === 'node:net' ? 'node:net' : ${JSON.stringify(library)});
const { at, end } = workerData;
const server = createServer(() => undefined);
server.on('error', ({ code }) => parentPort.postMessage(code));
server.listen(at, () => parentPort.postMessage('listening'));
parentPort.once('message', () => {
  if (end === 'exit') process.exit();
  if (end === 'throw') throw new Error('the end');
  server.unref();
});
`;

/** A program that starts such threads. */
const PROGRAM = `
import { existsSync, renameSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
const [file, at, end] = process.argv.slice(1);
const start = async () => {
  const worker = new Worker(file, { workerData: { at, end }, execArgv: [] });
  worker.on('error', () => undefined);
  const [answer] = await once(worker, 'message');
  say(answer);
  return worker;
};
const stop = async (worker) => {
  const over = new Promise((resolve) => worker.once('exit', resolve));
  if (end === 'terminate') worker.terminate(); else worker.postMessage('end');
  await over;
};
`;

async function said(subject: Subject, code: string, at: string, end: string): Promise<unknown[]> {
  const file = join(temporaryDirectory(), 'thread.mjs');
  writeFileSync(file, THREAD);
  const result = await runChild(subject.name, PROGRAM + code, [file, at, end]);
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  return result.said;
}

const ENDS = ['terminate', 'exit', 'throw', 'unref'];

describe.each(subjects)('a socket file: $name', (subject) => {
  it.each(ENDS)('is gone with its thread, which ends by %s', async (end) => {
    const at = join(temporaryDirectory(), 'a.sock');
    const code = `
      await stop(await start());
      say(existsSync(at));
      await stop(await start());`;
    expect(await said(subject, code, at, end)).toEqual(['listening', false, 'listening']);
    expect(existsSync(at)).toBe(false);
  });

  it.each([
    ['ends by itself', `server.unref();`],
    ['is told to exit', `process.exit();`],
    ['ends by itself elsewhere', `process.chdir('/'); server.unref();`],
  ])('is what it is on node when a process %s', async (_, end) => {
    const left = async (at: Subject): Promise<boolean> => {
      const directory = temporaryDirectory();
      const code = `
        process.chdir(process.argv[1]);
        const server = createServer(() => undefined).listen('a.sock', () => { ${end} });`;
      expect(await runChild(at.name, code, [directory])).toMatchObject({ code: 0, signal: null, stderr: '' });
      return existsSync(join(directory, 'a.sock'));
    };
    // A relative path leads node to another place by then.
    const isLost = end.includes('chdir') && subject === native;
    expect(await left(subject)).toBe(isLost ? false : await left(reference));
  });
});

describe.runIf(subjects.includes(native))("a socket file that is somebody else's by now", () => {
  it.each(ENDS)('stays when the thread that was there before ends by %s', async (end) => {
    const at = join(temporaryDirectory(), 'a.sock');
    const code = `
      const first = await start();
      renameSync(at, at + '.old');
      const second = await start();
      await stop(first);
      say(existsSync(at));
      await stop(second);
      say(existsSync(at));`;
    expect(await said(native, code, at, end)).toEqual(['listening', 'listening', true, false]);
  });
});
