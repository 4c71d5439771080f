/** src/binding/addon.ts declares the addon's exports by hand: they must be what the addon has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { transportStatus } from 'nearwire';
import { BALANCE_PLACES } from '../../src/binding/objects.js';
import { SocketKind } from '../../src/binding/sockets.js';
import * as words from '../../src/binding/words.js';
import { childResult, type ChildResult } from '../support/children.js';
import { cleanup, socketPath } from '../support/sockets.js';

const source = ['addon', 'engine', 'objects']
  .map((file) => readFileSync(fileURLToPath(new URL(`../../src/binding/${file}.ts`, import.meta.url)), 'utf8'))
  .join('\n');

/** The member names of an interface declared in src/binding. */
function members(name: string): string[] {
  const body = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1] ?? '';
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:?]/gm)].map((match) => match[1] ?? '').sort();
}

describe('the border', () => {
  const { addon: file } = transportStatus();
  const addon = createRequire(import.meta.url)(file ?? '') as Record<string, () => object>;

  it('exports what is declared', () => {
    expect(Object.getOwnPropertyNames(addon).sort()).toEqual(members('NativeAddon'));
  });

  it('has an engine with the methods that are declared', () => {
    const engine = addon['createEngine']?.() ?? {};
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(engine)).filter((key) => key !== 'constructor');
    expect([...methods, ...Object.keys(engine)].sort()).toEqual(members('NativeEngine'));
  });

  it('has pages with the methods that are declared', () => {
    const page = addon['createPage']?.() ?? {};
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(page)).filter((key) => key !== 'constructor');
    expect(methods.sort()).toEqual(members('NativePage'));
  });

  it('has tallies with the methods that are declared', () => {
    const tally = addon['createTally']?.() ?? {};
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(tally)).filter((key) => key !== 'constructor');
    expect(methods.sort()).toEqual(members('NativeTally'));
  });

  it('has shared memory with the methods that are declared', () => {
    const balance = addon['createBalance']?.() ?? {};
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(balance)).filter((key) => key !== 'constructor');
    expect(methods.sort()).toEqual(members('NativeBalance'));
  });

  it('has the numbers and names that are declared, and as many counters', () => {
    expect(addon['abi']?.()).toEqual({
      nobody: words.NOBODY,
      completionWords: words.COMPLETION_WORDS,
      submissionWords: words.SUBMISSION_WORDS,
      resultWords: words.RESULT_WORDS,
      turnBeganOffset: words.TURN_BEGAN_OFFSET,
      blockBytes: words.BLOCK_BYTES,
      autoBuffer: words.AUTO_BUFFER,
      balancePlaces: BALANCE_PLACES,
      completions: words.Completion,
      shared: words.Shared,
      requestHead: words.RequestHead,
      uwsgiHead: words.UwsgiHead,
      socketKinds: SocketKind,
      engineCounters: words.ENGINE_COUNTERS,
      connectionCounters: words.CONNECTION_COUNTERS,
      serverCounters: words.SERVER_COUNTERS,
    });
    const tally = addon['createTally']?.() as Record<string, () => Float64Array>;
    expect(tally['totals']?.()).toHaveLength(words.SERVER_COUNTERS.length);
    const engine = addon['createEngine']?.() as Record<string, () => Float64Array>;
    expect(engine['counters']?.()).toHaveLength(words.ENGINE_COUNTERS.length);
  });

  it('has pages that refuse what comes out of turn', () => {
    const page = addon['createPage']?.() as Record<string, (...words: unknown[]) => unknown>;
    for (const call of ['append', 'seal', 'map']) expect(page[call]?.()).toBeLessThan(0);
    expect(page['read']?.(Buffer.alloc(5))).toBeLessThan(0);
    expect(page['reserve']?.()).toBe(0);
    expect(page['reserve']?.(5, 4)).toBeLessThan(0);
    const opened = page['open']?.() === 0;
    expect(page['append']?.('text')).toBe(opened ? 0 : -9);
    expect(page['append']?.(Buffer.from('bytes'))).toBe(opened ? 0 : -9);
    expect(page['read']?.(Buffer.alloc(6))).toBeLessThan(0);
    expect(page['seal']?.()).toBe(opened ? 0 : -9);
    expect(page['append']?.(Buffer.from('bytes'))).toBeLessThan(0);
    expect(page['close']?.()).toBeUndefined();
    expect(page['map']?.()).toBeLessThan(0);
  });

  it('refuses foreign receivers and stale ids without harm', () => {
    const engine = addon['createEngine']?.() as Record<string, (...words: unknown[]) => unknown>;
    expect(() => engine['queued']?.call({}, 1)).toThrow(TypeError);
    for (const id of [-1, 2 ** 31 - 1, Number.NaN, undefined, {}]) {
      expect(engine['queued']?.(id)).toBe(0);
      expect(engine['shutdown']?.(id)).toBeLessThan(0);
      expect(engine['peerAddress']?.(id)).toBeLessThan(0);
      expect(engine['close']?.(id, false)).toBeUndefined();
      expect(engine['writeLent']?.(id, [Buffer.from('x')])).toBeLessThan(0);
    }
  });

  it('takes what is no id for nobody, where the first is somebody', () => {
    const engine = addon['createEngine']?.() as Record<string, (...words: unknown[]) => unknown>;
    expect(engine['listen']?.({ path: socketPath() }, {})).toBe(0);
    for (const id of [Number.NaN, Infinity, -Infinity, 2 ** 32, -(2 ** 32), undefined, '0', null]) {
      expect(engine['setAcceptLimit']?.(id, 1)).toBeLessThan(0);
      engine['closeListener']?.(id);
    }
    expect(engine['listenerAddress']?.(0)).toMatchObject({ path: expect.any(String) as string });
    engine['closeListener']?.(0);
    expect(engine['listenerAddress']?.(0)).toBeLessThan(0);
  });

  it('refuses a splice from a connection to itself', () => {
    const engine = addon['createEngine']?.() as Record<string, (...words: unknown[]) => unknown>;
    const ids = (engine['openPair']?.() as number[]).map((end) => engine['adopt']?.(end, {}));
    const [one, other] = ids;
    expect(engine['splice']?.(one, one, -1)).toBe(-constants.errno.EINVAL);
    expect(engine['splice']?.(one, other, -1)).toBe(0);
    for (const id of ids) engine['close']?.(id, false);
  });

  it('has shared memory with as many places as are named, and refuses others', () => {
    const balance = addon['createBalance']?.() as Record<string, (...words: unknown[]) => number>;
    const engine = addon['createEngine']?.() as Record<string, (...words: unknown[]) => number>;
    const listener = engine['listen']?.({ path: socketPath() }, { backlog: 1, mode: -1 }) ?? -1;
    expect(listener).toBeGreaterThanOrEqual(0);
    // Not open yet.
    expect(engine['shareListener']?.(listener, balance, 0)).toBeLessThan(0);
    expect(balance['pack']?.()).toBeLessThan(0);
    expect(balance['unpack']?.(-1)).toBeLessThan(0);
    expect(balance['open']?.()).toBe(0);
    expect(balance['open']?.()).toBeLessThan(0);
    for (const place of [-1, BALANCE_PLACES, undefined]) {
      expect(engine['shareListener']?.(listener, balance, place)).toBeLessThan(0);
      balance['vacate']?.(place);
    }
    expect(engine['shareListener']?.(listener, {}, 0)).toBeLessThan(0);
    expect(engine['shareListener']?.(listener, balance, BALANCE_PLACES - 1)).toBe(0);
    expect(engine['shareListener']?.(listener, balance, 0)).toBeLessThan(0);
    engine['closeListener']?.(listener);
  });

  describe.each(['writeLent', 'writeParts'])('%s of an array with getters', (name) => {
    /** A connected channel of an engine of its own, and what its peer reads. */
    async function connected(): Promise<{
      engine: Record<string, (...words: unknown[]) => unknown>;
      id: unknown;
      peer: Socket;
    }> {
      const server = createServer();
      cleanup(() => server.close());
      server.listen(socketPath());
      await once(server, 'listening');
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      const engine = addon['createEngine']?.() as Record<string, (...words: unknown[]) => unknown>;
      const id = engine['connect']?.({ path: server.address() }, {});
      const [peer] = await accepted;
      cleanup(() => {
        engine['close']?.(id, false);
        peer.destroy();
      });
      return { engine, id, peer };
    }

    const trap = (first: Buffer, act: () => unknown): Buffer[] =>
      Object.defineProperty([first, first], 1, { get: act, enumerable: true });

    it('sends nothing of memory that one of them takes away', async () => {
      const { engine, id, peer } = await connected();
      const first = Buffer.from(new ArrayBuffer(100_000)).fill('a');
      const parts = trap(first, () => {
        structuredClone(first.buffer, { transfer: [first.buffer] });
        return Buffer.from('left');
      });
      expect(engine[name]?.(id, parts)).toBe(0);
      engine['writeLent']?.(id, [Buffer.from('.')]);
      const [data] = (await once(peer, 'data')) as [Buffer];
      expect(String(data)).toBe('left.');
    });

    it('sends nothing on a channel that one of them closes', async () => {
      const { engine, id, peer } = await connected();
      const parts = trap(Buffer.alloc(100_000), () => {
        engine['close']?.(id, false);
        return Buffer.alloc(3_000_000);
      });
      expect(engine[name]?.(id, parts)).toBe(-9);
      let bytes = 0;
      for await (const chunk of peer) bytes += (chunk as Buffer).length;
      expect(bytes).toBe(0);
    });

    it('passes on what one of them throws', async () => {
      const { engine, id } = await connected();
      const parts = trap(Buffer.alloc(10), () => {
        throw new Error('mine');
      });
      expect(() => engine[name]?.(id, parts)).toThrow('mine');
    });
  });
});

