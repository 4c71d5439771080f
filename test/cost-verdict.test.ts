/** What figures are made to say. */
import { describe, expect, it } from 'vitest';

import { layersPlan, type LayersChoice } from '../bench/cost/layers/plan.js';
import type { LayerSamples } from '../bench/cost/layers/run.js';
import { verdictOf, type ChainVerdict } from '../bench/cost/layers/verdict.js';
import { renderLayersResult } from '../bench/cost/layers/verdict-text.js';
import type { Program, ProgramName } from '../bench/cost/model.js';
import { stackNamed } from '../bench/cost/stacks/index.js';
import { NothingToRun } from '../bench/run.js';
import { measured, PLAN, resultOf, samplesOf, WORKS } from './support/verdicts.js';

function first(samples: LayerSamples): ChainVerdict {
  const [verdict] = verdictOf(PLAN, { samples, waits: new Map() }, 32).chains;
  if (verdict === undefined) throw new Error('the chain has a verdict');
  return verdict;
}

describe('a verdict', () => {
  it('has layers that add up, without what the client costs', () => {
    const { whole: all, layers, hop, share } = first(samplesOf(WORKS));
    expect(all).toEqual({ median: 1417, low: 1417, high: 1417 });
    expect(layers.map(({ layer, work }) => [layer, work.median])).toEqual([
      ['front', 19],
      ['hop', 21],
      ['server', 17],
      ['app', 1360],
    ]);
    expect(hop.median).toBe(38);
    expect(share).toBeCloseTo(38 / 1417);
  });

  it('knows from which application on the hop is less than a tenth', () => {
    const { breakEven, hop } = first(samplesOf(WORKS));
    expect(hop.median / (breakEven + hop.median + 19)).toBeCloseTo(0.1);
  });

  it.each([
    [[4, 23, 44, 61, 1421], 'no'],
    [[4, 23, 44, 61, 181], 'partly'],
    [[4, 23, 44, 61, 90], 'yes'],
  ] as const)('of %j, whether the hop is the bottleneck: %s', (works, expected) => {
    expect(first(samplesOf([...works, 0, 0])).isBottleneck).toBe(expected);
  });

  it('tells what a change is worth in requests a second', () => {
    const [tcp, nearwire] = verdictOf(PLAN, measured(WORKS), 32).changes;
    expect(tcp?.work.median).toBe(12);
    expect(tcp?.rate).toBeCloseTo(1417 / 1429 - 1);
    expect(nearwire?.work.median).toBe(-11);
    expect(nearwire?.rate).toBeCloseTo(1417 / 1406 - 1);
  });

  it('is of what has been measured', () => {
    expect(verdictOf(PLAN, measured(WORKS.slice(0, 6)), 32).changes.map(({ title }) => title)).toEqual(['TCP']);
    expect(verdictOf(PLAN, measured(WORKS.slice(0, 4)), 32)).toEqual({ chains: [], changes: [] });
  });

  it('stands on one screen, and leaves open what the figures leave open', () => {
    const run = measured([4, 23, 44, 61, 1421, 1433, 1422], 1);
    const text = renderLayersResult(resultOf(run, { failures: ['x: broke'], interrupted: true }));
    expect(text).toMatchInlineSnapshot(`
      "Work of a request, all processes on one processor.
      2 processors (a processor), Linux 6.18, Node 24.1.0; 2 min 40 s.

      nginx -> node:http over node:net, UNIX, kept connections

        A request takes 1.42 ms of work in all (± 1.00 us). Of that
          the application                              1.36 ms      96.0 %   ± 1.50 us
          the hop                                      38.0 us      2.68 %   ± 1.00 us
            passed on, and a server at its least       21.5 us      1.52 %   ± 1.50 us
            what the app server adds                   17.0 us      1.20 %   ± 2.00 us
          nginx itself                                 19.5 us      1.38 %   ± 1.50 us

        Is the hop the bottleneck?  No. Without any hop this host would serve 2.76 % more.
        It is 10.0 % or more of the work for an application that takes less than 323 us; this one takes 1.36 ms.

        A lone user waits 1.51 ms for it, with the app server on another processor; for nginx alone 83.0 us.

        What would change it (the hop is 38.0 us)    a request  requests/s
          TCP                                         +12.5 us     -0.87 %   ± 1.50 us
          nearwire/http                               not told       apart   ± 1.50 us

      note: left out: x: broke
      note: ended before its time, and so of fewer sweeps

      "
    `);
    const lines = text.split('\n');
    expect(lines.length).toBeLessThan(40);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(110);
  });
});

