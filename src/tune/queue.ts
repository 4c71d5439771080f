/** The accept queue of a listener, of this process or of any other on this host. */
import * as net from 'node:net';
import { constants } from 'node:os';
import type { ChannelServer } from '../channel/types.js';
import {
  argTypeError,
  argValueError,
  diagnosisRefusedError,
  noListenerError,
  otherNamespaceError,
  unsupportedError,
} from '../errors/index.js';
import type { NativeTcpListener } from '../binding/addon.js';
import { checkPort } from '../config/options.js';
import { describeTarget, nativeDiagnosis, told } from './diagnosis.js';
import { queueHighWater } from '../stats/server-counter.js';
import { noteDepth } from './high-water.js';
import { findUnixListener } from './unix-listener.js';
import type { TuneTarget } from './target.js';

const { ESRCH } = constants.errno;

/** Connections that a listener has not accepted yet. */
export interface ListenQueue {
  /** Connections in the queue now. */
  queued: number;
  /**
   * The queue's capacity, after the system's own limit (Linux: `net.core.somaxconn`). Linux lets one more in: the queue
   * is full when `queued > backlog`.
   */
  backlog: number;
  /**
   * The longest queue that this thread has seen: by its calls of `listenQueue` and `inspect`, and, for a native server,
   * by that server while it accepted (see `stats()`). The kernel keeps no such number.
   */
  highWater: number;
}

/** A TCP port of this host. */
export interface ListenPort {
  /** 0 to 65,535. */
  port: number;
  /** A numeric address at which the listener accepts connections. Default: any. */
  host?: string | undefined;
}

/** A server, its descriptor, the path of its socket (or, with a leading NUL, its abstract name), or a TCP port. */
export type ListenTarget = net.Server | ChannelServer | number | string | ListenPort;

/**
 * Returns how many connections wait in a listener's accept queue, for a listener of this process or any other on the
 * host. No privilege is needed. The kernel answers at once, within tenths of a millisecond for thousands of sockets.
 *
 * A path is compared by the file that it leads to, so that relative names, links and moved files are found. If several
 * TCP listeners share a port, the fullest is reported.
 *
 * Throws
 * - ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_SOCKET_BAD_PORT: the target cannot be a
 *   listener;
 * - ERR_NEARWIRE_NOT_OPEN: the server does not listen;
 * - ENOENT, EACCES, ...: the path is not accessible;
 * - ERR_NEARWIRE_NOT_A_SOCKET: the path leads to another kind of file;
 * - ERR_NEARWIRE_STALE_SOCKET: the file's socket is gone;
 * - ERR_NEARWIRE_NO_LISTENER: no process listens there;
 * - ERR_NEARWIRE_OTHER_NAMESPACE: a process in another network namespace does; the kernel reports only the caller's
 *   own;
 * - ERR_NEARWIRE_AMBIGUOUS: more than one listener matches;
 * - ERR_NEARWIRE_DIAG_REFUSED: the kernel or a sandbox reports no queues; `listening` has whether a process listens, if
 *   that could be found out;
 * - ERR_NEARWIRE_NO_ADDON, ERR_NEARWIRE_UNSUPPORTED: there is no means to query it.
 */
export function listenQueue(target: ListenTarget): ListenQueue {
  if (typeof target === 'string') {
    const { cookie, queued, backlog } = findUnixListener(target);
    return queueOf(cookie, queued, backlog);
  }
  if (isPort(target)) return queueOfPort(target);
  return queueOfTarget(target);
}

function isPort(target: unknown): target is ListenPort {
  return typeof target === 'object' && target !== null && !(target instanceof net.Server) && 'port' in target;
}

function queueOf(
  cookie: string,
  queued: number | undefined,
  backlog: number | undefined,
  counted?: number,
): ListenQueue {
  if (queued === undefined || backlog === undefined) throw unsupportedError("reading a listener's queue");
  return { queued, backlog, highWater: noteDepth(cookie, queued, counted) };
}

function queueOfTarget(target: TuneTarget): ListenQueue {
  const { listening, cookie, id, family, queued, backlog } = describeTarget(target);
  const counted = typeof target === 'object' ? queueHighWater(target) : undefined;
  if (!listening) throw noListenerError('The socket does not listen');
  if (queued === undefined && family === 'unix') {
    const found = told(nativeDiagnosis().unixSocket(id), "reading a listener's queue", (errno) =>
      errno === -ESRCH
        ? otherNamespaceError('The socket belongs to another network namespace, which the kernel does not report here')
        : diagnosisRefusedError(errno, '', true),
    );
    return queueOf(cookie, found.queued, found.backlog, counted);
  }
  return queueOf(cookie, queued, backlog, counted);
}

function queueOfPort({ port, host }: ListenPort): ListenQueue {
  const checked = checkPort(port, 'target.port');
  if (host !== undefined && typeof host !== 'string') throw argTypeError('target.host', 'of type string', host);
  if (host !== undefined && net.isIP(host) === 0) throw argValueError('target.host', host, 'must be an IP address');
  const all = told(nativeDiagnosis().tcpListeners(checked), 'reading the queues of TCP listeners', (errno) =>
    diagnosisRefusedError(errno, ''),
  );
  const [fullest] = reachedAt(host, all).sort((a, b) => b.queued - b.backlog - (a.queued - a.backlog));
  if (fullest === undefined) {
    const where = host === undefined ? `port ${String(checked)}` : `${host}, port ${String(checked)}`;
    throw noListenerError(`No process listens on ${where} in this network namespace`);
  }
  return queueOf(fullest.cookie, fullest.queued, fullest.backlog);
}

/** The kernel's choice: listeners bound to the address itself, otherwise those bound to all addresses. */
function reachedAt(host: string | undefined, all: readonly NativeTcpListener[]): NativeTcpListener[] {
  if (host === undefined) return [...all];
  const same = new net.BlockList();
  same.addAddress(host, net.isIPv6(host) ? 'ipv6' : 'ipv4');
  const exact = all.filter(({ local: { address = '', family } }) =>
    same.check(address, family === 'IPv6' ? 'ipv6' : 'ipv4'),
  );
  if (exact.length > 0) return exact;
  return all.filter(({ local: { address }, ipv6Only }) =>
    net.isIPv6(host) ? address === '::' : address === '0.0.0.0' || (address === '::' && !ipv6Only),
  );
}
