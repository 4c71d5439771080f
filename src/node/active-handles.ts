/** Adds native sockets to node's lists of what keeps the process alive, which contain node's own handles only. */

/** The part of `process` that node's types leave out. */
interface ActiveHandles {
  _getActiveHandles(): unknown[];
}

/** The entry that node would list for a socket or server if it had one of node's handles. */
export interface Active {
  owner: object;
  /** Node's name for that kind of handle. */
  resource: string;
}

/** The owners of node's handles. */
export function activeHandles(): unknown[] {
  return (process as unknown as ActiveHandles)._getActiveHandles();
}

/** Makes `process._getActiveHandles()` and `process.getActiveResourcesInfo()` list these too. */
export function addActiveHandles(more: () => readonly Active[]): void {
  const originalProcess = process as unknown as ActiveHandles;
  const originalHandles = originalProcess._getActiveHandles;
  const originalResources = process.getActiveResourcesInfo.bind(process);
  originalProcess._getActiveHandles = function _getActiveHandles() {
    return [...originalHandles.call(process), ...more().map(({ owner }) => owner)];
  };
  process.getActiveResourcesInfo = function getActiveResourcesInfo() {
    return [...originalResources(), ...more().map(({ resource }) => resource)];
  };
}
