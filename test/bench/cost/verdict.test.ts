/** What figures are made to say. */
import { describe, expect, it } from 'vitest';

import { planOf, type CostChoice, type CostPlan } from '../../../bench/cost/plan.js';
import type { Samples } from '../../../bench/cost/run.js';
import { verdictOf, type ChainVerdict } from '../../../bench/cost/verdict.js';
import { renderCost } from '../../../bench/cost/verdict-text.js';
import type { Program } from '../../../bench/cost/model.js';
import type { ProgramName } from '../../../bench/cost/programs.js';
import { stackNamed } from '../../../bench/cost/stacks/index.js';
import { jsonWork, PAGE } from '../../../bench/cost/works.js';
import { NothingToRun } from '../../../bench/run.js';
import { measured, PLAN, resultOf, samplesOf, WORKS } from '../../support/verdicts.js';

function first(samples: Samples): ChainVerdict {
  const [verdict] = verdictOf(PLAN, { samples, waits: new Map(), calls: new Map() }, 32).chains;
  if (verdict === undefined) throw new Error('the chain has a verdict');
  return verdict;
}

describe('a verdict', () => {
  it('has layers that add up', () => {
    const { whole: all, layers, hop } = first(samplesOf(WORKS));
    expect(all.median).toBe(1417);
    expect(layers.map(({ layer, work }) => [layer, work.median])).toEqual([
      ['front', 19],
      ['hop', 21],
      ['server', 17],
      ['app', 1360],
    ]);
    expect(hop?.work.median).toBe(38);
    expect(hop?.share).toBeCloseTo(38 / 1417);
  });

  it('knows from which application on the hop is less than a tenth', () => {
    const { breakEven = 0, work } = first(samplesOf(WORKS)).hop ?? {};
    const hop = work?.median ?? 0;
    expect(hop / (breakEven + hop + 19)).toBeCloseTo(0.1);
  });

  it.each([
    [[19, 40, 57, 1421], 'no'],
    [[19, 40, 57, 181], 'partly'],
    [[19, 40, 57, 90], 'yes'],
  ] as const)('of %j, whether the hop is the bottleneck: %s', (works, expected) => {
    expect(first(samplesOf([...works, 0, 0])).hop?.isBottleneck).toBe(expected);
  });

  it('tells what a change is worth in requests a second', () => {
    const [tcp, nearwire] = verdictOf(PLAN, measured(WORKS), 32).changes;
    expect(tcp?.work.median).toBe(12);
    expect(tcp?.rate).toBeCloseTo(1417 / 1429 - 1);
    expect(nearwire?.work.median).toBe(-11);
    expect(nearwire?.rate).toBeCloseTo(1417 / 1406 - 1);
  });

  it('is of what has been measured', () => {
    expect(verdictOf(PLAN, measured(WORKS.slice(0, 5)), 32).changes.map(({ title }) => title)).toEqual(['TCP']);
    expect(verdictOf(PLAN, measured(WORKS.slice(0, 3)), 32)).toEqual({ chains: [], changes: [] });
  });

  it('stands on one screen, and leaves open what the figures leave open', () => {
    const run = measured([19, 40, 57, 1417, 69, 58], 1);
    const text = renderCost(resultOf(run, { failures: ['x: broke'], interrupted: true }));
    expect(text).toMatchInlineSnapshot(`
      "Work per request, with all processes on one processor.
      2 processors (a processor), Linux 6.18, Node 24.1.0; 2 min 40 s.

      nginx -> node:http over node:net, UNIX, kept connections

        A request takes 1.42 ms of work in total (± 39.4 us). Of that
          the application                              1.36 ms      96.0 %   ± 37.8 us
          the hop                                      38.5 us      2.72 %   ± 2.37 us
            forwarding, and a minimal server           21.5 us      1.52 %   ± 2.20 us
            what the app server adds                   17.5 us      1.24 %   ± 2.18 us
          nginx itself                                 19.5 us      1.38 %   ± 2.88 us

        Is the hop the bottleneck?  No. Without any hop this host would serve 2.79 % more.
        It is 10 % or more of the work for an application that takes less than 327 us; this one takes 1.36 ms.

        A single user waits 1.51 ms for it, with the app server on another processor; for nginx alone 83.0 us.
        System calls of a single request: nginx 4.0, the app server 2.3.

        What would change it (the hop is 38.5 us)  per request  requests/s
          TCP                                         +12.0 us     -0.84 %   ± 1.45 us
          nearwire/http                                 within   the noise   ± 1.41 us

      note: left out: x: broke
      note: interrupted, and therefore based on fewer sweeps

      "
    `);
    const lines = text.split('\n');
    expect(lines.length).toBeLessThan(40);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(110);
  });
});

describe('the layers', () => {
  it('have no figure where it may as well be none', () => {
    // The application does less than ours that does nothing.
    const text = renderCost(resultOf(measured([19, 40, 57, 56, 69, 46])));
    expect(text).toMatch(/^ +the application +within +the noise +± /m);
    expect(text).toContain('; this one is indistinguishable from one that does nothing.');
    expect(text).toMatch(/^ +nginx itself +19\.0 us/m);
  });
});

