/** Ports for connections to an application, used up by a real nginx in a network of its own. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { portsNotDriven } from '../bench/cost/overload/ports.js';
import { findPrograms } from '../bench/cost/programs.js';
import { driven, moveOf, withoutNamespaces } from './support/overloads.js';
import { requireOrSkip } from './support/requirements.js';

const nginx = requireOrSkip('nginx');
const unshare = process.platform === 'linux' ? requireOrSkip('unshare') : undefined;
const REFUSED =
  /nginx: \[crit\] connect\(\) to 127\.0\.0\.1:8080 failed \(99: Cannot assign requested address\) while connecting to upstream/;
const PORTS = 64;

function sysctl(name: string): string {
  return spawnSync('cat', [`/proc/sys/net/ipv4/${name}`], { encoding: 'utf8' }).stdout;
}

describe.skipIf(nginx === undefined || unshare === undefined)('ports', () => {
  it('run out, by closed connections and by requests under way, and not over a UNIX socket', async () => {
    const names = ['ip_local_port_range', 'tcp_tw_reuse'];
    const before = names.map(sysctl);
    const { overloads, failures } = await driven('ports');
    expect(names.map(sysctl)).toEqual(before);
    expect(failures).toEqual([]);
    const [closed, underWay] = overloads;
    expect(closed).toMatchObject({ name: 'ports', family: 'tcp', at: { value: PORTS }, depth: { limit: PORTS } });
    expect(closed?.error).toMatch(/^502; /);
    expect(closed?.error).toMatch(REFUSED);
    expect(closed?.drive).toMatch(/one request after the other, 64 within [\d.]+ m?s/);
    // The last to be closed may not have got that far.
    expect(closed?.depth?.value).toBeGreaterThanOrEqual(PORTS - 1);
    const wider = moveOf(closed, 'ip_local_port_range');
    expect(wider.setting).toContain('with 128 ports');
    expect(wider.at?.value).toBe(2 * PORTS);
    const reused = moveOf(closed, 'tcp_tw_reuse=1');
    expect(reused.seen).toMatch(
      /with 64 of them 32 requests a second for 2 s had 0 fail, 128 for 1 s 502 for \d+ of 128 requests; .* 32 a second had 0 fail$/,
    );
    expect(moveOf(closed, 'keepalive 32').at).toBeUndefined();
    expect(moveOf(closed, 'http://unix:').at).toBeUndefined();
    // Whoever closes first: here the application.
    expect(moveOf(closed, 'proxy_http_version 1.0').seen).toMatch(
      / 0 ports of nginx's and [1-9]\d* ends of the application's in TIME-WAIT$/,
    );

    const [, failed, sent] = /^502 for (\d+) of (\d+) requests; /.exec(underWay?.error ?? '') ?? [];
    expect(Number(sent) - Number(failed)).toBe(PORTS);
    expect(underWay?.error).toMatch(REFUSED);
    expect(underWay).toMatchObject({ at: { value: PORTS }, depth: { value: PORTS, limit: PORTS } });
    const unix = moveOf(underWay, 'http://unix:');
    expect(unix.at).toBeUndefined();
    expect(unix.seen).toMatch(/^200 for (\d+) of \1 requests, with 0 connections over TCP$/);
    const two = moveOf(underWay, 'a second address');
    expect(two.at).toBeUndefined();
    expect(two.seen).toMatch(/^200 for (\d+) of \1 requests, with \1 connections over TCP$/);
  });
});

it.skipIf(nginx === undefined || process.platform !== 'linux')(
  'are not driven in the network of the host',
  async () => {
    const programs = await findPrograms();
    withoutNamespaces();
    const { overloads, steps } = await driven('ports', { programs });
    expect(steps).toEqual([]);
    expect(overloads).toHaveLength(1);
    expect(overloads[0]?.notDriven).toContain('unshare ENOENT');
  },
);

it('are reckoned where no network of our own can be made', () => {
  const reason = 'darwin has no network namespaces';
  expect(portsNotDriven(reason, { first: 49_152, last: 65_535 })).toMatchObject({
    at: { value: 16_384 },
    notDriven: reason,
    error: expect.stringContaining('not seen here') as unknown,
    setting: expect.stringContaining('not tried here') as unknown,
  });
});
