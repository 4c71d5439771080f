/** Selects the observer for a server. */
import type * as net from 'node:net';
import type { ChannelServer } from '../channel/types.js';
import { addonStatus } from '../binding/addon.js';
import { counterOf } from '../stats/server-counter.js';
import { findConnections } from './connections.js';
import { TallyObserver, type Observer } from './observe.js';
import { Sampler } from './sample.js';

type Server = net.Server | ChannelServer;

/** Whether a server listens on TCP. */
function isTcp(server: Server): boolean {
  const address = server.address();
  return typeof address === 'object' && address !== null;
}

/** The observer for a server: the engine's counters if it carries the connections, otherwise sampling. */
export function observerOf(server: Server): Observer {
  const counter = counterOf(server);
  const { transport } = server as { transport?: unknown };
  if (counter !== undefined && transport === 'native') return new TallyObserver(counter.tally, () => isTcp(server));
  return new Sampler(findConnections(server), addonStatus().addon);
}
