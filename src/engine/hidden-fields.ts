/**
 * Defines fields that are not enumerable. A failing assertion prints all that it reaches from a socket, to any depth and
 * without `inspect.custom`: it must not reach the engine's memory, which holds the bytes of all connections.
 */
export function defineHidden(owner: object, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(owner, name, { value, writable: true, configurable: true });
  }
}
