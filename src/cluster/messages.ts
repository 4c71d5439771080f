/**
 * The messages by which a cluster's primary and its workers share a listening socket. They are those of node's own
 * cluster under another name: a worker asks as for a shared handle and gets the reply in node's form, so that node's
 * own code closes and disconnects.
 */

/** Node hides messages whose `cmd` starts like this from the program's 'message' listeners. */
export const QUERY = 'NODE_NEARWIRE';
/** The `cmd` of node's own cluster. */
export const CLUSTER = 'NODE_CLUSTER';

/**
 * The environment variable by which a primary announces to its workers that it answers these messages; its value is the
 * primary's process id.
 */
export const PRIMARY_VARIABLE = 'NEARWIRE_CLUSTER_PRIMARY';

/** Separates the keys of our handles from those of node's. */
const KEY_PREFIX = 'nearwire:';

/** Sent by node's worker code when a server wants to listen. */
export interface Query {
  cmd: string;
  act: 'queryServer';
  seq: number;
  /** Counts a worker's servers at one address, including those that failed to listen. */
  index: number;
  address: string | null;
  port: number;
  addressType: number | null;
  fd: number | undefined;
  flags: number | undefined;
  readableAll?: boolean;
  writableAll?: boolean;
}

/** Sent by node's worker code when its server has closed. */
export interface Close {
  cmd: string;
  act: 'close';
  key: string;
}

/**
 * Sent by our primary before the socket, together with a packet that carries the memory shared by the workers of that
 * socket.
 */
export interface PlaceMessage {
  cmd: string;
  act: 'place';
  /** The number of the query that the socket answers. */
  seq: number;
  /** The worker's place in that memory. */
  place: number;
}

/**
 * The key of the socket at an address, the same for successive servers of a worker. Each server with port 0 has its
 * own.
 */
export function keyOf(query: Query): string {
  const { address, port, addressType, fd } = query;
  return port === 0 ? keyOfNext(query) : KEY_PREFIX + [address, port, addressType, fd].map(String).join(':');
}

/** The key of a further socket at this address, for a worker that already has the first. */
export function keyOfNext({ address, port, addressType, fd, index }: Query): string {
  return KEY_PREFIX + [address, port, addressType, fd, index].map(String).join(':');
}

export function isOurs(key: string): boolean {
  return key.startsWith(KEY_PREFIX);
}

/** Whether `value`, sent by another process, is a message with this command. */
export function isMessage<T extends { cmd: string; act: string }>(
  value: unknown,
  cmd: string,
  act: T['act'],
): value is T {
  if (typeof value !== 'object' || value === null) return false;
  const message = value as Partial<T>;
  return message.cmd === cmd && message.act === act;
}
