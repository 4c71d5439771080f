/** Whether a front that runs on this host sees the same socket: containers, and services with a /tmp of their own. */
import { resolve } from 'node:path';
import type { Finding } from './finding.js';
import { processesNamed, seesSameFile, sharesNamespace, type Process } from './processes.js';
import { NGINX_MISSING } from './socket-path.js';

const FRONTS = ['nginx', 'haproxy', 'caddy', 'apache2', 'httpd'];

export function checkFronts(path: string): Finding[] {
  return FRONTS.flatMap((name) => {
    const [first] = processesNamed(name);
    return first === undefined ? [] : path.startsWith('\0') ? ofAbstract(first) : ofPath(first, resolve(path));
  });
}

function ofAbstract({ pid, name }: Process): Finding[] {
  if (sharesNamespace(pid, 'net') !== false) return [];
  return [
    {
      check: 'front.network-namespace',
      level: 'problem',
      what: `${name} (process ${String(pid)}) is in another network namespace`,
      why: 'Abstract names do not reach from one to the other.',
      fix: ['listen on a path in a directory that both mount'],
    },
  ];
}

function ofPath({ pid, name }: Process, path: string): Finding[] {
  if (sharesNamespace(pid, 'mnt') !== false || seesSameFile(pid, path) !== false) return [];
  const isTemporary = /^\/(?:var\/)?tmp\//.test(path);
  return [
    {
      check: 'front.mount-namespace',
      level: 'problem',
      what: `${name} (process ${String(pid)}) sees other files: ${path} is not this socket there`,
      why: isTemporary
        ? 'Its service has a /tmp of its own (PrivateTmp=, as distributions set it for web servers).'
        : 'It runs in a container or service that does not mount this directory.',
      fix: isTemporary
        ? ['put the socket into /run/app (RuntimeDirectory=app in the unit of systemd)']
        : [
            `docker run -v ${path.slice(0, path.lastIndexOf('/')) || '/'}:${path.slice(0, path.lastIndexOf('/')) || '/'}`,
          ],
      nginx: NGINX_MISSING,
    },
  ];
}
