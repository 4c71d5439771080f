/**
 * Whether a reverse proxy on this host sees the same socket: it may run in a container, or as a service with its own
 * /tmp.
 */
import { dirname, resolve } from 'node:path';
import type { Finding } from './finding.js';
import { namespaceOf, processesNamed, seesSameFile, type Namespace, type Process } from './processes.js';

const FRONTS = ['nginx', 'haproxy', 'caddy', 'apache2', 'httpd'];

/** The reverse proxy may serve other sockets only, so these are warnings. */
export function checkFronts(path: string): Finding[] {
  const isAbstract = path.startsWith('\0');
  return FRONTS.flatMap((name) => elsewhere(name, isAbstract ? 'net' : 'mnt')).flatMap((front) =>
    isAbstract ? [ofAbstract(front)] : ofPath(front, resolve(path)),
  );
}

/** One process of this name for each namespace that is not ours. */
function elsewhere(name: string, kind: Namespace): Process[] {
  const ours = namespaceOf('self', kind);
  const others = new Map<string, Process>();
  for (const found of processesNamed(name)) {
    const theirs = namespaceOf(found.pid, kind);
    if (ours !== undefined && theirs !== undefined && theirs !== ours && !others.has(theirs)) others.set(theirs, found);
  }
  return [...others.values()];
}

function ofAbstract({ pid, name }: Process): Finding {
  return {
    check: 'front.network-namespace',
    level: 'warning',
    message: `${name} (process ${String(pid)}) is in another network namespace`,
    explanation: 'Abstract names are confined to their namespace: it cannot connect to this one.',
    remedies: ['listen on a path in a directory that both mount'],
  };
}

function ofPath({ pid, name }: Process, path: string): Finding[] {
  if (seesSameFile(pid, path) !== false) return [];
  const isTemporary = /^\/(?:var\/)?tmp\//.test(path);
  const directory = dirname(path);
  return [
    {
      check: 'front.mount-namespace',
      level: 'warning',
      message: `${name} (process ${String(pid)}) sees other files: there, ${path} is not this socket`,
      explanation: isTemporary
        ? 'Its service may have a /tmp of its own (PrivateTmp=, as distributions set it): nginx logs "2: No such file or directory".'
        : 'It runs in a container or service that does not mount this directory: nginx logs "2: No such file or directory".',
      remedies: isTemporary
        ? ['put the socket into /run/app (RuntimeDirectory=app in the systemd unit)']
        : [`docker run -v ${directory}:${directory}`],
    },
  ];
}
