/** What keeps the process alive: node lists its own handles, and only those. */

/** The part of process that node's types leave out. */
interface ActiveHandles {
  _getActiveHandles(): unknown[];
}

/** What node would list for a socket or server, had it a handle of node's. */
export interface Active {
  owner: object;
  /** As node calls the handle that would be there. */
  resource: string;
}

/** The owners of node's handles. */
export function activeHandles(): unknown[] {
  return (process as unknown as ActiveHandles)._getActiveHandles();
}

/** Has `process._getActiveHandles()` and `process.getActiveResourcesInfo()` name these too. */
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
