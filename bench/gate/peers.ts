/** A server of a case, and the plain C client that loads it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { encodePacket } from 'nearwire/internal';
import { commandWords, firstWord } from '../cell-processes.js';
import type { Params } from '../model.js';
import { Peer, type Program } from '../peer.js';
import { onCore } from '../placement.js';
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

/** `program` must listen on a socket file; `load`: further arguments of the client. */
export async function startPair(
  { name, client: words, uwsgi }: GateCase,
  address: string,
  program: Program,
  load: Params,
  { floor, folder, signal }: GateContext,
  [serverCore, clientCore = serverCore]: readonly number[] = [],
): Promise<Pair> {
  const server = new Peer(`server of ${name}`, onCore(program, serverCore), [], signal);
  await firstWord(server, 'ready', PATIENCE_MS);
  const request = uwsgi ? uwsgiRequest(folder) : undefined;
  const args = ['load', ...words, ...commandWords({ family: 'unix', address, request, ...load })];
  const client = new Peer(`client of ${name}`, onCore({ command: floor, args }, clientCore), [], signal);
  const stop = async (): Promise<void> => {
    await Promise.all([client.stop(), server.stop()]);
  };
  return { server, client, stop };
}

/** A file with all variables of Debian's uwsgi_params, as nginx sends them for a GET of `/`. */
function uwsgiRequest(folder: string): string {
  const file = join(folder, 'request');
  const variables = {
    ...{ CONTENT_TYPE: '', CONTENT_LENGTH: '', DOCUMENT_ROOT: '/usr/share/nginx/html' },
    ...{ REMOTE_ADDR: '127.0.0.1', REMOTE_PORT: '40000' },
  };
  const plan = { method: 'GET', url: '/', contentLength: undefined, headers: [], modifier1: 0, modifier2: 0 };
  writeFileSync(file, encodePacket({ ...plan, variables }));
  return file;
}
