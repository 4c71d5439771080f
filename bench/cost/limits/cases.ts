/** The limits that are driven: each with the defaults, and then with one setting at a time. */
import { readFileSync } from 'node:fs';

import { addonStatus } from 'nearwire/internal';
import { hold, spool } from './buffers.js';
import type { Limit, Outcome } from './model.js';
import { request, type Requests } from './requests.js';
import type { Lab } from './servers.js';

type Row = readonly [setting: string, drive: (lab: Lab) => Promise<Outcome>];

export interface Case extends Omit<Limit, 'readings'> {
  readonly rows: readonly Row[];
}

/**
 * More than the longer queue holds: all arrive while the application is paused, each on its own connection, and none
 * retries.
 */
const BURST = { load: { connections: 1200, rate: 4000, seconds: 0.3 }, paused: 700 } as const;
const NOTHING = 'nothing set: node requests a backlog of 511';
const RANGE = 'net.ipv4.ip_local_port_range';
/** Above those that the application may have. */
const FIRST_PORT = 61_000;
/**
 * Even: of an odd number Linux's search leaves one out, not always the same. One is used by the check that everything
 * serves.
 */
const PORTS = 256;
/** How long a port stays in TIME-WAIT after nginx has closed: Linux's TCP_TIMEWAIT_LEN, which is not configurable. */
const TIME_WAIT_SECONDS = 60;

/** `missing`: why there is no separate network namespace. */
export function limitCases({ namespace: { missing } }: Lab): readonly Case[] {
  return [
    ...queueCases(missing),
    {
      name: 'ports',
      title: 'Ports for TCP connections without keep-alive',
      drive:
        'nginx connects for each request, and then closes: that port is in use for another 60 s. Here it has 256 of ' +
        `them; ${portsOfHost()}.`,
      notTried: missing,
      rows: [
        ['nothing else set', ports({})],
        [`sysctl ${RANGE} with twice as many`, ports({ ports: 2 * PORTS })],
        ["keepalive 32 in nginx's upstream", ports({ upstream: 'keepalive 32;' })],
        ['proxy_pass to a UNIX socket', ports({ family: 'unix' })],
      ],
      ...{ unit: 'connections', watch: 'ss -tan state time-wait | wc -l' },
    },
    {
      name: 'proxy-buffers',
      title: "nginx's buffers, beyond which it writes responses to a file",
      drive:
        'nginx sends a response to a client on a UNIX socket that does not read it: the largest one that is all in memory.',
      rows: [
        ['nothing set: proxy_buffers 8 4k', (lab) => spool(lab, '')],
        ['proxy_buffers 64 32k', (lab) => spool(lab, 'proxy_buffers 64 32k;')],
        ['proxy_max_temp_file_size 0', (lab) => spool(lab, 'proxy_max_temp_file_size 0;')],
      ],
      ...{ unit: 'bytes', watch: "nginx's error log, at level warn" },
    },
    {
      name: 'send-buffer',
      title: "The send buffer of an application's UNIX socket",
      drive:
        'The largest response that leaves the application although its client does not read. A larger one stays in its memory.',
      notTried: addonStatus().reason?.message,
      rows: [
        ["nothing set: the system's default size", (lab) => hold(lab, {})],
        ['createServer({ sendBufferSize: 1048576 }) of nearwire/http', (lab) => hold(lab, { sendBufferSize: 1048576 })],
      ],
      ...{ unit: 'bytes', watch: 'server.stats().waits, nearwire inspect' },
    },
  ];
}

function queueCases(missing: string | undefined): readonly Case[] {
  return [
    {
      name: 'queue-unix',
      title: 'The listen queue of an application on a UNIX socket',
      drive: 'The application accepts nothing for 0.7 s, as in a long computation; nginx connects for 1,200 requests.',
      rows: [
        [NOTHING, queue({ family: 'unix' })],
        ['server.listen({ path, backlog: 1024 })', queue({ family: 'unix', backlog: 1024 })],
        // It applies to a whole network namespace, so it is set only in a separate one.
        ...(missing === undefined ? [CUT] : []),
      ],
      ...{ unit: 'connections', watch: 'ss -xl, nearwire doctor PATH' },
    },
    {
      name: 'queue-tcp',
      title: 'The listen queue of an application on TCP',
      drive:
        'The same. A client that finds no room gets no error: the kernel drops the packet, and resends it after a second.',
      rows: [
        [NOTHING, queue({ family: 'tcp' })],
        ['server.listen({ port, backlog: 1024 })', queue({ family: 'tcp', backlog: 1024 })],
        [
          "nginx's proxy_connect_timeout 500ms, for an error instead of the wait",
          queue({ family: 'tcp', location: 'proxy_connect_timeout 500ms;' }),
        ],
      ],
      ...{ unit: 'connections', watch: 'ss -tl, nstat -az TcpExtListenOverflows' },
    },
  ];
}

const CUT: Row = [
  'the same with sysctl net.core.somaxconn=256, which cuts it',
  queue({ family: 'unix', backlog: 1024, sysctls: { 'net.core.somaxconn': '256' } }),
];

/** A busy application accepts nothing, and new connections wait in its accept queue. */
function queue(settings: Omit<Requests, 'load'>): Row[1] {
  return (lab) => request(lab, { ...BURST, ...settings });
}

/** Each TCP connection takes one of nginx's ports. When all are taken, connect() fails. */
function ports({ ports = PORTS, ...settings }: { ports?: number } & Partial<Requests>): Row[1] {
  const load = { connections: 4, seconds: 1 };
  const range = `${String(FIRST_PORT)} ${String(FIRST_PORT + ports - 1)}`;
  // Ports are then held as between two hosts: by default Linux frees those of the loopback after a second.
  const sysctls = { [RANGE]: range, 'net.ipv4.tcp_tw_reuse': '0' };
  return (lab) => request(lab, { load, family: 'tcp', sysctls, ...settings });
}

function portsOfHost(): string {
  const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number);
  const [all, rate] = [last - first + 1, Math.floor((last - first + 1) / TIME_WAIT_SECONDS)];
  return `the ${all.toLocaleString('en-US')} of this host suffice for ${rate.toLocaleString('en-US')} connections a second`;
}
