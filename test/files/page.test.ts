/** What a page is: a Buffer that cannot be changed, its memory, its limit. */
import { once } from 'node:events';
import { createReadStream, openSync, closeSync, writeSync, ftruncateSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { configure, Page } from 'nearwire';
import { collectUntil, mappedMemory, pageDescriptors, sealed } from '../support/pages.js';
import { requireOrSkip } from '../support/requirements.js';
import { nextTurn, pattern, temporaryDirectory } from '../support/sockets.js';

const MIB = 1024 * 1024;
const SMALL = Page.threshold - 1;
const library = fileURLToPath(new URL('../../dist/bundle/index.js', import.meta.url));
const defaultLimit = Page.stats().limit;

afterEach(() => {
  configure({ pageLimit: defaultLimit });
});

const none = (): boolean => Page.stats().pages === 0;

describe.each([
  ['small', SMALL],
  ['large', MIB + 1],
])('a %s page', (_, length) => {
  const bytes = pattern(length);

  it('is a Buffer with these bytes', () => {
    const page = Page.from(bytes);
    expect(page).toBeInstanceOf(Page);
    expect(page).toBeInstanceOf(Uint8Array);
    expect(page instanceof Buffer && Buffer.isBuffer(page)).toBe(true);
    expect(page.length).toBe(length);
    expect(page.equals(bytes)).toBe(true);
    expect(page.toString('latin1')).toBe(bytes.toString('latin1'));
    expect(Buffer.from(page).equals(bytes)).toBe(true);
    expect(Buffer.concat([page, page]).length).toBe(2 * length);
    expect(JSON.stringify(page.subarray(0, 3))).toBe(JSON.stringify(bytes.subarray(0, 3)));
    expect(JSON.stringify(page)).toBe(JSON.stringify(bytes));
  });

  it('is a copy', () => {
    const own = Buffer.from(bytes);
    const page = Page.from(own);
    own.fill(0);
    expect(page.equals(bytes)).toBe(true);
  });

  it('makes plain Buffers of parts of it', () => {
    const page = Page.from(bytes);
    const typed = Uint8Array.prototype;
    const made = [
      page.subarray(1, 5),
      typed.slice.call(page, 1, 5),
      typed.subarray.call(page, 1, 5),
      page.subarray(1, 5).map((byte) => byte),
      typed.filter.call(page, (_byte, index) => index > 0 && index < 5),
    ];
    for (const part of made) {
      expect(part).not.toBeInstanceOf(Page);
      expect(Buffer.isBuffer(part)).toBe(true);
      expect(bytes.subarray(1, 5).equals(part)).toBe(true);
    }
  });

  it('has bytes to write to, at no harm', () => {
    const page = Page.from(bytes);
    const view = page.bytes;
    expect(page.bytes).toBe(view);
    expect(view).not.toBeInstanceOf(Page);
    expect(Buffer.isBuffer(view)).toBe(true);
    expect(view.equals(bytes)).toBe(true);
    view.fill(0);
    expect(page.equals(bytes)).toBe(true);
    page[0] = 1 + (bytes[0] ?? 0);
    expect(view[0]).toBe(0);
    expect(page.bytes[1]).toBe(0);
  });

  it('is cloned as bytes, and cannot be transferred', async () => {
    const page = Page.from(bytes);
    const clone = structuredClone(page) as Uint8Array;
    expect(clone).not.toBeInstanceOf(Page);
    expect(bytes.equals(clone)).toBe(true);
    // Node 20 clones what may not be transferred, later ones refuse.
    try {
      structuredClone(page, { transfer: [page.buffer as ArrayBuffer] });
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError');
    }
    expect(page.equals(bytes)).toBe(true);
    const echo = `const { parentPort } = require('node:worker_threads');
      parentPort.once('message', (bytes) => parentPort.postMessage(bytes));`;
    const worker = new Worker(echo, { eval: true });
    worker.postMessage(page);
    const [posted] = (await once(worker, 'message')) as [Uint8Array];
    expect(posted).not.toBeInstanceOf(Page);
    expect(bytes.equals(posted)).toBe(true);
    await worker.terminate();
  });

  it('is made of several parts, of a string, of another page', () => {
    const half = length >> 1;
    const parts = [bytes.subarray(0, half), new Uint8Array(0), new Uint8Array(bytes.subarray(half))];
    expect(Page.from(parts).equals(bytes)).toBe(true);
    const text = 'ä€😀x'.repeat(length >> 3);
    expect(Page.from(text).toString()).toBe(text);
    expect(Page.from(Page.from(bytes)).equals(bytes)).toBe(true);
  });

  it('is made of a stream', async () => {
    const file = join(temporaryDirectory(), 'body');
    writeFileSync(file, bytes);
    expect((await Page.from(createReadStream(file))).equals(bytes)).toBe(true);
    const web = Readable.toWeb(createReadStream(file)) as unknown as AsyncIterable<Uint8Array>;
    expect((await Page.from(web)).equals(bytes)).toBe(true);
    const text = createReadStream(file, { encoding: 'latin1' });
    expect((await Page.from(text)).toString()).toBe(bytes.toString('latin1'));
    // One that brings its bytes in the same buffer each time.
    const same = Buffer.alloc(1000);
    async function* reusing(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < length; at += same.length) {
        await nextTurn();
        yield same.subarray(0, bytes.copy(same, 0, at));
      }
    }
    expect((await Page.from(reusing())).equals(bytes)).toBe(true);
  });

  it('is not made of a stream that fails', async () => {
    const failure = new Error('no more');
    const stream = Readable.from(
      (function* () {
        yield bytes;
        throw failure;
      })(),
    );
    await expect(Page.from(stream)).rejects.toBe(failure);
    expect(stream.destroyed).toBe(true);
    const wrong = Readable.from([bytes, 5]);
    await expect(Page.from(wrong as AsyncIterable<Uint8Array>)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(wrong.destroyed).toBe(true);
    const early = Readable.from([bytes]);
    early.destroy();
    await expect(Page.from(early)).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });
});

describe('a page', () => {
  it('may be empty', async () => {
    for (const page of [
      Page.from(''),
      Page.from([]),
      Page.from(new Uint8Array(0)),
      await Page.from(Readable.from([])),
    ]) {
      expect(page.length).toBe(0);
      expect(page.bytes.length).toBe(0);
    }
  });

  it('is made by Page.from alone, of what is bytes', () => {
    const make = Page as unknown as new (length: number) => unknown;
    expect(() => new make(5)).toThrow(expect.objectContaining({ code: 'ERR_ILLEGAL_CONSTRUCTOR' }));
    for (const wrong of [undefined, null, 5, {}, [5], ['text'], new ArrayBuffer(5), new Uint16Array(5)]) {
      const call = (): unknown => Page.from(wrong as Uint8Array);
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' }));
    }
  });
});

describe('the memory of pages', () => {
  it('is freed with the last of the page, its bytes, and parts of it', async () => {
    await collectUntil(none);
    await collectUntil(() => mappedMemory() === 0);
    const files = pageDescriptors().length;
    const SIZE = 32 * MIB;
    let parts: unknown[] = [];
    const make = (): void => {
      const page = Page.from(Buffer.alloc(SIZE, 'x'));
      parts = [page.subarray(5, 6), page.bytes.subarray(5, 6)];
    };
    make();
    expect(Page.stats()).toMatchObject({ pages: 1, bytes: SIZE });
    if (sealed) {
      expect(pageDescriptors().length).toBe(files + 1);
      // As a page, and as bytes to write to.
      expect(mappedMemory()).toBe(2 * SIZE);
      // A part needs the memory, not the descriptor.
      await collectUntil(() => pageDescriptors().length === files);
      expect(Page.stats().pages).toBe(1);
      expect(mappedMemory()).toBe(2 * SIZE);
    }
    parts.length = 1;
    parts = parts.slice();
    await nextTurn();
    parts = [];
    await collectUntil(none);
    expect(pageDescriptors().length).toBe(files);
    expect(Page.stats().bytes).toBe(0);
    // Newer nodes finalize memory a while after they have collected it.
    await collectUntil(() => mappedMemory() === 0);
  });

  it('is known to the collector', async () => {
    const SIZE = 32 * MIB;
    // What is left of tests before this one must not go in its midst.
    await collectUntil(() => none() && process.memoryUsage().external < SIZE);
    const source = Buffer.alloc(SIZE);
    const before = process.memoryUsage().external;
    let page: Page | undefined = Page.from(source);
    expect(page.length).toBe(SIZE);
    const made = process.memoryUsage().external - before;
    expect(made).toBeGreaterThan(SIZE * 0.9);
    expect(made).toBeLessThan(SIZE * 1.1);
    page = undefined;
    await collectUntil(() => none() && process.memoryUsage().external - before < SIZE * 0.1);
  });

  it('of garbage is found without being asked for', async () => {
    const source = Buffer.alloc(8 * MIB);
    let most = 0;
    for (let i = 0; i < 100; i++) {
      Page.from(source);
      await nextTurn();
      most = Math.max(most, Page.stats().pages);
    }
    expect(most).toBeLessThan(60);
  });

  it.runIf(sealed)('is sealed', () => {
    const known = pageDescriptors();
    const page = Page.from(pattern(MIB));
    const fd = pageDescriptors().find((name) => !known.includes(name)) ?? '';
    const file = openSync(`/proc/self/fd/${fd}`, 'r+');
    expect(() => writeSync(file, 'x', 0)).toThrow(expect.objectContaining({ code: 'EPERM' }));
    expect(() => {
      ftruncateSync(file, 0);
    }).toThrow(expect.objectContaining({ code: 'EPERM' }));
    expect(() => {
      ftruncateSync(file, 2 * MIB);
    }).toThrow(expect.objectContaining({ code: 'EPERM' }));
    closeSync(file);
    expect(readFileSync(`/proc/self/fd/${fd}`).equals(page)).toBe(true);
  });

  it('is ordinary where a page is small', async () => {
    await collectUntil(none);
    const pages = [Page.from(Buffer.alloc(SMALL)), await Page.from(Readable.from([Buffer.alloc(SMALL)]))];
    expect(Page.stats()).toMatchObject({ pages: 0, bytes: 0 });
    expect(pages.length).toBe(2);
  });

  it.each([
    ['under js', { NEARWIRE_TRANSPORT: 'js' }, 'the transport of this process is js'],
    ['without the addon', { NEARWIRE_ADDON: '/nowhere' }, 'the addon is not available'],
  ])('is ordinary %s, and accounted for', (_, env, reason) => {
    const code = `
      import { Page, configure } from ${JSON.stringify(library)};
      import { Readable } from 'node:stream';
      let page = Page.from(Buffer.alloc(100_000, 'x'));
      page.bytes.fill(0);
      configure({ pageLimit: 200_000 });
      const codes = [];
      try { Page.from(Buffer.alloc(100_001)) } catch (error) { codes.push(error.code) }
      const stream = Readable.from([Buffer.alloc(50_000), Buffer.alloc(50_001)]);
      await Page.from(stream).catch((error) => codes.push(error.code));
      const { pages, bytes, ordinary, reason } = Page.stats();
      const byte = page[5];
      page = undefined;
      for (let i = 0; i < 100 && Page.stats().pages > 0; i++) {
        gc();
        await new Promise(setImmediate);
      }
      console.log(JSON.stringify({ byte, pages, bytes, ordinary, reason, codes, left: Page.stats().bytes }));
    `;
    const words = ['--expose-gc', '--input-type=module', '-e', code];
    const { stdout, stderr } = spawnSync(process.execPath, words, { env: { ...process.env, ...env } });
    expect(stderr.toString()).toBe('');
    const codes = ['ERR_NEARWIRE_PAGE_LIMIT', 'ERR_NEARWIRE_PAGE_LIMIT'];
    const expected = { byte: 120, pages: 1, bytes: 100_000, ordinary: 1, codes, left: 0 };
    expect(JSON.parse(stdout.toString())).toEqual({ ...expected, reason });
  });

  it('goes with its thread', async () => {
    await collectUntil(none);
    const files = pageDescriptors().length;
    const code = `
      import { Page } from ${JSON.stringify(pathToFileURL(library))};
      import { parentPort } from 'node:worker_threads';
      globalThis.pages = Array.from({ length: 10 }, () => Page.from(Buffer.alloc(1024 * 1024)));
      globalThis.views = globalThis.pages.map((page) => page.bytes);
      parentPort.postMessage(Page.stats().pages);
      setInterval(() => {}, 1000);
    `;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    expect(await once(worker, 'message')).toEqual([10]);
    expect(Page.stats()).toMatchObject(sealed ? { pages: 10, bytes: 10 * MIB } : {});
    await worker.terminate();
    expect(Page.stats()).toMatchObject({ pages: 0, bytes: 0 });
    expect(pageDescriptors().length).toBe(files);
  });
});

describe('the limit of pages', () => {
  it('refuses before memory is taken', async () => {
    await collectUntil(none);
    configure({ pageLimit: 2 * MIB });
    const kept = [Page.from(Buffer.alloc(MIB)), Page.from(Buffer.alloc(MIB))];
    const files = pageDescriptors().length;
    const full = expect.objectContaining({ code: 'ERR_NEARWIRE_PAGE_LIMIT' }) as Error;
    expect(() => Page.from(Buffer.alloc(Page.threshold))).toThrow(full);
    expect(Page.from(Buffer.alloc(SMALL)).length).toBe(SMALL);
    const stream = Readable.from([Buffer.alloc(SMALL), Buffer.alloc(SMALL)]);
    await expect(Page.from(stream)).rejects.toThrow(full);
    expect(stream.destroyed).toBe(true);
    expect(pageDescriptors().length).toBe(files);
    expect(Page.stats()).toMatchObject({ pages: 2, bytes: 2 * MIB, limit: 2 * MIB });
    kept.length = 0;
    await collectUntil(none);
    expect(Page.from(Buffer.alloc(2 * MIB)).length).toBe(2 * MIB);
  });

  it('meets a stream in its midst, and gives back what it took', async () => {
    await collectUntil(none);
    configure({ pageLimit: MIB });
    const files = pageDescriptors().length;
    const stream = Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(100_000)));
    await expect(Page.from(stream)).rejects.toMatchObject({ code: 'ERR_NEARWIRE_PAGE_LIMIT' });
    expect(Page.stats()).toMatchObject({ pages: 0, bytes: 0 });
    expect(pageDescriptors().length).toBe(files);
  });

  it('is checked, and may come from the environment', () => {
    for (const wrong of [-1, 1.5, Number.NaN, 'x', 2 ** 53]) {
      expect(() => {
        configure({ pageLimit: wrong as number });
      }).toThrow();
    }
    const code = `import { Page } from ${JSON.stringify(library)}; console.log(Page.stats().limit)`;
    const limit = (value: string): { out: string; error: string } => {
      const env = { ...process.env, NEARWIRE_PAGE_LIMIT: value };
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env });
      return { out: stdout.toString().trim(), error: stderr.toString() };
    };
    expect(limit('12345').out).toBe('12345');
    expect(limit('').out).toBe(String(defaultLimit));
    expect(limit('many').error).toContain('ERR_INVALID_ARG_VALUE');
  });
});

