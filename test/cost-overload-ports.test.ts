/** Ports for connections to an application, used up by a real nginx in a network of its own. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { portsNotDriven } from '../bench/cost/overload/ports.js';
import { driven, moveOf } from './support/overloads.js';
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
    // The last to be closed may not have got that far.
    expect(closed?.depth?.value).toBeGreaterThanOrEqual(PORTS - 1);
    expect(moveOf(closed, 'ip_local_port_range').at?.value).toBe(2 * PORTS);
    expect(moveOf(closed, 'tcp_tw_reuse').seen).toContain('32 requests a second for 2 s on 64 ports, 0 failed');
    expect(moveOf(closed, 'keepalive 32').at).toBeUndefined();
    expect(moveOf(closed, 'http://unix:').at).toBeUndefined();

    expect(underWay?.error).toMatch(/^502 for 64 of 128 requests; /);
    expect(underWay?.error).toMatch(REFUSED);
    expect(underWay).toMatchObject({ at: { value: PORTS }, depth: { value: PORTS, limit: PORTS } });
    expect(moveOf(underWay, 'http://unix:').seen).toContain('200 for 128 of 128');
  });
});

it('are reckoned where no network of our own can be made', () => {
  const reason = 'darwin has no network namespaces';
  expect(portsNotDriven(reason, { first: 49_152, last: 65_535 })).toMatchObject({
    at: { value: 16_384 },
    notDriven: reason,
  });
});
