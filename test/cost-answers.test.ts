/** The sentences, from made-up measurements. */
import { expect, test } from 'vitest';

import { answersOf } from '../bench/cost/answers.js';
import type { Answer, Curve, Overload } from '../bench/cost/model.js';
import { splitsOf } from '../bench/cost/split.js';
import { MadeUp, row, UWSGI_TCP, UWSGI_UNIX } from './support/cost-samples.js';

const NGINX = row('nginx', 'none');
const UNIX = row('nginx-uwsgi-unix', 'python', UWSGI_UNIX);
const TCP = row('nginx-uwsgi-tcp', 'python', UWSGI_TCP);
const cpu = { user: 5, system: 5 };

interface More {
  readonly appMs?: number;
  readonly curves?: readonly Curve[];
  readonly overloads?: readonly Overload[];
}

function answers(made: MadeUp, { appMs = 5, curves = [], overloads = [] }: More = {}): Answer[] {
  const samples = made.samples();
  return answersOf({ samples, splits: splitsOf(samples), curves, overloads, appMs });
}

const textOf = (all: readonly Answer[], question: string): string | undefined =>
  all.find((answer) => answer.question.startsWith(question))?.text;

/** A little more in each round. */
const about =
  (value: number) =>
  (round: number): number =>
    value * (1 + (round - 1) / 1000);

const stacks = (): MadeUp =>
  new MadeUp()
    .stack(NGINX, 'hello', (round) => ({ time: about(100)(round), front: cpu }))
    .stack(UNIX, 'hello', (round) => ({ time: about(231)(round), front: cpu, app: cpu }))
    .stack(TCP, 'hello', (round) => ({ time: about(239)(round), front: cpu, app: cpu }))
    .hop(UWSGI_UNIX, 'hello', about(14))
    .hop(UWSGI_TCP, 'hello', about(22))
    .application('python', 'hello', 2);

test('what the hop costs', () => {
  const all = answers(stacks());
  expect(textOf(all, 'What does the hop cost')).toMatch(
    /^On this host a request through nginx to a Python app takes 231 us \(22\d to 23\d us\); the hop over a UNIX socket is 14.0 us \(13.\d to 14.\d us\) of it \(6.1 %\), over TCP 22.0 us \(21.\d to 22.\d us\) of it \(9.2 %\). With an application of 5 ms it is 0.3 % over a UNIX socket.$/,
  );
  expect(all[0]?.figures).toMatchObject({ hopUnix: { median: 14 }, hopTcp: { median: 22 } });
});

test('what it would be with another application', () => {
  const [answer] = answers(stacks(), { appMs: 50 });
  expect(answer?.text).toContain('With an application of 50 ms it is 0.0 % over a UNIX socket.');
  expect(answer?.figures['hopShareWith50MsApplication']?.median).toBeCloseTo(14 / (231 - 2 + 50_000), 6);
});

test('a hop that can not be told from nothing is said to be so', () => {
  const made = new MadeUp()
    .stack(NGINX, 'hello', () => ({ time: 100, front: cpu }))
    .stack(UNIX, 'hello', () => ({ time: 231, front: cpu, app: cpu }))
    .hop(UWSGI_UNIX, 'hello', (round) => [14, -20, 30][round] ?? 0)
    .application('python', 'hello', 2);
  const text = textOf(answers(made), 'What does the hop cost') ?? '';
  expect(text).toMatch(/the hop over a UNIX socket is inside the noise \(-\d+ to \d+ us\)\. $/);
  expect(text).not.toContain('TCP');
});

test('UNIX against TCP, for each size', () => {
  const made = stacks()
    .stack(UNIX, 'download', () => ({ time: 900, front: cpu, app: cpu }))
    .stack(TCP, 'download', () => ({ time: 850, front: cpu, app: cpu }));
  expect(textOf(answers(made), 'UNIX sockets or TCP')).toMatch(
    /hello world: 8.0\d? us \(.*\) less, and of CPU the same within the noise .*1 MiB body: 50.0 us \(4\d.\d to 5\d.\d us\) more/,
  );
});

test('comparisons are of what is there', () => {
  const made = stacks()
    .stack(row('nginx-uwsgirouting-unix', 'none', UWSGI_UNIX), 'hello', (round) => ({
      ...{ time: about(225)(round), front: cpu },
      app: { user: about(2)(round), system: 5 },
    }))
    .stack(row('yaws', 'erlang'), 'hello', () => ({ time: 120, app: { user: 14, system: 6 } }));
  const all = answers(made);
  expect(textOf(all, 'What does the step from uWSGI')).toMatch(
    /CPU a request, of the app: 10.0 us .* against 7.0\d? us .* 3.0\d? us .* more\./,
  );
  expect(textOf(all, 'Is an Erlang server')).toContain('A lone request: 120 us (120 to 120 us) against 231 us');
  expect(textOf(all, 'What does native code buy')).toBeUndefined();
  expect(textOf(all, "What does the IPC of mod_wsgi's daemon")).toBeUndefined();
});

test('a ratio of the app behind nginx', () => {
  const hop = { family: 'unix', protocol: 'http', connections: 'close' } as const;
  const made = new MadeUp()
    .stack(row('nginx-node-unix-close', 'node', hop), 'hello', () => ({
      time: 100,
      front: cpu,
      app: { user: 30, system: 20 },
    }))
    .stack(row('nginx-nearwire-unix-close', 'node', hop), 'hello', () => ({
      time: 90,
      front: cpu,
      app: { user: 15, system: 15 },
    }));
  expect(textOf(answers(made), 'What does native code buy: node:http behind nginx, a connection')).toContain(
    'CPU a request, of the app: 30.0 us (30.0 to 30.0 us) against 50.0 us (50.0 to 50.0 us), 0.60 x (0.60 to 0.60 x).',
  );
});

test('what a stack holds, and what breaks first', () => {
  const point = (offered: number, served: number, p99: number, errors = 0): Curve['points'][number] => ({
    ...{ offered, served, p50: p99 / 2, p99, errors },
  });
  const curve: Curve = {
    ...{ stack: UNIX.name, work: 'hello', holds: 20_000 },
    points: [point(10_000, 10_000, 200), point(20_000, 19_900, 900), point(30_000, 21_000, 400_000, 1200)],
  };
  const overload: Overload = {
    ...{ name: 'queue', family: 'unix', title: 'the listen queue', drive: 'nginx to an app' },
    ...{ at: { value: 2000, unit: 'requests a second' }, depth: { value: 129, limit: 128, unit: 'connections' } },
    ...{ error: '502, connect() failed (11: Resource temporarily unavailable)', setting: 'backlog: 511' },
  };
  const all = answers(stacks(), { curves: [curve], overloads: [overload] });
  expect(textOf(all, 'At which rate')).toBe(
    'nginx-uwsgi-unix holds 20.0 k/s, p99 900 us; offered 30.0 k/s it serves 21.0 k/s, p99 400 ms, 1,200 requests fail.',
  );
  expect(textOf(all, 'When does it become the bottleneck')).toBe(
    'Driven: nginx to an app. It breaks at 2,000 requests a second, with 129 of 128 connections. ' +
      'What a user sees: 502, connect() failed (11: Resource temporarily unavailable). What moves it: backlog: 511.',
  );
});

test('nothing measured, nothing said', () => {
  expect(answers(new MadeUp())).toEqual([]);
});
