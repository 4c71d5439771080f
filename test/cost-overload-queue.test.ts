/** The listen queue, filled behind a real nginx until it overflows. */
import { describe, expect, it } from 'vitest';
import type { Program, ProgramName } from '../bench/cost/model.js';
import { runOverloads } from '../bench/cost/overload/index.js';
import { hasDiagnosis } from './support/listeners.js';
import { driven, moveOf } from './support/overloads.js';
import { requireOrSkip } from './support/requirements.js';

const nginx = requireOrSkip('nginx');
const unshare = process.platform === 'linux' ? requireOrSkip('unshare') : undefined;

const uwsgi = requireOrSkip('uwsgi');

/** It is CPU that is used up here: on a busy machine it takes its time. */
const TIMEOUT = 90_000;

describe.skipIf(nginx === undefined || !hasDiagnosis)('the listen queue', { timeout: TIMEOUT }, () => {
  it('overflows over a UNIX socket: 502, and a longer one at a higher rate', async () => {
    const { overloads, failures, steps } = await driven('queue-unix');
    expect(failures).toEqual([]);
    expect(steps.length).toBeGreaterThan(3);
    const [queue] = overloads;
    expect(overloads).toHaveLength(1);
    expect(queue).toMatchObject({ name: 'queue', family: 'unix', depth: { value: 9, limit: 8 } });
    expect(queue?.error).toMatch(
      /^502 for \d+ of \d+ requests; nginx: \[error\] connect\(\) to unix:\S+ failed \(11: Resource temporarily unavailable\) while connecting to upstream/,
    );
    expect(moveOf(queue, 'backlog: 256').at?.value).toBeGreaterThan(queue?.at.value ?? Infinity);
    expect(moveOf(queue, 'nearwire/http').seen).toMatch(/200 for all \d+/);
    if (unshare === undefined) return;
    // Half of the longer one was allowed, then the whole.
    const limit = moveOf(queue, 'somaxconn');
    expect(limit.seen).toContain('128 cuts a backlog of 256 to 128, and this leaves it at 256');
    expect(limit.at).toEqual({ value: 256, unit: 'connections' });
  });

  it.skipIf(uwsgi === undefined)('overflows before uWSGI, whose own is short', async () => {
    const { overloads, failures } = await driven('queue-uwsgi');
    expect(failures).toEqual([]);
    const [queue] = overloads;
    expect(queue).toMatchObject({ name: 'queue', family: 'unix', depth: { value: 9, limit: 8 } });
    expect(queue?.error).toMatch(
      /^502 for \d+ of \d+ requests; nginx: \[error\] connect\(\) to unix:\S+ failed \(11: /,
    );
    expect(moveOf(queue, 'listen = 256').at?.value).toBeGreaterThan(queue?.at.value ?? Infinity);
  });

  it('overflows over TCP: no error, but seconds, and the kernel counts', async () => {
    const { overloads, failures } = await driven('queue-tcp');
    expect(failures).toEqual([]);
    const [queue] = overloads;
    expect(queue).toMatchObject({ name: 'queue', family: 'tcp', depth: { value: 9, limit: 8 } });
    const [, late, slowest, dropped, bad] =
      /^none: 200 for all \d+, (\d+) of them after a second or more, the slowest after (\S+) s, TcpExt ListenOverflows \(nstat -az\) rose by (\d+); with proxy_connect_timeout 500ms 504 for (\d+) of \d+ requests; nginx: \[error\] upstream timed out \(110: Connection timed out\) while connecting to upstream/.exec(
        queue?.error ?? '',
      ) ?? [];
    for (const figure of [late, dropped, bad]) expect(Number(figure)).toBeGreaterThan(0);
    expect(Number(slowest)).toBeGreaterThanOrEqual(1);
    expect(moveOf(queue, 'backlog: 256').at?.value).toBeGreaterThan(queue?.at.value ?? Infinity);
  });
});

it('is left out, and why is told, where a program is not installed', async () => {
  const programs = new Map<ProgramName, Program>();
  for (const name of ['nginx', 'uwsgi', 'uwsgi-python3'] as const) {
    const file = name === 'nginx' ? '/usr/sbin/nginx' : undefined;
    programs.set(name, { name, file, version: undefined, install: `apt-get install ${name}` });
  }
  const failures: string[] = [];
  const overloads = await runOverloads({
    programs,
    signal: new AbortController().signal,
    only: ['queue-uwsgi'],
    onFailure: (reason) => failures.push(reason),
  });
  expect({ overloads, failures }).toEqual({
    overloads: [],
    failures: ['queue-uwsgi: not installed: apt-get install uwsgi, apt-get install uwsgi-python3'],
  });
});
