/** Finds the processes that have a listening socket open: their CPU counts as a server's. */
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';

import { socketHolders } from 'nearwire/internal';
import { ListenerReporter } from 'nearwire/internal';

export interface Listening {
  readonly pids: readonly number[];
  /** Other users' processes, which this user may not examine. */
  readonly hidden: number;
}

/** Throws if the system does not report them. */
export function listeningAt(target: { path: string } | { host: string; port: number }): Listening {
  if ('path' in target) {
    const { owners = [], hiddenProcesses } = new ListenerReporter(target.path).report();
    return { pids: owners.map(({ pid }) => pid), hidden: hiddenProcesses };
  }
  const { holders, hidden } = socketHolders() ?? { holders: new Map<string, never>(), hidden: 0 };
  const found = tcpListeners(target.host, target.port).flatMap((inode) => holders.get(inode) ?? []);
  return { pids: [...new Set(found.map(({ pid }) => pid))], hidden };
}

/** `TCP_LISTEN` in the kernel's include/net/tcp_states.h. */
const LISTENS = '0A';

/**
 * Inodes of the sockets that a connect to this IPv4 address may reach, including IPv6 sockets that listen on all
 * addresses.
 */
function tcpListeners(host: string, port: number): string[] {
  const wanted = new Set(['00000000', hexAddress(host), '0'.repeat(32), `0000000000000000FFFF0000${hexAddress(host)}`]);
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    linesOf(file).flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', hexPort = ''] = local.split(':');
      return state === LISTENS && parseInt(hexPort, 16) === port && wanted.has(address) ? [inode] : [];
    }),
  );
}

/** In the kernel's format: the four bytes from last to first, on every machine that Node supports except s390x. */
function hexAddress(host: string): string {
  if (!isIPv4(host)) throw new TypeError(`${host} is no IPv4 address`);
  const bytes = host.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return bytes.reverse().join('').toUpperCase();
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    // A kernel without IPv6, or a system other than Linux.
    return [];
  }
}
