/** Two connected pairs with a relay between them: `client` <-> `a` = relay = `b` <-> `far`. */
import type { Socket } from 'node:net';
import { relay, type RelayOptions, type RelayResult, type SocketOptions } from 'nearwire';
import { nextTurn, pair } from './sockets.js';
import type { Family, Subject } from './subjects.js';

export interface Ends {
  client: Socket;
  a: Socket;
  b: Socket;
  far: Socket;
}

export interface Relayed extends Ends {
  /** How the relay came out; never rejects. */
  outcome: Promise<RelayResult | NodeJS.ErrnoException>;
}

/** The four sockets, without a relay yet. `sink`: options of `b`. */
export async function ends(subject: Subject, family: Family, sink: SocketOptions = {}): Promise<Ends> {
  const options = { server: { allowHalfOpen: true }, client: { allowHalfOpen: true } };
  const { client, peer: a } = await pair(subject, family, options);
  const { client: b, peer: far } = await pair(subject, family, { ...options, client: { ...options.client, ...sink } });
  for (const socket of [client, far]) socket.on('error', () => undefined);
  return { client, a, b, far };
}

export function startRelay({ a, b }: Pick<Ends, 'a' | 'b'>, options?: RelayOptions): Relayed['outcome'] {
  return relay(a, b, options).catch((error: unknown) => error as NodeJS.ErrnoException);
}

export async function relayed(subject: Subject, family: Family, options?: RelayOptions): Promise<Relayed> {
  const four = await ends(subject, family);
  return { ...four, outcome: startRelay(four, options) };
}

/** Resolves when it is so; asks again in each turn of the loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn();
}
