/** Requests split by layer, from made-up measurements. */
import { describe, expect, test } from 'vitest';

import type { Layer, Split } from '../bench/cost/model.js';
import { rowsOf, type Samples } from '../bench/cost/samples.js';
import { splitsOf } from '../bench/cost/split.js';
import { MadeUp, row, UWSGI_UNIX } from './support/cost-samples.js';

const NGINX = row('nginx', 'none');
const UWSGI = row('nginx-uwsgi-unix', 'python', UWSGI_UNIX);

const cpu = (user: number, system: number): { user: number; system: number } => ({ user, system });

function splitFor(samples: Samples, stack: string, of: Split['of']): Split | undefined {
  return splitsOf(samples).find((split) => split.stack === stack && split.of === of);
}

const layersOf = (split: Split | undefined): Partial<Record<Layer, number>> =>
  Object.fromEntries(split?.layers.map(({ layer, figure }) => [layer, figure.median]) ?? []);

/** nginx takes 5 (2 + 3) alone, and 17 (6 + 11) as a front; uWSGI takes 10 (7 + 3), 2 of them for the application. */
const whole = (): MadeUp =>
  new MadeUp()
    .stack(NGINX, 'hello', () => ({ time: 20, front: cpu(2, 3) }))
    .stack(UWSGI, 'hello', () => ({ time: 60, front: cpu(6, 11), app: cpu(7, 3) }))
    .hop(UWSGI_UNIX, 'hello', () => 14)
    .application('python', 'hello', 2);

describe('a stack with a front', () => {
  test('is split by the accounts of its processes and by subtraction', () => {
    const split = splitFor(whole().samples(), UWSGI.name, 'cpu');
    expect(layersOf(split)).toEqual({ front: 5, hop: 11 - 3 + 3, protocol: 6 - 2 + 7 - 2, application: 2 });
    expect(split?.whole.median).toBe(27);
  });

  test('has its hop measured apart, for a lone request', () => {
    const split = splitFor(whole().samples(), UWSGI.name, 'time');
    expect(layersOf(split)).toEqual({ front: 20, hop: 14, protocol: 60 - 20 - 14 - 2, application: 2 });
  });

  test.each(['cpu', 'time'] as const)('has layers that add up, and shares that add up to all, of %s', (of) => {
    const split = splitFor(whole().samples(), UWSGI.name, of);
    const sum = (values: (number | undefined)[]): number =>
      values.reduce<number>((total, value) => total + (value ?? NaN), 0);
    expect(sum(split?.layers.map(({ figure }) => figure.median) ?? [])).toBeCloseTo(split?.whole.median ?? NaN, 9);
    expect(sum(split?.layers.map(({ share }) => share.median) ?? [])).toBeCloseTo(1, 9);
  });

  test('tells how each was come by', () => {
    const split = splitFor(whole().samples(), UWSGI.name, 'cpu');
    expect(split?.layers.map(({ derivation }) => derivation)).toEqual([
      'nginx alone',
      "kernel's time of nginx-uwsgi-unix - of nginx alone",
      'user time of nginx-uwsgi-unix - of nginx alone - application',
      'the application, called alone',
    ]);
  });

  test('is put together again from what was never part of it', () => {
    const made = whole().crossCheck(UWSGI, 'hello', (round) => ({
      // The plain C server's own part, 14, is in both.
      time: { whole: 60, plain: 14, front: 44, app: 33 - round },
      cpu: { whole: 28, parts: 26 + round },
    }));
    const samples = made.samples();
    const check = splitFor(samples, UWSGI.name, 'cpu')?.crossCheck;
    expect(check).toMatchObject({ median: expect.closeTo(27 / 28, 9) as number, rounds: 3 });
    // Each round is a ratio by itself.
    expect(check?.low).toBeGreaterThan(0.5);
    expect(check?.high).toBeGreaterThan(1);
    expect(splitFor(samples, UWSGI.name, 'time')?.crossCheck?.median).toBeCloseTo((44 + 32 - 14) / 60, 9);
    expect(splitFor(whole().samples(), UWSGI.name, 'cpu')?.crossCheck).toBeUndefined();
  });

  test('takes the front with hello world where nginx alone can not do the work', () => {
    const made = whole()
      .stack(UWSGI, 'page', () => ({ time: 160, front: cpu(6, 11), app: cpu(107, 3) }))
      .application('python', 'page', 100);
    const split = splitsOf(made.samples()).find(({ work, of }) => work === 'page' && of === 'cpu');
    expect(layersOf(split)).toEqual({ front: 5, hop: 11, protocol: 11, application: 100 });
    expect(split?.layers[0]?.derivation).toBe('nginx alone, with hello world');
  });

  test('has no split where a part of it was not measured', () => {
    const noFront = new MadeUp()
      .stack(UWSGI, 'hello', () => ({ time: 60, front: cpu(6, 11), app: cpu(7, 3) }))
      .application('python', 'hello', 2);
    expect(splitsOf(noFront.samples())).toEqual([]);
    // On a system that tells no CPU there is the time.
    const noCpu = new MadeUp()
      .stack(NGINX, 'hello', () => ({ time: 20 }))
      .stack(UWSGI, 'hello', () => ({ time: 60 }))
      .hop(UWSGI_UNIX, 'hello', () => 14)
      .application('python', 'hello', 2);
    expect(splitsOf(noCpu.samples()).map(({ of }) => of)).toEqual(['time', 'time']);
  });

  test('says what is in the noise', () => {
    const made = new MadeUp(5)
      .stack(NGINX, 'hello', () => ({ time: 20 }))
      .stack(UWSGI, 'hello', () => ({ time: 60 }))
      .hop(UWSGI_UNIX, 'hello', (round) => [1, -1, 2, -2, 0][round] ?? 0)
      .application('python', 'hello', 2);
    const split = splitFor(made.samples(), UWSGI.name, 'time');
    expect(split?.layers.filter(({ inNoise }) => inNoise).map(({ layer }) => layer)).toEqual(['hop']);
  });
});

test('a stack without a front is its application and the rest', () => {
  const made = new MadeUp().stack(row('uwsgi-http', 'python'), 'hello', () => ({ time: 30, app: cpu(10, 5) }));
  const split = splitFor(made.application('python', 'hello', 2).samples(), 'uwsgi-http', 'cpu');
  expect(layersOf(split)).toEqual({ protocol: 13, application: 2 });
});

test("the hop of mod_wsgi's daemon is what the embedded application does not have", () => {
  const made = new MadeUp()
    .stack(row('apache-embedded', 'python'), 'hello', () => ({ time: 50, app: cpu(30, 10) }))
    .stack(
      row('apache-daemon', 'python', { family: 'unix', protocol: 'mod_wsgi', connections: 'close' }),
      'hello',
      () => ({ time: 90, front: cpu(30, 15), app: cpu(15, 10) }),
    )
    .application('python', 'hello', 2);
  expect(layersOf(splitFor(made.samples(), 'apache-daemon', 'cpu'))).toEqual({ protocol: 38, hop: 30, application: 2 });
  expect(layersOf(splitFor(made.samples(), 'apache-daemon', 'time'))).toEqual({
    protocol: 48,
    hop: 40,
    application: 2,
  });
});

test('rows are of what was measured', () => {
  const found = rowsOf(whole().samples()).find(({ stack }) => stack === UWSGI.name);
  expect(found).toMatchObject({ work: 'hello', latency: { median: 60, rounds: 3 }, p99: { median: 120 } });
  expect(found?.cpu).toMatchObject({
    front: { user: { median: 6 }, all: { median: 17 } },
    app: { all: { median: 10 } },
  });
});
