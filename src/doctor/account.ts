/** The account that a reverse proxy runs as, and what file modes allow it. */
import type { Stats } from 'node:fs';
import { processesNamed } from './processes.js';
import { readText, type ReadText } from './system-files.js';

export interface Account {
  name: string;
  uid: number;
  /** All groups that it is a member of. */
  gids: ReadonlySet<number>;
}

/** The master of nginx runs as root; its workers connect. */
const ROOT = '0';
/** What nginx runs as on Debian, on Red Hat and from nginx's own packages, and as a fallback. */
const FRONTS = ['www-data', 'nginx', 'nobody'];

function lines(read: ReadText, path: string): string[][] {
  return (read(path) ?? '').split('\n').map((line) => line.split(':'));
}

/** By name or number; undefined if there is none. */
export function accountOf(user: string, read: ReadText = readText): Account | undefined {
  const entry = lines(read, '/etc/passwd').find(([name, , uid]) => name === user || uid === user);
  if (entry === undefined) return undefined;
  const [name = '', , uid, gid] = entry;
  const others = lines(read, '/etc/group').filter(([, , , members]) => members?.split(',').includes(name) === true);
  return { name, uid: Number(uid), gids: new Set([Number(gid), ...others.map(([, , id]) => Number(id))]) };
}

/** The account of a running nginx's workers; else the first of the usual reverse proxy accounts that this system has. */
export function frontAccount(read: ReadText = readText): Account | undefined {
  const running = processesNamed('nginx').map(({ pid }) => uidOf(pid, read));
  const worker = running.find((uid) => uid !== undefined && uid !== ROOT);
  const known = worker === undefined ? undefined : accountOf(worker, read);
  return known ?? FRONTS.map((name) => accountOf(name, read)).find((account) => account !== undefined);
}

/** The effective user id, as text; undefined if the process is gone. */
function uidOf(pid: number, read: ReadText): string | undefined {
  return /^Uid:\s+\d+\s+(\d+)/m.exec(read(`/proc/${String(pid)}/status`) ?? '')?.[1];
}

export function groupName(gid: number, read: ReadText = readText): string {
  return lines(read, '/etc/group').find(([, , id]) => Number(id) === gid)?.[0] ?? String(gid);
}

/** Bits of a mode's last digit. */
export const SEARCH = 1;
export const WRITE = 2;

/** Whose bits count. As in the kernel, the first class that matches, even if a later one allows more. */
export type Standing = 'superuser' | 'owner' | 'group' | 'others';

export function standingOf(account: Account, { uid, gid }: Pick<Stats, 'uid' | 'gid'>): Standing {
  if (account.uid === 0) return 'superuser';
  if (account.uid === uid) return 'owner';
  return account.gids.has(gid) ? 'group' : 'others';
}

const SHIFTS = { owner: 6, group: 3, others: 0 } as const;

/** By the mode alone: access control lists, capabilities and security modules may decide otherwise. */
export function allows(account: Account, stats: Pick<Stats, 'uid' | 'gid' | 'mode'>, bit: number): boolean {
  const standing = standingOf(account, stats);
  return standing === 'superuser' || ((stats.mode >> SHIFTS[standing]) & bit) !== 0;
}

/** Commands that let the account in, starting with the one that grants others least. */
export function permissionFixes(
  account: Account,
  path: string,
  stats: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  letter: 'x' | 'w',
): string[] {
  const bit = letter === 'x' ? SEARCH : WRITE;
  const standing = standingOf(account, stats);
  const quoted = JSON.stringify(path);
  if (standing === 'owner') return [`chmod u+${letter} ${quoted}`];
  if (standing === 'group') return [`chmod g+${letter} ${quoted}`];
  const group = groupName(stats.gid);
  const join = `usermod -aG ${group} ${account.name}  # then restart the reverse proxy`;
  const byGroup = ((stats.mode >> SHIFTS.group) & bit) !== 0 && stats.gid !== 0 ? [join] : [];
  return [
    ...byGroup,
    `setfacl -m u:${account.name}:${letter === 'w' ? 'rw' : letter} ${quoted}`,
    `chmod o+${letter} ${quoted}`,
  ];
}
