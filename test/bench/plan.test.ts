import { describe, expect, test } from 'vitest';

import { commandWords } from '../../bench/cell-processes.js';
import { CASES } from '../../bench/cases/index.js';
import { idle, retained, rtt } from '../../bench/cases/messages.js';
import { detectSandbox } from '../../bench/host.js';
import type { BenchCase, Mode, SeriesResult, SubjectName } from '../../bench/model.js';
import { isOpenLoop, maximaOf, offeredTo } from '../../bench/offered.js';
import { coresApart } from '../../bench/placement.js';
import { Pacer, warmUpOf } from '../../bench/pacer.js';
import { makePlan, orderOf, takesPart, turnsOf, type Choice, type Means, type Plan } from '../../bench/plan.js';
import { sampleWarnings } from '../../bench/sample-warnings.js';
import { subjectNamed, SUBJECTS } from '../../bench/subjects.js';

const MEANS: Means = { missing: {}, descriptors: 20_000 };

function planOf(choice: Partial<Choice> = {}, means: Partial<Means> = {}): Plan {
  return makePlan({ mode: 'default', ...choice }, { ...MEANS, ...means });
}

const describeSeries = ({ series }: Plan): string[] =>
  series.map((entry) => `${entry.case.name} ${entry.family} ${JSON.stringify(entry.params)}`);