const strace = requireOrSkip('strace');

describe.runIf(sealed && strace !== undefined)('where the system refuses', () => {
  const code = `
    import { Page } from ${JSON.stringify(library)};
    import { Readable } from 'node:stream';
    const bytes = Buffer.alloc(100_000, 'x');
    const of = async (body) => {
      try {
        const page = await Page.from(body);
        page.bytes.fill(0);
        return page.equals(bytes);
      } catch (error) { return error.message }
    };
    const answers = [await of(bytes), await of(Readable.from([bytes.subarray(0, 50_000), bytes.subarray(50_000)]))];
    const { ordinary, reason, pages } = Page.stats();
    console.log(JSON.stringify({ answers, ordinary, reason, pages }));
  `;
  const run = (...injections: string[]): unknown => {
    const inject = injections.flatMap((injection) => ['-e', `inject=${injection}`]);
    const trace = ['-e', `trace=${injections.map((injection) => injection.split(':')[0]).join()}`];
    const words = ['-f', '-o', '/dev/null', ...trace, ...inject, process.execPath, '--input-type=module', '-e', code];
    const { stdout, stderr } = spawnSync(strace ?? '', words);
    return JSON.parse(stdout.toString() || JSON.stringify(stderr.toString())) as unknown;
  };

  it.each(['ENOSYS', 'EPERM', 'EMFILE', 'ENOMEM'])('memory files with %s, pages are ordinary', (error) => {
    expect(run(`memfd_create:error=${error}`)).toEqual({ answers: [true, true], ordinary: 2, reason: error, pages: 2 });
  });

  it('the flag of newer kernels, the older ones do', () => {
    expect(run('memfd_create:error=EINVAL:when=1')).toMatchObject({ answers: [true, true], ordinary: 0 });
  });
});

describe.runIf(sealed)('what the system has no room for', () => {
  it('is an error', () => {
    const code = `
      import { Page } from ${JSON.stringify(library)};
      try { Page.from(Buffer.alloc(1_000_000)) } catch (error) { console.log(error.message, Page.stats().pages) }
    `;
    // A limit for files, in KiB; memory files are some.
    const words = ['-c', `ulimit -f 512 && exec "$0" --input-type=module -e "$1"`, process.execPath, code];
    const { stdout } = spawnSync('bash', words);
    expect(stdout.toString()).toBe('pwrite EFBIG 0\n');
  });
});
