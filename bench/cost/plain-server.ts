/** A plain C server that answers by a hop's protocol: what is left of an app server where nothing can be left out any more. */
import { join } from 'node:path';

import { firstWord } from '../cell-processes.js';
import { Peer } from '../peer.js';
import type { Hop, Target } from './model.js';

const ANSWER_MS = 10_000;

export interface PlainServer {
  readonly target: Target;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** `folder`: empty, for its socket. `bytes`: of each answer's body. */
export async function startPlainServer(
  { family, protocol }: Hop,
  bytes: number,
  { floor, folder, signal }: { readonly floor: string; readonly folder: string; readonly signal: AbortSignal },
): Promise<PlainServer> {
  const path = join(folder, 'plain.sock');
  const words = [
    ...['serve', '--case', 'cost', '--family', family, '--address', family === 'unix' ? path : '127.0.0.1:0'],
    ...['--protocol', protocol === 'uwsgi' ? 'uwsgi' : 'http', '--answer', String(bytes)],
  ];
  const peer = new Peer('the plain C server', { command: floor, args: [] }, words, signal);
  const { address } = await firstWord(peer, 'ready', ANSWER_MS);
  const [host = '', port] = String(address).split(':');
  return {
    target: family === 'unix' ? { path } : { host, port: Number(port) },
    pids: peer.pid === undefined ? [] : [peer.pid],
    stop: () => peer.stop(),
  };
}
