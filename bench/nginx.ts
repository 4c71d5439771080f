/** Where nginx is, which serves files as cheaply as anyone does: what `file` is held against besides plain C. */
import { delimiter, join } from 'node:path';

import { isExecutable } from './executable.js';

/** Off the PATH of many users. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin'];

/** NEARWIRE_NGINX names another than the one that is installed. */
export function findNginx(): string | Error {
  // Its worker is another process, whose CPU is told there.
  if (process.platform !== 'linux') return new Error('its CPU is read from /proc, which this system does not have');
  const named = process.env['NEARWIRE_NGINX'];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...MORE_FOLDERS];
  const candidates = named === undefined ? folders.map((folder) => join(folder, 'nginx')) : [named];
  return candidates.find(isExecutable) ?? new Error('not installed, `file` does without it');
}