/** A module in a process of its own, and in a worker of it, with the addon as `addon`. */
async function runAlone(code: string): Promise<ChildResult> {
  const { addon: file } = transportStatus();
  const head = `import { createRequire } from 'node:module'; const addon = createRequire(import.meta.url)(${JSON.stringify(file)});
    const turn = () => new Promise((resolve) => setImmediate(resolve));`;
  const program = `${head}${code}`;
  const inWorker = `import { Worker } from 'node:worker_threads';
    const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(program.replaceAll('import.meta.url', "'/'"))}));
    new Worker(url).on('exit', (code) => console.log(JSON.stringify(code)));`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', `${inWorker}\n${program}`]);
  cleanup(() => child.kill('SIGKILL'));
  return childResult(child);
}

describe('engines that nobody holds', () => {
  it('may be collected, and end with their environment', async () => {
    const result = await runAlone(`
      const { constructor } = addon.createEngine();
      for (let i = 0; i < 50; i++) { const engine = new constructor(); engine.connect({ path: '/nowhere' }, {}); }
      for (let i = 0; i < 10; i++) { gc(); await turn(); }`);
    expect(result).toMatchObject({ code: 0, signal: null, stderr: '', said: [0] });
  });

  it('may fail to be made', async () => {
    const result = await runAlone(`
      Object.defineProperty(Object.prototype, 'layout', { configurable: true, set() { throw new Error('no layout'); } });
      let failed = 0;
      for (let i = 0; i < 50; i++) { try { addon.createEngine(); } catch { failed++; } }
      delete Object.prototype.layout;
      if (failed !== 50) throw new Error('made');
      for (let i = 0; i < 10; i++) { gc(); await turn(); }
      addon.createEngine();`);
    expect(result).toMatchObject({ code: 0, signal: null, stderr: '', said: [0] });
  });
});
