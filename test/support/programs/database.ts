/** A database client in a process of its own: `node database.js NAME ROAD ADDRESS REQUESTS`. It says what came of it. */
import * as net from 'node:net';
import { bodyOf, compare, lengthOf } from './bodies.js';
import { countTransports, openSeam, type Address, type Road, type Seam } from './seam.js';
import { inParallel } from './work.js';

/** One connection to a server, by one of the client libraries. */
export interface Connection {
  /** Sends a value and has the server send it back. Many may be under way at a time. */
  echo(value: Buffer, i: number): Promise<Buffer>;
  /** Subscribes, on a connection of its own; `send` publishes. undefined where the server has no such thing. */
  subscribe(onMessage: (text: string) => void): Promise<((text: string) => Promise<void>) | undefined>;
  /** Has the server cut the connection while a query waits. Resolves when the client has noticed. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseResult {
  readonly values: number;
  readonly bytes: number;
  readonly messages: number;
  readonly dropped: boolean;
  /** Sockets of node's own that were open beyond those of the process itself, with the connection standing. */
  readonly nodeSockets: number;
}

type Open = (seam: Seam, address: Address, road: Road) => Promise<Connection>;

const CLIENTS: Readonly<Record<string, () => Promise<{ open: Open }>>> = {
  pg: () => import('./databases/pg.js'),
  postgres: () => import('./databases/postgres.js'),
  ioredis: () => import('./databases/ioredis.js'),
  redis: () => import('./databases/redis.js'),
  mysql2: () => import('./databases/mysql2.js'),
};

/** Queries under way on the one connection. */
const PIPELINED = 50;
const MESSAGES = 500;

/** A part of process that its types leave out. */
const { _getActiveHandles: activeHandles } = process as unknown as { _getActiveHandles(): object[] };

function countNodeSockets(): number {
  const sockets = activeHandles.call(process).filter((handle) => handle instanceof net.Socket);
  return sockets.length - (countTransports(sockets)['native'] ?? 0);
}

async function echoAll(connection: Connection, count: number): Promise<number> {
  let bytes = 0;
  await inParallel(count, PIPELINED, async (i) => {
    const value = bodyOf(i, lengthOf(i));
    compare(`value ${String(i)}`, await connection.echo(value, i), value);
    bytes += value.length;
  });
  return bytes;
}

/** Messages in order, each once. */
async function publishAll(connection: Connection): Promise<number> {
  const received: string[] = [];
  let done: (() => void) | undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  const send = await connection.subscribe((text) => {
    if (received.push(text) === MESSAGES) done?.();
  });
  if (send === undefined) return 0;
  const wanted = Array.from({ length: MESSAGES }, (_, i) => `message ${String(i)}`);
  for (const text of wanted) await send(text);
  await all;
  if (received.join() !== wanted.join()) throw new Error('messages came out of order');
  return received.length;
}

const [name = '', road = '', address = '', requests = ''] = process.argv.slice(2);
const program = CLIENTS[name];
if (program === undefined) throw new Error(`there is no client "${name}"`);
const { open } = await program();
const seam = await openSeam(road as Road);
const connect = (): Promise<Connection> => open(seam, JSON.parse(address) as Address, road as Road);

const before = countNodeSockets();
const first = await connect();
const values = Number(requests);
const bytes = await echoAll(first, values);
const nodeSockets = countNodeSockets() - before;
const messages = await publishAll(first);
await first.drop();
// A new one, as if nothing had been.
const second = await connect();
await echoAll(second, PIPELINED);
await second.close();
const result: DatabaseResult = { values, bytes, messages, dropped: true, nodeSockets };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
