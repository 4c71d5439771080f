/** A server of a case, and the plain C client that loads it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { commandWords, firstWord } from '../cell-processes.js';
import type { Params } from '../model.js';
import { Peer, type Program } from '../peer.js';
import { onCore } from '../placement.js';
import { uwsgiPacket } from '../work/uwsgi-packet.js';
import type { GateCase } from './cases.js';

/** To start and to warm up, under valgrind on a busy machine. */
export const PATIENCE_MS = 120_000;

export interface GateContext {
  readonly floor: string;
  /** For sockets and other files. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export interface Pair {
  readonly server: Peer;
  readonly client: Peer;
  stop(): Promise<void>;
}

/** Arguments for node: server.ts of a case, with the build in a folder. */
export function serverWords(build: string, { name }: GateCase, address: string): string[] {
  return [fileURLToPath(new URL('server.js', import.meta.url)), build, name, address];
}

/** `program` must listen on a socket file; `load`: further arguments of the client, `schedule`: how it is run. */
export async function startPair(
  { name, client: words, uwsgi }: GateCase,
  address: string,
  program: Program,
  load: Params,
  { floor, folder, signal }: GateContext,
  [serverCore, clientCore = serverCore]: readonly number[] = [],
  schedule = (client: Program): Program => client,
): Promise<Pair> {
  const server = new Peer(`server of ${name}`, onCore(program, serverCore), [], signal);
  await firstWord(server, 'ready', PATIENCE_MS);
  const request = uwsgi ? uwsgiRequest(folder) : undefined;
  const args = ['load', ...words, ...commandWords({ family: 'unix', address, request, ...load })];
  const generator = onCore({ command: floor, args }, clientCore);
  const client = new Peer(`client of ${name}`, schedule(generator), [], signal);
  const stop = async (): Promise<void> => {
    await Promise.all([client.stop(), server.stop()]);
  };
  return { server, client, stop };
}

/** A file with the packet, for the generator. */
function uwsgiRequest(folder: string): string {
  const file = join(folder, 'request');
  writeFileSync(file, uwsgiPacket());
  return file;
}
