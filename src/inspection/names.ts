/** Names of users and groups from the host's own files; directory services are not queried. */
import { readFileSync } from 'node:fs';

const cache = new Map<string, ReadonlyMap<number, string>>();

export function userName(uid: number): string {
  return namesOf('/etc/passwd').get(uid) ?? String(uid);
}

export function groupName(gid: number): string {
  return namesOf('/etc/group').get(gid) ?? String(gid);
}

/** Lines of both files start with `name:password:number`. */
function namesOf(file: string): ReadonlyMap<number, string> {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const names = new Map<number, string>();
  for (const line of linesOf(file)) {
    const [name, , number] = line.split(':');
    // A number's first entry is its name, as in getpwuid().
    if (name && number && !names.has(Number(number))) names.set(Number(number), name);
  }
  cache.set(file, names);
  return names;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
