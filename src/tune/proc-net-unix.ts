/**
 * /proc/net/unix: names and states of UNIX sockets, used if the kernel refuses the diagnosis. It has no queue lengths.
 */
import { readFileSync } from 'node:fs';

/** `__SO_ACCEPTCON` in the kernel's include/linux/net.h. */
const ACCEPTS = 0x10000;

export interface ListedSocket {
  /** As in /proc/PID/fd. */
  inode: string;
  listening: boolean;
  /** As bound; an abstract name has a leading NUL. Undefined: not bound. */
  name: string | undefined;
}

/** Undefined if the file does not exist. */
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
 * `Num: RefCount Protocol Flags Type St Inode Path`; the path is raw, and an abstract name has `@` for each NUL.
 * Trailing ones are padding by some versions of libuv.
 */
function parseLine(line: string): ListedSocket[] {
  const fields = /^[0-9a-f]+: \w+ \w+ (\w+) \w+ \w+ +(\d+)(?: (.*))?$/.exec(line);
  if (fields === null) return [];
  const [, flags = '0', inode = '', written] = fields;
  const name = written?.startsWith('@') === true ? `\0${written.slice(1).replace(/@+$/, '')}` : written;
  return [{ inode, listening: (parseInt(flags, 16) & ACCEPTS) !== 0, name }];
}
