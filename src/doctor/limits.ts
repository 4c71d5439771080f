/** Limits of the kernel: queue lengths, buffers, descriptors. */
import { readNumber, bytesInWords, type ReadText } from './system-files.js';
import type { Finding } from './finding.js';

/** The default backlog of node, nginx and nearwire. */
const USUAL_BACKLOG = 511;
/** Each connection takes one here and one in the reverse proxy; below this, a busy server runs out. */
const FEW_DESCRIPTORS = 4096;
/** net.core.wmem_max of kernels before about 6.17; any process may set SO_SNDBUF to it, and the kernel doubles that. */
const STOCK_WMEM_MAX = 212_992;
/** The kernel's default for queued datagrams, which matters for a service manager or a log socket. */
const USUAL_DATAGRAMS = 10;

/** Linux; other systems have no such files, and only descriptors are checked there. */
export function checkLimits(read: ReadText, openFiles: OpenFileLimits | undefined): Finding[] {
  return [
    ...number(read, '/proc/sys/net/core/somaxconn', backlogFinding),
    ...number(read, '/proc/sys/net/core/wmem_max', sendBufferFinding),
    ...number(read, '/proc/sys/net/core/rmem_max', (bytes) => ({
      check: 'limits.rmem_max',
      level: 'ok',
      message: `net.core.rmem_max is ${bytesInWords(bytes)}; only TCP uses it: receive buffers of UNIX streams have no effect`,
    })),
    ...number(read, '/proc/sys/net/unix/max_dgram_qlen', datagramFinding),
    ...(openFiles === undefined ? [] : [descriptorFinding(openFiles)]),
  ];
}

function number(read: ReadText, path: string, make: (value: number) => Finding): Finding[] {
  const value = readNumber(read, path);
  return value === undefined ? [] : [make(value)];
}

function backlogFinding(connections: number): Finding {
  const message = `net.core.somaxconn is ${String(connections)}: the most connections that may wait at a listener`;
  if (connections >= USUAL_BACKLOG) return { check: 'limits.somaxconn', level: 'ok', message };
  return {
    check: 'limits.somaxconn',
    level: 'warning',
    message,
    explanation: `Servers request ${String(USUAL_BACKLOG)} and silently get less; a full UNIX queue refuses at once, and nginx responds with 502.`,
    remedies: [
      'sysctl -w net.core.somaxconn=4096  # then restart the server',
      'docker run --sysctl net.core.somaxconn=4096',
    ],
  };
}

function sendBufferFinding(bytes: number): Finding {
  const message = `net.core.wmem_max is ${bytesInWords(bytes)}; a send buffer may be twice that`;
  if (bytes >= STOCK_WMEM_MAX) return { check: 'limits.wmem_max', level: 'ok', message };
  return {
    check: 'limits.wmem_max',
    level: 'warning',
    message,
    explanation: 'Files and pages are sent in small pieces, as the send buffer cannot grow.',
    remedies: [`sysctl -w net.core.wmem_max=${String(STOCK_WMEM_MAX * 4)}`],
  };
}

function datagramFinding(datagrams: number): Finding {
  const message = `net.unix.max_dgram_qlen is ${String(datagrams)}`;
  if (datagrams >= USUAL_DATAGRAMS) return { check: 'limits.max_dgram_qlen', level: 'ok', message };
  return {
    check: 'limits.max_dgram_qlen',
    level: 'note',
    message,
    explanation:
      'Datagram sockets (syslog, systemd notifications) block their writers sooner. Streams are not affected.',
    remedies: [`sysctl -w net.unix.max_dgram_qlen=${String(USUAL_DATAGRAMS)}`],
  };
}

export interface OpenFileLimits {
  /** Infinity: none. */
  soft: number;
  hard: number;
  /** Currently open. */
  open: number | undefined;
}

/** From /proc/PID/limits: `Max open files  1024  4096  files`. */
export function openFileLimits(text: string, open: number | undefined): OpenFileLimits | undefined {
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text) ?? [];
  if (soft === undefined || hard === undefined) return undefined;
  const value = (word: string): number => (word === 'unlimited' ? Infinity : Number(word));
  return { soft: value(soft), hard: value(hard), open };
}

function descriptorFinding({ soft, hard }: OpenFileLimits): Finding {
  // Node raises its soft limit to the hard one at startup.
  const message = `a process may have ${String(soft)} files open (hard limit ${String(hard)}; node raises its soft limit to that)`;
  if (hard >= FEW_DESCRIPTORS) return { check: 'limits.nofile', level: 'ok', message };
  return {
    check: 'limits.nofile',
    level: 'warning',
    message,
    explanation: 'Each connection takes one; beyond the limit new connections are closed at once (EMFILE).',
    remedies: [
      'LimitNOFILE=65536  # in the systemd unit',
      'docker run --ulimit nofile=65536:65536',
      'ulimit -Hn 65536',
    ],
  };
}
