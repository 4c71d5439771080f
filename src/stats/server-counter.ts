/** The counters of one server, kept natively or by node's own sockets, and the lookup from a server to them. */
import type * as net from 'node:net';
import { addonStatus, SERVER_COUNTERS, type NativeTally } from '../binding/addon.js';
import type { TransportName } from '../config/options.js';
import { onAccepted } from '../node/accepted-sockets.js';
import { NodeConnections } from './node-connections.js';
import type { ServerStats } from './server-stats.js';

type CommonStats = 'transport' | 'accepted' | 'dropped' | 'active' | 'bytesRead' | 'bytesWritten';
type EngineStats = Omit<ServerStats, CommonStats>;
type Totals = Record<(typeof SERVER_COUNTERS)[number], number>;

const NANOS_PER_MILLI = 1e6;

function readTotals(tally: NativeTally): Totals {
  const values = tally.totals();
  return Object.fromEntries(SERVER_COUNTERS.map((name, i) => [name, values[i] ?? 0])) as Totals;
}

export class ServerCounter {
  /** Connections that JavaScript closed as soon as they had been accepted. */
  dropped = 0;
  /** Made by the first native listen. */
  private nativeTally: NativeTally | undefined;
  private nodes: NodeConnections | undefined;

  /** The native counters. */
  get tally(): NativeTally {
    const { addon } = addonStatus();
    // Only native servers ask for it, and they exist only with the addon.
    return (this.nativeTally ??= (addon as NonNullable<typeof addon>).createTally());
  }

  /** Makes the engine's counters part of the result, even while they are all zero. */
  startTally(): void {
    this.nativeTally ??= this.tally;
  }

  /** The counters of node's own sockets. */
  get nodeConnections(): NodeConnections {
    return (this.nodes ??= new NodeConnections());
  }

  /** Counts what one of node:net's servers accepts from now on, before any other listener runs. */
  watch(server: net.Server): void {
    onAccepted(server, this.nodeConnections.note);
    server.prependListener('drop', () => {
      this.dropped++;
      this.nodeConnections.accepted++;
    });
  }

  get queueHighWater(): number | undefined {
    return this.nativeTally === undefined ? undefined : readTotals(this.nativeTally).queueHighWater;
  }

  /** `active`: open connections, if the caller counts them itself. */
  stats(transport: TransportName, active?: number): ServerStats {
    const totals = this.nativeTally === undefined ? undefined : readTotals(this.nativeTally);
    const bytes = this.nodes?.bytes ?? { read: 0, written: 0 };
    return {
      transport,
      accepted: (totals?.accepted ?? 0) + (this.nodes?.accepted ?? 0),
      dropped: (totals?.shed ?? 0) + this.dropped,
      active: active ?? totals?.active ?? 0,
      bytesRead: (totals?.bytesRead ?? 0) + bytes.read,
      bytesWritten: (totals?.bytesWritten ?? 0) + bytes.written,
      ...seenByEngine(transport === 'native' ? totals : undefined),
    };
  }
}

/** Counters that the `js` transport cannot provide. */
function seenByEngine(totals: Totals | undefined): EngineStats {
  return {
    shed: totals?.shed,
    turns: totals?.turns,
    messages: totals?.messages,
    messagesPerTurn: totals === undefined || totals.turns === 0 ? undefined : totals.messages / totals.turns,
    reads: totals?.reads,
    readEagains: totals?.readEagains,
    sends: totals?.sends,
    partialSends: totals?.partialSends,
    sendEagains: totals?.sendEagains,
    waits: totals?.waits,
    waitMillis: totals === undefined ? undefined : totals.waitNanos / NANOS_PER_MILLI,
    queueHighWater: totals?.queueHighWater,
  };
}

const counters = new WeakMap<object, ServerCounter>();

/** The counter of a server of any kind, made on first use. */
export function counterFor(server: object): ServerCounter {
  let counter = counters.get(server);
  if (counter === undefined) counters.set(server, (counter = new ServerCounter()));
  return counter;
}

/** Registers the counter under which a server is found, and returns it. */
export function setCounter(server: object, counter: ServerCounter): ServerCounter {
  counters.set(server, counter);
  return counter;
}

/** The counter of a server, if it has one. */
export function counterOf(server: object): ServerCounter | undefined {
  return counters.get(server);
}

/**
 * The most connections that a server has found in its accept queue at once; a lower bound of how long the queue has
 * been. undefined for a server without that counter: one of node:net's, or on `js`.
 */
export function queueHighWater(server: object): number | undefined {
  return counters.get(server)?.queueHighWater;
}