describe('what is measured', () => {
  const INSTALLED = ['nginx', 'uwsgi', 'uwsgi-python3', 'yaws', 'apache2', 'mod_wsgi', 'python3-markdown'] as const;
  const programsWithout = (...missing: ProgramName[]): ReadonlyMap<ProgramName, Program> =>
    new Map(
      INSTALLED.filter((name) => !missing.includes(name)).map((name) => [
        name,
        { name, file: `/usr/bin/${name}`, version: '1', install: '' },
      ]),
    );
  const CHOICE: CostChoice = {
    ...{ stacks: undefined, app: undefined, wsgi: undefined, ownPath: '/', work: undefined, bytes: undefined },
  };
  const NODE = 'nginx -> node:http over node:net, UNIX, kept connections';
  const UWSGI = 'nginx -> uWSGI (uwsgi protocol), UNIX';
  const WSGI = { file: '/srv/wiki.py', callable: 'application' };

  const planIt = (choice: Partial<CostChoice>, ...missing: ProgramName[]): Promise<CostPlan> =>
    planOf({ ...CHOICE, ...choice }, programsWithout(...missing), () => Promise.resolve(4321));
  const planned = async (choice: Partial<CostChoice>, ...missing: ProgramName[]): Promise<string[]> => {
    const { chains, changes, notes } = await planIt(choice, ...missing);
    return [
      ...chains.map(({ title, steps }) => `${title}: ${steps.map(({ layer }) => layer).join(' ')}`),
      ...changes.map(({ title }) => title),
      ...notes,
    ];
  };

  it('is Node behind nginx with what would change it, and uWSGI where it is installed', async () => {
    const changes = [
      'TCP instead of the UNIX socket',
      'a connection per request',
      'nearwire/http instead of node:http',
      'nearwire/uwsgi, a connection per request',
    ];
    expect(await planned({})).toEqual([`${NODE}: front hop server`, `${UWSGI}: front hop server`, ...changes]);
    expect(await planned({}, 'uwsgi')).toEqual([
      `${NODE}: front hop server`,
      ...changes,
      'nginx-uwsgi-unix is left out: not installed: apt-get install uwsgi',
    ]);
  });

  it('is the language of the application that is named', async () => {
    expect((await planned({ app: '/srv/app.js' }))[0]).toBe(`${NODE}: front hop server app`);
    expect(await planned({ app: '/srv/app.js' })).toHaveLength(5);
    expect(await planned({ wsgi: WSGI })).toEqual([`${UWSGI}: front hop server app`]);
    expect(await planned({ work: PAGE })).toEqual([`${UWSGI}: front hop server app`]);
  });

  it('answers as long as the application does, in all of its layers', async () => {
    const names = async (choice: Partial<CostChoice>): Promise<string[]> =>
      (await planIt(choice)).chains.flatMap(({ steps }) => steps.map(({ configuration }) => configuration.name));
    expect(await names({ wsgi: WSGI, ownPath: '/wiki' })).toEqual([
      'nginx /empty?bytes=4321',
      'nginx-c-unix-uwsgi-close /empty?bytes=4321',
      'nginx-uwsgi-unix /empty?bytes=4321',
      'nginx-uwsgi-unix /wiki',
    ]);
    expect((await names({ bytes: 0 }))[2]).toBe('nginx-node-unix-keep /empty?bytes=0');
    expect((await names({}))[2]).toBe('nginx-node-unix-keep /hello');
  });

  describe('of stacks that are named', () => {
    const stacks = ['yaws', 'nginx-uwsgi-tcp', 'nginx-node-unix-keep', 'apache-daemon', 'nginx-uwsgirouting-unix'].map(
      stackNamed,
    );
    const plannedOf = (choice: Partial<CostChoice>): Promise<string[]> => planned({ stacks, ...choice }, 'apache2');
    const APACHE = 'apache-daemon is left out: not installed: apt-get install apache2';
    const ROUTING = 'nginx -> uWSGI alone (internal routing), UNIX';

    it('is the first one, and the others against it', async () => {
      expect(await plannedOf({})).toEqual([
        'Yaws (Erlang) alone: server',
        'nginx -> uWSGI (uwsgi protocol), TCP',
        NODE,
        ROUTING,
        APACHE,
      ]);
      expect((await plannedOf({ stacks: stacks.toReversed() }))[0]).toBe(`${ROUTING}: front hop server`);
    });

    it('is what does what is asked for', async () => {
      const routing = 'nginx-uwsgirouting-unix is left out: it does not serve';
      expect((await plannedOf({ work: jsonWork(1) })).slice(-2)).toEqual([APACHE, `${routing} /json?ms=1`]);
      expect((await plannedOf({ bytes: 5 })).slice(-2)).toEqual([APACHE, `${routing} responses of 5 bytes`]);
      expect(await plannedOf({ work: PAGE })).toEqual([
        'nginx -> uWSGI (uwsgi protocol), TCP: front hop server app',
        'yaws is left out: it does not serve /page',
        'nginx-node-unix-keep is left out: it does not serve /page',
        APACHE,
        `${routing} /page`,
      ]);
    });

    it('is what runs the application of the first one', async () => {
      const two = ['nginx-uwsgi-tcp', 'nginx-node-unix-keep', 'uwsgi-http'].map(stackNamed);
      expect(await planned({ stacks: two, wsgi: WSGI })).toEqual([
        'nginx -> uWSGI (uwsgi protocol), TCP: front hop server app',
        'uWSGI as HTTP server alone',
        'nginx-node-unix-keep is left out: it does not run what nginx-uwsgi-tcp runs',
      ]);
    });
  });

  it('is nothing without nginx, or without what the named application needs', async () => {
    await expect(planned({}, 'nginx')).rejects.toThrow(NothingToRun);
    await expect(planned({ wsgi: WSGI }, 'uwsgi')).rejects.toThrow('apt-get install uwsgi');
    await expect(planned({ work: PAGE }, 'python3-markdown')).rejects.toThrow('apt-get install python3-markdown');
  });
});
