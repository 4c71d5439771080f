/**
 * The hop by itself: the same bytes, over the same kind of connection, between two plain C processes, the generator in
 * the front's place. What they use beyond the kernel's part is a few hundred nanoseconds a request.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { isMessage, Peer, PeerError } from '../peer.js';
import { median } from '../statistics.js';
import { LoadGenerator } from './load.js';
import { slicesOf, type MeasureOptions } from './measure.js';
import type { Hop, HopSample, Target, Work } from './model.js';
import { takeLoadedSlices } from './slices.js';

const ANSWER_MS = 10_000;

export interface HopOptions extends Pick<MeasureOptions, 'floor' | 'timing' | 'host' | 'signal'> {
  readonly folder: string;
}

/** The plain C server, as an app behind a front. */
export interface PlainServer {
  readonly target: Target;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** `bytes`: of each answer's body. */
export async function startPlainServer(
  hop: Hop,
  bytes: number,
  options: Pick<HopOptions, 'floor' | 'folder' | 'signal'>,
): Promise<PlainServer> {
  const path = join(options.folder, 'plain.sock');
  if (hop.family === 'unix') {
    mkdirSync(options.folder, { recursive: true });
    // A server that was killed leaves its socket file, and the next one could not bind.
    rmSync(path, { force: true });
  }
  const address = hop.family === 'unix' ? path : '127.0.0.1:0';
  const peer = new Peer(
    'the plain C server',
    { command: options.floor, args: [] },
    [
      ...['serve', '--case', 'cost', '--family', hop.family, '--address', address],
      ...['--protocol', hop.protocol === 'uwsgi' ? 'uwsgi' : 'http', '--answer', String(bytes)],
    ],
    options.signal,
  );
  try {
    const ready = await peer.expect('ready', ANSWER_MS);
    if (!isMessage(ready) || typeof ready['address'] !== 'string') throw new PeerError('no address was told');
    const pids = peer.pid === undefined ? [] : [peer.pid];
    return { target: targetOf(hop, ready['address']), pids, stop: () => peer.stop() };
  } catch (error) {
    await peer.stop();
    throw error;
  }
}

function targetOf({ family }: Hop, address: string): Target {
  if (family === 'unix') return { path: address };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** undefined: of what mod_wsgi speaks there is no plain form, and of an answer of unknown length none to send. */
export async function measureHop(
  hop: Hop,
  work: Work,
  round: number,
  options: HopOptions,
): Promise<HopSample | undefined> {
  if (hop.protocol === 'mod_wsgi' || work.answerBytes === undefined) return undefined;
  const { floor, signal, timing, host } = options;
  const speech = { protocol: hop.protocol, connections: hop.connections };
  const server = await startPlainServer(hop, work.answerBytes, options);
  try {
    const open = (): Promise<LoadGenerator> =>
      LoadGenerator.open({
        ...{ floor, signal, work, target: server.target },
        speech,
        load: { kind: 'closed', connections: 1, seconds: timing.slice },
      });
    const taken = await takeLoadedSlices(host, slicesOf(timing, work), open, (generator) => generator.stretch());
    const time = median(taken.values.map(({ p50 }) => p50));
    return { hop, work: work.name, round, time, hostSpeed: taken.hostSpeed };
  } finally {
    await server.stop();
  }
}

/** Hops of the same name are the same: `unix-uwsgi-close`. */
export function hopName({ family, protocol, connections }: Hop): string {
  return `${family}-${protocol}-${connections}`;
}
