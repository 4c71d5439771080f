/** CPU of groups of processes, from made-up readings and of processes that burn it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { cpuBetween, cpuMissing, parseStat, readCpu, type CpuReading } from '../bench/cost/cpu.js';
import { heard, startChild } from './support/children.js';

type Times = CpuReading extends ReadonlyMap<number, infer T> ? T : never;

const times = (user: number, system: number, more: Partial<Times> = {}): Times => ({
  ...{ started: '1', parent: 1, self: { user, system }, children: { user: 0, system: 0 }, threads: new Map() },
  ...more,
});

const reading = (processes: Readonly<Record<number, Times>>): CpuReading =>
  new Map(Object.entries(processes).map(([pid, process]) => [Number(pid), process]));

test('a name with spaces and parentheses does not shift the fields', () => {
  const stat = '42 (a) b (c)) S 7 42 42 0 -1 4194560 100 0 0 0 5 3 20 10 20 0 1 0 123456 1000 200';
  expect(parseStat(stat)).toEqual({
    ...{ parent: 7, started: '123456' },
    ...{ self: { user: 50_000, system: 30_000 }, children: { user: 200_000, system: 100_000 } },
  });
});

describe('between two readings', () => {
  test('processes are added up', () => {
    const before = reading({ 5: times(10, 20), 6: times(100, 0) });
    const after = reading({ 5: times(15, 21), 6: times(150, 7) });
    expect(cpuBetween(before, after)).toEqual({ user: 55, system: 8 });
  });

  test('one that came counts whole', () => {
    expect(cpuBetween(reading({}), reading({ 5: times(10, 20) }))).toEqual({ user: 10, system: 20 });
  });

  test('another with the same number is another', () => {
    const after = reading({ 5: times(3, 4, { started: '2' }) });
    expect(cpuBetween(reading({ 5: times(100, 100) }), after)).toEqual({ user: 3, system: 4 });
  });

  test('one that went is in the account of its parent, less what it had used before', () => {
    const before = reading({ 5: times(0, 0), 6: times(40, 10, { parent: 5 }) });
    const after = reading({ 5: times(0, 0, { children: { user: 65, system: 11 } }) });
    expect(cpuBetween(before, after)).toEqual({ user: 25, system: 1 });
  });

  test('one that came and went too', () => {
    const after = reading({ 5: times(0, 0, { children: { user: 30, system: 5 } }) });
    expect(cpuBetween(reading({ 5: times(0, 0) }), after)).toEqual({ user: 30, system: 5 });
  });

  test('one that went, and whose parent is not of the group, is left out', () => {
    expect(cpuBetween(reading({ 6: times(40, 10) }), reading({}))).toEqual({ user: 0, system: 0 });
  });

  test('the sum is that of the threads, to the nanosecond, where all of them lived', () => {
    const before = reading({ 5: times(10_000, 0, { threads: new Map([['5', 10_000_000]]) }) });
    const threads = new Map([
      ['5', 31_000_000],
      ['7', 4_000_000],
    ]);
    const after = reading({ 5: times(20_000, 10_000, { threads }) });
    expect(cpuBetween(before, after)).toEqual({ user: 12_500, system: 12_500 });
    const gone = reading({ 5: times(20_000, 10_000, { threads: new Map([['7', 4_000_000]]) }) });
    expect(cpuBetween(before, gone)).toEqual({ user: 10_000, system: 10_000 });
  });

  test('an idle stretch has the split of the life before', () => {
    const before = reading({ 5: times(30_000, 10_000, { threads: new Map([['5', 40_000_000]]) }) });
    const after = reading({ 5: times(30_000, 10_000, { threads: new Map([['5', 40_800_000]]) }) });
    expect(cpuBetween(before, after)).toEqual({ user: 600, system: 200 });
  });
});

describe.skipIf(cpuMissing() !== undefined)('real processes', () => {
  test('what a process burns, and what its child has burnt', async () => {
    const child = startChild(
      'node:net',
      `
      const { execFileSync } = await import('node:child_process');
      const burn = (ms) => { const from = process.cpuUsage(); let used; do { used = process.cpuUsage(from); } while (used.user + used.system < ms * 1e3); };
      say('ready');
      await once(process.stdin, 'data');
      burn(300);
      execFileSync(process.execPath, ['-e', 'const f = process.cpuUsage(); let u; do { u = process.cpuUsage(f); } while (u.user + u.system < 200e3);']);
      say('burnt');
      process.stdin.resume();
      `,
    );
    const pid = child.pid ?? 0;
    expect(await heard(child)).toBe('ready');
    const before = readCpu([pid]);
    const burnt = heard(child);
    child.stdin?.write('go\n');
    await burnt;
    const { user, system } = cpuBetween(before, readCpu([pid]));
    // Of the child what it took to start is counted too; a thread that ends has the sum in steps of 10 ms.
    expect(user + system).toBeGreaterThan(480_000);
    expect(user + system).toBeLessThan(1_500_000);
  });

  test('a process that has ended is left out', async () => {
    const child = spawn('true');
    await once(child, 'close');
    expect(readCpu([child.pid ?? 0])).toEqual(new Map());
    expect(readCpu([process.pid]).get(process.pid)?.parent).toBe(process.ppid);
  });
});
