/** Ports: a connection over TCP takes one of nginx's. When all are taken, connect() fails. */
import { readFileSync } from 'node:fs';

import type { Limit } from './model.js';
import { request } from './requests.js';
import type { Lab } from './servers.js';

const RANGE = 'net.ipv4.ip_local_port_range';
/** Above those that the application may have. */
const FIRST_PORT = 61_000;
/** Even: of an odd number Linux's search leaves one out, now this one and now that. One is taken to see that all serves. */
const PORTS = 256;
/** For so long one is kept after nginx has closed (TIME-WAIT): Linux's TCP_TIMEWAIT_LEN, which cannot be set. */
const TIME_WAIT_SECONDS = 60;
const ROW = {
  load: { kind: 'closed', connections: 4, seconds: 1 },
  family: 'tcp',
  sysctls: sysctlsFor(PORTS),
} as const;

export async function drivePorts(lab: Lab): Promise<Limit> {
  const limit = {
    name: 'ports',
    title: 'Ports for connections over TCP that are not kept',
    drive:
      'nginx connects anew for each request, and then closes: that port is taken for another 60 s. Here it has 256 of ' +
      `them; ${ofHost()}.`,
    ...{ unit: 'connections', watch: 'ss -tan state time-wait | wc -l' },
  } as const;
  if (lab.namespace.missing !== undefined) return { ...limit, readings: [], notTried: lab.namespace.missing };
  const readings = [
    await request(lab, 'nothing else set', ROW),
    await request(lab, `sysctl ${RANGE} with twice as many`, { ...ROW, sysctls: sysctlsFor(2 * PORTS) }),
    await request(lab, "keepalive 32 in nginx's upstream", { ...ROW, upstream: 'keepalive 32;' }),
    await request(lab, 'proxy_pass to a UNIX socket', { ...ROW, family: 'unix' }),
  ];
  return { ...limit, readings };
}

/** They are taken as between hosts: by itself Linux frees the loopback's after a second. */
function sysctlsFor(ports: number): Record<string, string> {
  return { [RANGE]: `${String(FIRST_PORT)} ${String(FIRST_PORT + ports - 1)}`, 'net.ipv4.tcp_tw_reuse': '0' };
}

function ofHost(): string {
  const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number);
  const [ports, rate] = [last - first + 1, Math.floor((last - first + 1) / TIME_WAIT_SECONDS)];
  return `the ${ports.toLocaleString('en-US')} of this host do for ${rate.toLocaleString('en-US')} connections a second`;
}
