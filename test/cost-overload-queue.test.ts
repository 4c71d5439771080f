/** The listen queue, filled behind a real nginx until it overflows. */
import { describe, expect, it } from 'vitest';
import type { Program, ProgramName } from '../bench/cost/model.js';
import { findPrograms } from '../bench/cost/programs.js';
import { hasDiagnosis } from './support/listeners.js';
import { driven, moveOf, withoutNamespaces } from './support/overloads.js';
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
    const waited = moveOf(queue, 'nearwire/http');
    expect(waited.at).toBeUndefined();
    expect(waited.seen).toMatch(/of (\d+) requests at once 200 for \1, the last after/);
    if (unshare === undefined) return;
    // Half of the longer one was allowed, then the whole.
    const limit = moveOf(queue, 'somaxconn');
    expect(limit.seen).toBe('a backlog of 256 is 256; with 128 it was cut to 128');
    expect(limit.at).toEqual({ value: 256, unit: 'connections in the queue' });
  });

  it('overflows in the network of the host, where no setting of the kernel is touched', async () => {
    const programs = await findPrograms();
    withoutNamespaces();
    const { overloads, failures } = await driven('queue-unix', { programs });
    expect(failures).toEqual([]);
    expect(overloads[0]).toMatchObject({ depth: { value: 9, limit: 8 } });
    expect(overloads[0]?.moves?.filter(({ setting }) => setting.includes('sysctl'))).toEqual([]);
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
    const [, p99, dropped, bad] =
      /^none: 200 for all \d+ requests, one in a hundred after (\S+) s or more, the last .* after the rate had ended; TcpExt ListenOverflows \(nstat -az\) rose by (\d+); with proxy_connect_timeout 500ms, at [\d,]+ a second, 504 for (\d+) of \d+ requests; nginx: \[error\] upstream timed out \(110: Connection timed out\) while connecting to upstream/.exec(
        queue?.error ?? '',
      ) ?? [];
    for (const figure of [dropped, bad]) expect(Number(figure)).toBeGreaterThan(0);
    expect(Number(p99)).toBeGreaterThanOrEqual(1);
    if (unshare !== undefined) expect(queue?.error).toContain('; with sysctl -w net.ipv4.tcp_abort_on_overflow=1, at ');
    expect(moveOf(queue, 'backlog: 256').at?.value).toBeGreaterThan(queue?.at.value ?? Infinity);
  });
});

it('is left out, and why is told, where a program is not installed', async () => {
  const programs = new Map<ProgramName, Program>();
  for (const name of ['nginx', 'floor', 'uwsgi', 'uwsgi-python3'] as const) {
    const file = name.startsWith('uwsgi') ? undefined : '/bin/true';
    programs.set(name, { name, file, version: undefined, install: `apt-get install ${name}` });
  }
  expect(await driven('queue-uwsgi', { programs })).toEqual({
    ...{ overloads: [], steps: [], failures: [] },
    leftOut: [
      'the overload queue-uwsgi was left out: not installed: apt-get install uwsgi, apt-get install uwsgi-python3',
    ],
  });
});

it('that can not be driven is told in words, without our own stack', async () => {
  const programs = new Map(await findPrograms());
  const broken = { name: 'nginx', file: '/bin/false', version: undefined, install: '' } as const;
  const { overloads, failures } = await driven('queue-unix', { programs: programs.set('nginx', broken) });
  expect(overloads).toEqual([]);
  expect(failures).toEqual(['queue-unix: nginx exited with 1']);
});
