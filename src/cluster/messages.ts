/**
 * What passes between a cluster's primary and its workers so that they share a listening socket. The words are those of
 * node's own cluster, under another name: a worker asks as it would for a shared handle, and the answer comes back in
 * node's form, so that closing and disconnecting are node's work.
 */

/** node keeps messages whose `cmd` begins so from the program's own 'message' listeners. */
export const QUERY = 'NODE_NEARWIRE';
/** node's cluster's own. */
export const CLUSTER = 'NODE_CLUSTER';

/** A worker's environment names the primary that answers here by its process id. */
export const PRIMARY_VARIABLE = 'NEARWIRE_CLUSTER_PRIMARY';

/** The keys of our handles, apart from those of node's. */
const KEY_PREFIX = 'nearwire:';

/** What node's worker sends when a server wants to listen. */
export interface Query {
  cmd: string;
  act: 'queryServer';
  seq: number;
  /** Counts a worker's servers at one address, those that could not listen too. */
  index: number;
  address: string | null;
  port: number;
  addressType: number | null;
  fd: number | undefined;
  flags: number | undefined;
  readableAll?: boolean;
  writableAll?: boolean;
}

/** What node's worker sends when its server has closed. */
export interface Close {
  cmd: string;
  act: 'close';
  key: string;
}

/** What our primary sends ahead of a socket, beside a packet with the memory that those who share it have. */
export interface PlaceMessage {
  cmd: string;
  act: 'place';
  /** Of the query that the socket answers. */
  seq: number;
  /** The worker's place in the memory. */
  place: number;
}

/** The socket at an address, whatever servers of a worker have had one there before. Each server of port 0 has its own. */
export function keyOf(query: Query): string {
  const { address, port, addressType, fd } = query;
  return port === 0 ? keyOfNext(query) : KEY_PREFIX + [address, port, addressType, fd].map(String).join(':');
}

/** One more at this address, for a worker that has the other. */
export function keyOfNext({ address, port, addressType, fd, index }: Query): string {
  return KEY_PREFIX + [address, port, addressType, fd, index].map(String).join(':');
}

export function isOurs(key: string): boolean {
  return key.startsWith(KEY_PREFIX);
}

/** A message of this command, from whatever another process has sent. */
export function isMessage<T extends { cmd: string; act: string }>(
  value: unknown,
  cmd: string,
  act: T['act'],
): value is T {
  if (typeof value !== 'object' || value === null) return false;
  const message = value as Partial<T>;
  return message.cmd === cmd && message.act === act;
}
