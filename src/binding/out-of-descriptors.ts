/** How a server reports that it has no descriptor left for new connections. */
import { getSystemErrorName } from 'node:util';
import type { NativeEndpoint } from './addon.js';

function describe(at: NativeEndpoint | number): string {
  if (typeof at === 'number') return 'a server';
  if (at.path !== undefined) return `the server on ${at.path.replace('\0', '@')}`;
  return `the server on ${at.address ?? ''}:${String(at.port)}`;
}

/** A process warning with the code NEARWIRE_OUT_OF_DESCRIPTORS: no call has failed whose error could be caught. */
export function warnOutOfDescriptors(errno: number, at: NativeEndpoint | number): void {
  const name = getSystemErrorName(errno);
  const limit = name === 'ENFILE' ? 'fs.file-max' : 'RLIMIT_NOFILE, "ulimit -n"';
  process.emitWarning(`${describe(at)} has no file descriptor left (${name}): new connections are closed`, {
    code: 'NEARWIRE_OUT_OF_DESCRIPTORS',
    detail: `The limit is ${limit}. This is reported once per server, which accepts connections again as soon as descriptors are free.`,
  });
}
