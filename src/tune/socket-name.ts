/** Which file a path leads to, and which sockets are bound to it. */
import { statfsSync, statSync } from 'node:fs';
import { basename, isAbsolute, resolve } from 'node:path';
import type { NativeUnixSocket } from '../binding/addon.js';

/** Magic numbers of statfs(2): file systems whose device numbers in stat(2) differ from the kernel's internal ones. */
const OWN_DEVICE_NUMBERS: ReadonlySet<number> = new Set([
  0x9123683e, // btrfs: one for each subvolume
  0x794c7630, // overlayfs: one for each layer
]);

export interface SocketFileId {
  major: number;
  minor: number;
  /** The low 32 bits of the inode number, which are all that the kernel reports. */
  inode: number;
  isSocket: boolean;
  /** The device number of `stat` differs from the kernel's own. */
  ownDeviceNumbers: boolean;
}

/** Throws what stat throws. Follows symbolic links, as connect does. */
export function socketFileId(path: string): SocketFileId {
  const status = statSync(path, { bigint: true });
  const { dev } = status;
  return {
    // glibc's makedev().
    major: Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n)),
    minor: Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n)),
    inode: Number(BigInt.asUintN(32, status.ino)),
    isSocket: status.isSocket(),
    ownDeviceNumbers: OWN_DEVICE_NUMBERS.has(statfsSync(path).type),
  };
}

/** Whether an absolute name leads to the same file. */
function leadsTo(name: string, path: string): boolean {
  if (!isAbsolute(name)) return false;
  try {
    const one = statSync(name, { bigint: true });
    const other = statSync(path, { bigint: true });
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}

/**
 * The sockets bound to the file at `path`, under whatever name. Compared by each socket's file where the system reports
 * it (Linux); otherwise by names that lead to the file, which leaves more than one candidate if a file was replaced.
 */
export function socketsAt<S extends Pick<NativeUnixSocket, 'name' | 'file'>>(
  path: string,
  id: SocketFileId,
  sockets: readonly S[],
): S[] {
  const bound = sockets.filter(({ file }) => file !== undefined && file[2] === id.inode);
  const exact = bound.filter(({ file }) => file !== undefined && file[0] === id.major && file[1] === id.minor);
  if (exact.length > 0) return exact;
  if (id.ownDeviceNumbers) {
    const same = bound.filter(({ name }) => name !== undefined && leadsTo(name, path));
    if (same.length > 0) return same;
    // Names from another mount namespace lead nowhere here.
    return bound.filter(({ name }) => name !== undefined && basename(name) === basename(path));
  }
  return sockets.filter(({ name, file }) => file === undefined && name !== undefined && leadsTo(name, path));
}

/** The sockets bound to exactly this name; their files may be gone, replaced or not visible. */
export function socketsNamed<S extends { name?: string | undefined }>(path: string, sockets: readonly S[]): S[] {
  const absolute = resolve(path);
  return sockets.filter(({ name }) => name === path || name === absolute);
}
