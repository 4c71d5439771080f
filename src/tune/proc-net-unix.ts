/** /proc/net/unix: names and states of UNIX sockets, for where the kernel gives no diagnosis. It knows of no queues. */
import { readFileSync } from 'node:fs';

/** `__SO_ACCEPTCON` in the kernel's include/linux/net.h. */
const ACCEPTS = 0x10000;

export interface ListedSocket {
  /** As in /proc/PID/fd. */
  inode: string;
  listening: boolean;
  /** As bound; an abstract one has a leading NUL. Undefined: not bound. */
  name: string | undefined;
}

/** Undefined where there is no such file. */
export function listedUnixSockets(): ListedSocket[] | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/net/unix', 'utf8');
  } catch {
    return undefined;
  }
  return text.split('\n').slice(1).flatMap(parseLine);
}

/**
 * `Num: RefCount Protocol Flags Type St Inode Path`; the path is written raw, an abstract name with `@` for each NUL. Those
 * at its end are what some libuv pads names with.
 */
function parseLine(line: string): ListedSocket[] {
  const fields = /^[0-9a-f]+: \w+ \w+ (\w+) \w+ \w+ +(\d+)(?: (.*))?$/.exec(line);
  if (fields === null) return [];
  const [, flags = '0', inode = '', written] = fields;
  const name = written?.startsWith('@') === true ? `\0${written.slice(1).replace(/@+$/, '')}` : written;
  return [{ inode, listening: (parseInt(flags, 16) & ACCEPTS) !== 0, name }];
}
