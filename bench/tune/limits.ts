/** What the system lets be set, as it says itself. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { Limits } from './model.js';

export function readLimits(): Limits {
  if (process.platform === 'linux') {
    return { mostBuffer: procNumber('net/core/wmem_max'), somaxconn: procNumber('net/core/somaxconn') };
  }
  return { mostBuffer: sysctlNumber('kern.ipc.maxsockbuf'), somaxconn: sysctlNumber('kern.ipc.somaxconn') };
}

function procNumber(name: string): number | null {
  try {
    return wholeNumber(readFileSync(`/proc/sys/${name}`, 'utf8'));
  } catch {
    // A container's network namespace may have none of it.
    return null;
  }
}

function sysctlNumber(name: string): number | null {
  try {
    return wholeNumber(execFileSync('sysctl', ['-n', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    // No such program, or no such name.
    return null;
  }
}

function wholeNumber(text: string): number | null {
  return /^\d+$/.test(text.trim()) ? Number(text) : null;
}
