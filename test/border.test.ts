/** src/native.ts declares the addon's exports by hand: they must be what the addon has. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { transportStatus } from 'nearwire';

const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../src/${file}`, import.meta.url)), 'utf8');
const source = read('native.ts');

/** The member names of an interface declared in src/native.ts. */
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

  it('has as many server counters as are named', () => {
    const tally = addon['createTally']?.() as Record<string, (...words: unknown[]) => Float64Array>;
    const names = /export const SERVER_COUNTERS = \[([\s\S]*?)\] as const/.exec(read('native-words.ts'))?.[1] ?? '';
    expect(tally['totals']?.()).toHaveLength([...names.matchAll(/'\w+'/g)].length);
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
});
