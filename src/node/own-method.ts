/**
 * Whether a method is node's own. Tracing libraries replace methods on node's prototypes, often before nearwire loads:
 * the methods found there are then theirs, and have to be called.
 *
 * A replacement cannot name what is private to node's modules. Where a build of node has no source text of them, the
 * answer is no, and node's methods are called as they are.
 */
export function isNodesOwn(method: unknown, privateName: string): boolean {
  return typeof method === 'function' && Function.prototype.toString.call(method).includes(privateName);
}