describe('a plan', () => {
  test('has the cells that acceptance asks for, once each and in enough rounds', () => {
    const plan = planOf();
    const series = describeSeries(plan);
    const asked = [
      ...[64, 4096, 65536].map((bytes) => `rtt unix {"bytes":${String(bytes)}}`),
      ...[4096, 65536, 1048576].map((bytes) => `bulk unix {"bytes":${String(bytes)}}`),
      'pipeline unix {"bytes":64,"window":256}',
      'fanin unix {"connections":64}',
      'churn unix {"bytes":64}',
      'http unix {"connections":32,"body":12,"keepAlive":true}',
      'http-close unix {"connections":32,"body":12,"keepAlive":false}',
      ...[65536, 1048576].flatMap((bytes) => [
        ...['download', 'upload'].map((way) => `http-body unix {"bytes":${String(bytes)},"way":"${way}"}`),
        ...['http-same', 'file', 'page'].map((name) => `${name} unix {"bytes":${String(bytes)}}`),
      ]),
      'relay unix {"bytes":65536}',
      'idle unix {"connections":10000}',
      'storm unix {"connections":4096}',
      ...[25, 75].map((percent) => `load unix {"compute":0,"load":${String(percent)}}`),
      'load unix {"compute":0.1,"load":50}',
      'load unix {"compute":0.1,"arrival":"burst","load":50}',
      'retained unix {"bytes":100,"chunks":10000}',
      'retained unix {"bytes":100,"chunks":1000,"every":64}',
      'retained unix {"bytes":100,"chunks":200,"every":512}',
    ];
    for (const entry of asked) expect(series.filter((found) => found === entry)).toEqual([entry]);
    for (const entry of plan.series) {
      const few = entry.family !== 'unix' || ['load', 'retained', 'http-same', 'idle'].includes(entry.case.name);
      expect(entry.rounds).toBeGreaterThanOrEqual(few ? 3 : 7);
    }
  });

  test.each<Mode>(['default', 'quick'])('of mode %s has every case and every subject over UNIX', (mode) => {
    const { series } = planOf({ mode });
    for (const benchCase of CASES) {
      expect(series.some((entry) => entry.case === benchCase)).toBe(!benchCase.onlyNamed);
    }
    const subjects = new Set(series.flatMap((entry) => (entry.family === 'unix' ? entry.subjects : [])));
    expect(subjects).toEqual(new Set(SUBJECTS.map(({ name }) => name)));
  });

  test('has js over UNIX, and over TCP where that is asked for', () => {
    const familiesOf = (choice: Partial<Choice>): Set<string> =>
      new Set(planOf(choice).series.flatMap(({ family, subjects }) => (subjects.includes('js') ? [family] : [])));
    expect(familiesOf({})).toEqual(new Set(['unix']));
    expect(familiesOf({ families: ['tcp'] })).toEqual(new Set(['tcp']));
  });

  test('keeps to what is chosen', () => {
    const plan = planOf({ cases: ['rtt', 'http'], subjects: ['native', 'node:net'], families: ['tcp'], rounds: 2 });
    expect(plan.rounds).toBe(2);
    expect(new Set(plan.series.map((entry) => entry.case.name))).toEqual(new Set(['rtt', 'http']));
    for (const { family, subjects } of plan.series) {
      expect(family).toBe('tcp');
      expect(subjects).toEqual(['native', 'node:net']);
    }
  });

  test('has the sizes that are asked for in the place of its own, with all else', () => {
    const choice = {
      cases: ['rtt', 'fanin', 'http-body', 'page', 'micro'],
      families: ['unix'],
      bytes: [1000, 20_000],
    } as const;
    const plan = planOf(choice);
    const sizes = choice.bytes.map(String);
    expect(describeSeries(plan).filter((name) => !name.startsWith('micro'))).toEqual([
      ...sizes.map((bytes) => `rtt unix {"bytes":${bytes}}`),
      'fanin unix {"connections":64}',
      ...sizes.flatMap((bytes) =>
        ['download', 'upload'].map((way) => `http-body unix {"bytes":${bytes},"way":"${way}"}`),
      ),
      'page unix {"bytes":20000}',
    ]);
    expect(plan.skipped).toEqual(['page: 1000 B left out, as it begins at 16 KiB']);
  });

  test('runs a family that is asked for, though the mode leaves it out', () => {
    expect(describeSeries(planOf({ mode: 'quick', cases: ['churn'], families: ['tcp'] }))).toEqual([
      'churn tcp {"bytes":64}',
    ]);
  });

  test.each([
    {
      missing: { floor: 'is not built' },
      cases: ['rtt', 'pipeline', 'bulk', 'storm', 'retained', 'micro'],
      subjects: ['channel', 'native', 'js', 'node:net', 'node:net tuned'],
      told: [
        'http: its load comes from the plain C program, which is not built',
        'c: the plain C program is not built',
      ],
    },
    {
      missing: { addon: 'no such file' },
      subjects: ['c', 'c-send', 'js', 'nginx', 'node:net', 'node:net tuned'],
      told: ['native: no such file', 'channel: no such file'],
    },
    {
      missing: { nginx: 'not there' },
      subjects: ['c', 'c-send', 'channel', 'js', 'native', 'node:net', 'node:net tuned'],
      told: ['nginx: not there'],
    },
  ])('without $missing leaves out what needs it, and says why', ({ missing, cases, subjects, told }) => {
    const { series, skipped } = planOf({}, { missing });
    const named = new Set(series.map((entry) => entry.case.name));
    expect(named).toEqual(new Set(cases ?? planOf().series.map((entry) => entry.case.name)));
    expect(new Set(series.flatMap((entry) => entry.subjects))).toEqual(new Set(subjects));
    for (const line of told) expect(skipped.filter((entry) => entry === line)).toEqual([line]);
  });

  test('has both ways of plain C and nginx where bytes can go by reference, in a few rounds', () => {
    const plan = planOf({ cases: ['file', 'page', 'relay'] });
    const roundsOf = (name: string, subject: SubjectName): number => {
      const series = plan.series.find((entry) => entry.case.name === name);
      if (!series) throw new Error(`no series of ${name}`);
      const rounds = Array.from({ length: plan.rounds }, (_, round) => orderOf(series, plan, round));
      return rounds.filter((subjects) => subjects.includes(subject)).length;
    };
    for (const name of ['file', 'page', 'relay']) {
      for (const subject of ['c', 'node:net', 'native'] as const) expect(roundsOf(name, subject)).toBe(7);
      for (const subject of ['c-send', 'js'] as const) expect(roundsOf(name, subject)).toBe(3);
      expect(roundsOf(name, 'nginx')).toBe(name === 'file' ? 3 : 0);
    }
  });

  test('has subjects come behind each other one equally often', () => {
    const subjects = ['native', 'js', 'node:net'] as const;
    const plan = planOf({ cases: ['http'], subjects, families: ['unix'], rounds: 6 });
    const [series] = plan.series;
    const pairs = new Map<string, number>();
    for (let round = 0; round < 6; round++) {
      const order = series ? orderOf(series, plan, round) : [];
      expect(order.toSorted()).toEqual(subjects.toSorted());
      for (const [at, subject] of order.slice(1).entries()) {
        const pair = `${String(order[at])} ${subject}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      }
    }
    expect(pairs.size).toBe(6);
    expect(new Set(pairs.values())).toEqual(new Set([2]));
  });

  test('has all loads where it is asked for them, the handlers at shares of one maximum each', () => {
    const { series } = planOf({ cases: ['load', 'http'], families: ['unix'] });
    const loads = series.filter(isOpenLoop);
    expect(loads.every((entry) => entry.case.name === 'load')).toBe(true);
    const maxima = maximaOf(series);
    const each = [10, 25, 50, 75, 90].map((percent) => [percent, undefined]);
    const shares = maxima.map(({ sharers }) => sharers.map(({ params }) => [params['load'], params['arrival']]));
    expect(shares).toEqual([each, [...each, [50, 'burst']], each, each, each]);
    expect(new Set(maxima.flatMap(({ sharers }) => sharers))).toEqual(new Set(loads));
    expect(loads[0] && offeredTo(loads[0], 1234.56)).toBe(123);
    const overTcp = planOf({ cases: ['load'], families: ['tcp'] }).series;
    expect(overTcp.map(({ params }) => params)).toEqual(loads.map(({ params }) => params));
  });

  test('warms up in windows what is compiled on the way, and once what is not', () => {
    const [c, native] = [subjectNamed('c', SUBJECTS), subjectNamed('native', SUBJECTS)];
    expect(warmUpOf(rtt, c, 'default')).toEqual({ window: 0.05 });
    expect(warmUpOf(idle, native, 'default')).toEqual({ window: 0 });
    const { window, longest = 0 } = warmUpOf(rtt, native, 'default');
    expect(longest).toBeGreaterThan(8 * window);
  });

  test('has the crowd where it is asked for by name, and no more connections than the system allows, and says so', () => {
    expect(describeSeries(planOf({ cases: ['crowd'] }))).toEqual(['crowd unix {"connections":10000,"bytes":1048576}']);
    const { series, skipped } = planOf({ cases: ['crowd', 'idle'] }, { descriptors: 1024 });
    expect(series.map(({ params }) => params)).toEqual([{ connections: 960, bytes: 1048576 }, { connections: 960 }]);
    expect(series[0]?.subjects).toEqual(['c', 'c-send', 'native', 'node:net']);
    for (const line of skipped) expect(line).toContain('960 connections instead of 10000');
  });

  test('has the growth where it is asked for by name, without what needs more descriptors than the system allows', () => {
    const plan = planOf({ cases: ['growth'] });
    expect(describeSeries(plan)).toEqual([
      ...[1, 16, 256, 4096].map((connections) => `growth unix {"connections":${String(connections)}}`),
      'growth unix {"connections":256,"idle":8192}',
    ]);
    for (const { rounds, subjects } of plan.series) {
      expect(rounds).toBe(7);
      expect(subjects).toEqual(['c', 'channel', 'native', 'js', 'node:net']);
    }
    const { series, skipped } = planOf({ cases: ['growth'] }, { descriptors: 4096 });
    expect(series.map(({ params }) => params['connections'])).toEqual([1, 16, 256]);
    expect(skipped).toEqual([
      expect.stringContaining('growth: 4096 connections are left out'),
      expect.stringContaining('growth: 8448 connections are left out'),
    ]);
  });
});

describe('rounds', () => {
  test('of a part are spread over all of them', () => {
    const part = (rounds: number, of: number): number[] =>
      Array.from({ length: of }, (_, round) => round).filter((round) => takesPart(rounds, of, round));
    expect(part(3, 7)).toEqual([0, 3, 5]);
    expect(part(1, 7)).toEqual([0]);
    expect(part(9, 7)).toHaveLength(7);
    for (let of = 1; of < 12; of++) {
      for (let rounds = 1; rounds <= of; rounds++) expect(part(rounds, of)).toHaveLength(rounds);
    }
  });
});

describe('the pacer', () => {
  /** So many cells of each case. */
  const pacerOf = (mode: Mode, cells: readonly [BenchCase, number][], more: Partial<Plan> = {}): Pacer => {
    const turns = cells.map(([benchCase, count]) => ({
      series: { case: benchCase, params: {}, family: 'unix' as const, subjects: [], rounds: 1 },
      ...{ round: 0, cells: Array.from({ length: count }, () => []) },
    }));
    return new Pacer({ ...planOf({ mode }), ...more }, turns, 0);
  };

  test('gives the cells what the budget leaves, within bounds', () => {
    const stretchOf = (count: number): number => pacerOf('quick', [[rtt, count]]).stretch(rtt, 0);
    expect(stretchOf(10)).toBe(0.4);
    expect(stretchOf(100_000)).toBe(0.1);
    // 114 s, less a reserve of 4 %, for 176 cells that are first taken to cost 0.3 s and their warm-up of 0.1 s.
    expect(stretchOf(176)).toBeCloseTo(0.222, 3);
  });

  test('knows that cases differ in what a cell costs, and keeps time for the dear ones', () => {
    const pacer = pacerOf('default', [
      [rtt, 400],
      [idle, 30],
    ]);
    for (let i = 0; i < 200; i++) pacer.took(rtt, 500, 0.4);
    pacer.took(idle, 5_050, 0.05);
    // 551.04 s less 300.5 s, less 29 times 5.05 s, for 200 cells that take 0.1 s more than their stretch.
    expect(pacer.stretch(rtt, 300_500)).toBeCloseTo(0.42, 3);
    expect(pacer.stretch(idle, 300_500)).toBe(0.05);
    expect(pacer.hasTimeFor(rtt, 5, 570_000)).toBe(true);
    expect(pacer.hasTimeFor(idle, 5, 570_000)).toBe(false);
  });

  test('gives all cases of a default run all their rounds, where a cell costs 0.15 s besides its warm-up', () => {
    const plan = planOf();
    const turns = turnsOf(plan);
    const pacer = new Pacer(plan, turns, 0);
    let now = 0;
    for (const { series, cells } of turns) {
      const { case: benchCase } = series;
      expect(pacer.hasTimeFor(benchCase, cells.length, now)).toBe(true);
      const stretch = pacer.stretch(benchCase, now);
      for (const [subject = ''] of cells) {
        const setup = benchCase === idle ? 1.6 : benchCase === retained ? 0.6 : 0;
        const { window, longest } = warmUpOf(benchCase, subjectNamed(subject, SUBJECTS), 'default');
        const milliseconds = 1e3 * (0.15 + setup + (longest === undefined ? window : 12 * window) + stretch);
        now += milliseconds;
        pacer.took(benchCase, milliseconds, stretch);
      }
    }
    // 10 minutes are promised.
    expect(now).toBeLessThan(575_000);
  });

  test('stops when time is up, but not if the user has named the rounds', () => {
    const bounded = pacerOf('quick', [[rtt, 100]]);
    expect(bounded.hasTimeFor(rtt, 5, 0)).toBe(true);
    expect(bounded.hasTimeFor(rtt, 5, 113_000)).toBe(false);
    expect(pacerOf('quick', [[rtt, 100]], { allRounds: true }).hasTimeFor(rtt, 5, 1e9)).toBe(true);
  });
});

test('who did not keep up with what was due is named, and nobody else', () => {
  const [series] = planOf({ cases: ['load'], mode: 'quick' }).series;
  if (!series) throw new Error('load has series');
  const behind: Readonly<Record<string, readonly boolean[]>> = { native: [false, true, true], 'node:net': [false] };
  const samples = Object.entries(behind).flatMap(([subject, rounds]) =>
    rounds.map((late, round) => ({ round, subject, values: {}, behind: late })),
  );
  const results: SeriesResult[] = [{ series, samples, offered: 1000 }];
  expect(sampleWarnings(results)).toEqual([
    'load no work at 10 % unix native fell behind what was due in 2 of 3 rounds',
  ]);
});

test('parameters are the command words of the peers', () => {
  expect(commandWords({ bytes: 64, keepAlive: false, way: 'upload' })).toEqual([
    ...['--bytes', '64', '--keep-alive', '0', '--way', 'upload'],
  ]);
});

test('a sandboxed kernel is told from a real one', () => {
  const said = (release: string, version = '#1 SMP PREEMPT_DYNAMIC Debian'): string =>
    `${release}\n${version}\nLinux version ${release}\nmodel name : AMD EPYC`;
  expect(detectSandbox(said('6.12.1-amd64'))).toBeNull();
  expect(detectSandbox(said('6.12.1', '#1 SMP Sun Jan 10 15:06:54 PST 2016'))).toBe('gVisor');
  expect(detectSandbox(said('4.4.0-19041-Microsoft'))).toBe('WSL 1');
  expect(detectSandbox(said('5.15.0-microsoft-standard-WSL2'))).toBeNull();
});

test('the server is on the last core that is allowed, and the client on another one', () => {
  const alone = (core: number): number[] => [core];
  expect(coresApart('Name:\tnode\nCpus_allowed_list:\t0-1\nMems', alone)).toEqual([1, 0]);
  expect(coresApart('Cpus_allowed_list:\t0,2-3,8\n', alone)).toEqual([8, 3]);
  expect(coresApart('Cpus_allowed_list:\t5\n', alone)).toEqual([5]);
  expect(coresApart('', alone)).toEqual([]);
  // Two threads of a core are one core, if there is another.
  const pairs = (core: number): number[] => [core & ~1, core | 1];
  expect(coresApart('Cpus_allowed_list:\t0-3\n', pairs)).toEqual([3, 1]);
  expect(coresApart('Cpus_allowed_list:\t0-1\n', pairs)).toEqual([1, 0]);
});
