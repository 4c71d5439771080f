/**
 * A separate network namespace, in which ports can run out and settings be changed without affecting the host. On
 * Linux, root may create one, and so may users who may create user namespaces.
 */
import { spawnSync } from 'node:child_process';

export interface Namespace {
  /** The command prefix for a program that runs in a new namespace. */
  readonly make: readonly string[];
  /** The command prefix for a program that runs in the namespace of a process, after these sysctls are set. */
  join(pid: number, sysctls: Readonly<Record<string, string>>): readonly string[];
  /** Why there is none: everything then runs in the host's namespace, and nothing is set. */
  readonly missing?: string;
}

/** `ip` is not on the PATH of many users. */
const LOOPBACK_UP = 'PATH="$PATH:/usr/sbin:/sbin"; ip link set lo up';
/** Containers often have a read-only /proc/sys. */
const MAY_BE_SET = 'test -w /proc/sys/net/ipv4/ip_local_port_range || { echo "/proc/sys is read-only" >&2; false; }';

export function findNamespace(): Namespace {
  const asRoot = process.getuid?.() === 0;
  const unshare = [...(asRoot ? [] : ['--map-root-user']), '--net', 'sh', '-c'];
  const tried = spawnSync('unshare', [...unshare, `${LOOPBACK_UP} && ${MAY_BE_SET}`], { encoding: 'utf8' });
  if (tried.status !== 0) {
    const why = tried.error?.message ?? tried.stderr.trim();
    return { make: [], join: () => [], missing: `a network namespace cannot be made here (${why})` };
  }
  const nsenter = ['nsenter', '--net', ...(asRoot ? [] : ['--user', '--preserve-credentials'])];
  return {
    make: ['unshare', ...unshare, `${LOOPBACK_UP} && exec "$@"`, 'sh'],
    join(pid, sysctls) {
      let script = 'exec "$@"';
      for (const [name, value] of Object.entries(sysctls)) {
        script = `echo ${value} >/proc/sys/${name.replaceAll('.', '/')} && ${script}`;
      }
      return [...nsenter, `--target=${String(pid)}`, 'sh', '-c', script, 'sh'];
    },
  };
}
