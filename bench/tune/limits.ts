/** The system's limits for these settings, as it reports them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { Limits } from './model.js';

const isLinux = process.platform === 'linux';

export function readLimits(): Limits {
  return isLinux
    ? { mostBuffer: sysctl('net.core.wmem_max'), somaxconn: sysctl('net.core.somaxconn') }
    : { mostBuffer: sysctl('kern.ipc.maxsockbuf'), somaxconn: sysctl('kern.ipc.somaxconn') };
}

function sysctl(name: string): number | null {
  try {
    const text = isLinux
      ? readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8')
      : execFileSync('sysctl', ['-n', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /^\d+$/.test(text.trim()) ? Number(text) : null;
  } catch {
    // A container's network namespace may lack it, and a system may not have the name.
    return null;
  }
}
