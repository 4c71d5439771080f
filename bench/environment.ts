/** What of the environment changes how servers and clients work: it is handed on to them only where the user says so. */

/** Settings of ours, of node's and of libuv's. */
const CHANGES_WORK = /^(?:NEARWIRE_|UV_|NODE_OPTIONS$)/;
/** They name the bench's own programs. */
const OF_THE_BENCH: readonly string[] = ['NEARWIRE_FLOOR', 'NEARWIRE_NGINX'];

/**
 * Takes such variables out of this process's environment, which is that of all processes that it starts, and puts those in
 * that are to be handed on. Answers the names of those that were there and are handed on no more.
 */
export function settleEnvironment(handedOn: Readonly<Record<string, string>>): string[] {
  const found = Object.keys(process.env).filter((name) => CHANGES_WORK.test(name) && !OF_THE_BENCH.includes(name));
  for (const name of found) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, handedOn);
  return found.filter((name) => !(name in handedOn)).sort();
}
