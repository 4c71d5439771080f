/** The memory of pages at the end of what made them: a process, a worker, whoever took their memory over. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { childResult, type ChildResult } from '../support/children.js';
import { cleanup, socketPath } from '../support/sockets.js';

const library = new URL('../../dist/bundle/index.js', import.meta.url).href;

const HEAD = `
  import { Worker, isMainThread, workerData, parentPort } from 'node:worker_threads';
  import { Page, connect, createServer } from ${JSON.stringify(library)};
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
  const thread = (code, data) => new Worker(new URL('data:text/javascript,' + encodeURIComponent(process.env.HEAD + code)), { workerData: data });
`;

function run(code: string, words: readonly string[] = []): Promise<ChildResult> {
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', HEAD + code, '--', ...words], {
    env: { ...process.env, HEAD },
  });
  cleanup(() => child.kill('SIGKILL'));
  return childResult(child);
}

const SIZES = [100, 65_536];

describe('what has made a page ends', () => {
  it.each(SIZES)('as a process: %i bytes', async (size) => {
    const end = await run(`say(Page.from(Buffer.alloc(${String(size)})).length);`);
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: [size] });
  });

  it.each(SIZES)('as a worker, with its views held: %i bytes', async (size) => {
    const end = await run(`
      const worker = thread(${JSON.stringify(`globalThis.held = Page.from(Buffer.alloc(${String(size)})); held.views = [held.bytes, held.subarray(1)];`)});
      worker.on('exit', (code) => { say(code); setImmediate(() => say('lives')); });`);
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: [0, 'lives'] });
  });

  it('as a worker, whose pages no longer count then', async () => {
    const end = await run(`
      const worker = thread(${JSON.stringify(`globalThis.held = Array.from({ length: 20 }, () => Page.from(Buffer.alloc(65536))); held.views = held.map((page) => page.bytes); parentPort.postMessage(Page.stats().pages);`)});
      worker.on('message', say);
      worker.on('exit', () => setImmediate(() => say([Page.stats().pages, Page.stats().bytes])));`);
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: [20, [0, 0]] });
  });

  it('as a worker that is terminated while it makes pages', async () => {
    const end = await run(`
      const worker = thread(${JSON.stringify(`for (const held = []; ; ) { held.push(Page.from(Buffer.alloc(16384))); if (held.length === 50) { held.length = 0; parentPort.postMessage(0); } }`)});
      worker.once('message', async () => { await worker.terminate(); say('lives'); });`);
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: ['lives'] });
  });

  // Each page has two mappings then: what the collector is told of them must not fall below what it counts by itself.
  it('as a process in which pages and their bytes have been collected', async () => {
    const end = await run(`
      for (let round = 0; round < 5; round++) {
        let pages = Array.from({ length: 20 }, () => Page.from(Buffer.alloc(8 << 20)));
        for (const page of pages) page.bytes;
        pages = undefined;
        gc();
        gc();
        await new Promise(setImmediate);
        gc();
      }
      say('lives');`);
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: ['lives'] });
  });

  it('as a process that has written one buffer again and again', async () => {
    const end = await run(
      `const body = Buffer.alloc(65536, 'a');
       const server = createServer((socket) => { for (let i = 0; i < 8; i++) socket.write(body); socket.end(); });
       server.listen(process.argv.at(-1), () => {
         let bytes = 0;
         connect(process.argv.at(-1)).on('data', (chunk) => (bytes += chunk.length)).on('end', () => { say(bytes); server.close(); });
       });`,
      [socketPath()],
    );
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: [8 * 65536] });
  });
});

/** From Node 22 on. */
const transfers = 'transfer' in ArrayBuffer.prototype;

describe.skipIf(!transfers)('memory of a page that a program has transferred', () => {
  const SUM = `
    const sum = (bytes) => bytes.reduce((total, byte) => total + byte, 0);`;

  it('outlives the page, and what it was taken from', async () => {
    const end = await run(`${SUM}
      let page = Page.from(Buffer.alloc(65536, 1));
      const memory = page.buffer.transfer();
      page = undefined;
      gc();
      setImmediate(() => { gc(); say(sum(new Uint8Array(memory))); });`);
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: [65536] });
  });

  it.each(['held', 'collected'])('outlives the thread that made the page, which is %s', async (fate) => {
    const end = await run(`${SUM}
      const worker = thread(${JSON.stringify(`
        const fate = '${fate}';
        let page = Page.from(Buffer.alloc(65536, 1));
        const memory = page.buffer.transfer();
        if (fate === 'held') globalThis.held = page;
        page = undefined;
        gc();
        setImmediate(() => parentPort.postMessage(memory, [memory]));`)});
      let memory;
      worker.on('message', (posted) => (memory = posted));
      worker.on('exit', () => setImmediate(() => {
        const bytes = new Uint8Array(memory);
        say(sum(bytes));
        bytes.fill(2);
        say(sum(bytes));
        memory = undefined;
        setImmediate(() => { gc(); say('lives'); });
      }));`);
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', said: [65536, 131072, 'lives'] });
  });
});
