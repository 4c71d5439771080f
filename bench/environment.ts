/** Environment variables that change how servers and clients work: they are passed on only if the user says so. */

/** Settings of nearwire, node and libuv. */
const CHANGES_WORK = /^(?:NEARWIRE_|UV_|NODE_OPTIONS$)/;
/** They name the bench's own programs. */
const OF_THE_BENCH: readonly string[] = ['NEARWIRE_FLOOR', 'NEARWIRE_NGINX'];

/**
 * Removes such variables from this process's environment, which all its child processes inherit, and adds those to be
 * passed on. Returns the names of those that were set and are no longer passed on.
 */
export function settleEnvironment(handedOn: Readonly<Record<string, string>>): string[] {
  const found = Object.keys(process.env).filter((name) => CHANGES_WORK.test(name) && !OF_THE_BENCH.includes(name));
  for (const name of found) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, handedOn);
  return found.filter((name) => !(name in handedOn)).sort();
}
