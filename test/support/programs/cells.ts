/** The ways on which each program is run, and its processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { transportStatus } from 'nearwire';
import { heard } from '../children.js';
import { cleanup, temporaryDirectory } from '../sockets.js';
import { families, type Family } from '../subjects.js';
import type { DatabaseResult } from './database.js';
import type { Address, Road } from './seam.js';
import { FULL, LIGHT, UNREAD, type Amount, type WorkResult } from './work.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const REGISTER = join(ROOT, 'dist/bundle/register.js');
const PROGRAMS = join(ROOT, 'dist/test/support/programs');

/** How a program gets to its sockets. */
export interface Cell {
  readonly name: string;
  readonly road: Road;
  readonly transport: 'native' | 'js';
  readonly family: Family;
  readonly amount: Amount;
}

/** All of the work once on each road and over each family; `js` is node:net itself, and once over is enough. */
const FULL_CELLS = ['register, native, unix', 'api, native, tcp', 'api, js, unix'];

const TRANSPORTS =
  transportStatus().addon !== undefined || process.env['CI'] ? (['native', 'js'] as const) : (['js'] as const);

export const cells: readonly Cell[] = (['api', 'register'] as const).flatMap((road) =>
  TRANSPORTS.flatMap((transport) =>
    families.map((family) => {
      const name = `${road}, ${transport}, ${family}`;
      const amount = { ...(FULL_CELLS.includes(name) ? FULL : LIGHT), unread: UNREAD[family] };
      return { name, road, transport, family, amount };
    }),
  ),
);

/** A program is slow where the machine is; its end by this is a failure. */
export const PROGRAM_TIMEOUT_MILLIS = 120_000;

export interface ClientResult extends WorkResult {
  /** Sockets that the client connected, by transport. */
  readonly sockets: Readonly<Record<string, number>>;
}

/** Starts a process that is to use nearwire on the cell's road. */
function startNode(cell: Cell, script: string, words: readonly string[]): ChildProcess {
  const { road, transport } = cell;
  const preload = road === 'register' ? ['--require', REGISTER] : [];
  const child = spawn(process.execPath, [...preload, join(PROGRAMS, script), ...words], {
    env: { ...process.env, NEARWIRE_TRANSPORT: transport, NEARWIRE_TCP: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  cleanup(() => child.kill('SIGKILL'));
  return child;
}

export function freshAddress(family: Family): Address {
  return family === 'unix' ? { path: join(temporaryDirectory(), 'app.sock') } : { host: '127.0.0.1', port: 0 };
}

/** Starts a program's server; it is gone when the test is over. Answers where it listens. */
export async function startServer(cell: Cell, name: string, upstream?: Address): Promise<Address> {
  const words = [name, cell.road, JSON.stringify(freshAddress(cell.family))];
  if (upstream !== undefined) words.push(JSON.stringify(upstream));
  return (await heard(startNode(cell, 'server.js', words))) as Address;
}

/** Runs a program's client to its end, and answers what it says. */
export async function runClient(cell: Cell, name: string, address: Address): Promise<ClientResult> {
  const words = [name, cell.road, JSON.stringify(address), JSON.stringify(cell.amount)];
  return (await resultOf(startNode(cell, 'client.js', words))) as ClientResult;
}

/** The same for the client of a database. */
export async function runDatabase(cell: Cell, name: string, address: Address): Promise<DatabaseResult> {
  const words = [name, cell.road, JSON.stringify(address), String(cell.amount.requests)];
  return (await resultOf(startNode(cell, 'database.js', words))) as DatabaseResult;
}

async function resultOf(child: ChildProcess): Promise<unknown> {
  const over = once(child, 'close');
  const result = await heard(child);
  expect((await over)[0]).toBe(0);
  return result;
}

/** What a socket of the cell says of its transport; with the preload `js` is node's own, which says nothing. */
export function labelOf({ road, transport }: Cell): string {
  return road === 'register' && transport === 'js' ? 'node:net' : transport;
}