describe('what is measured', () => {
  const programsWithout = (...missing: ProgramName[]): ReadonlyMap<ProgramName, Program> =>
    new Map(
      (['nginx', 'uwsgi', 'uwsgi-python3', 'yaws', 'apache2', 'mod_wsgi'] as const).map((name) => [
        name,
        {
          name,
          file: missing.includes(name) ? undefined : `/usr/bin/${name}`,
          version: '1',
          install: `apt-get install ${name}`,
        },
      ]),
    );
  const CHOICE: LayersChoice = { stacks: undefined, app: undefined, wsgi: undefined, ownPath: '/', appMs: undefined };
  const WSGI = { file: '/srv/wiki.py', callable: 'application' };
  const titles = (choice: Partial<LayersChoice>, ...missing: ProgramName[]): string[] => {
    const { plan, notes } = layersPlan({ ...CHOICE, ...choice }, programsWithout(...missing));
    return [...plan.chains.map(({ title, steps }) => `${title}: ${String(steps.length)}`), ...notes];
  };

  it('is Node behind nginx, and uWSGI where it is installed', () => {
    expect(titles({})).toEqual([
      'nginx -> node:http over node:net, UNIX, kept connections: 4',
      'nginx -> uWSGI (uwsgi protocol), UNIX: 4',
    ]);
    expect(titles({}, 'uwsgi')).toEqual([
      'nginx -> node:http over node:net, UNIX, kept connections: 4',
      'nginx -> uWSGI (uwsgi protocol), UNIX is left out: not installed: apt-get install uwsgi',
    ]);
  });

  it('is the language of the application that is named', () => {
    expect(titles({ app: '/srv/app.js' })).toEqual(['nginx -> node:http over node:net, UNIX, kept connections: 5']);
    expect(titles({ wsgi: WSGI })).toEqual(['nginx -> uWSGI (uwsgi protocol), UNIX: 5']);
  });

  it('is the first of the stacks that are named, and the others against it', () => {
    const stacks = ['yaws', 'nginx-uwsgi-tcp', 'nginx-node-unix-keep', 'apache-daemon', 'nginx-uwsgirouting-unix'].map(
      stackNamed,
    );
    const planOf = (choice: Partial<LayersChoice>): string[] => {
      const { plan, notes } = layersPlan({ ...CHOICE, stacks, ...choice }, programsWithout('apache2'));
      return [...plan.chains, ...plan.changes].map(({ title }) => title).concat(notes);
    };
    const apache = 'apache-daemon is left out: not installed: apt-get install apache2';
    expect(planOf({})).toEqual([
      'nginx -> uWSGI (uwsgi protocol), TCP',
      'Yaws (Erlang) alone',
      'nginx -> node:http over node:net, UNIX, kept connections',
      'nginx -> uWSGI that answers by itself (internal routing), UNIX',
      apache,
    ]);
    expect(planOf({ appMs: 1 })).toEqual([
      'nginx -> uWSGI (uwsgi protocol), TCP',
      'Yaws (Erlang) alone',
      'nginx -> node:http over node:net, UNIX, kept connections',
      apache,
      'nginx-uwsgirouting-unix is left out: it does not do what nginx-uwsgi-tcp is asked for',
    ]);
    expect(planOf({ wsgi: WSGI }).filter((line) => line.includes('left out'))).toHaveLength(4);
    expect(() => planOf({ stacks: [stackNamed('yaws')] })).toThrow('none of the stacks has nginx');
  });

  it('is nothing without nginx, or without what the named application needs', () => {
    expect(() => titles({}, 'nginx')).toThrow(NothingToRun);
    expect(() => titles({ wsgi: WSGI }, 'uwsgi')).toThrow('apt-get install uwsgi');
  });
});
