/** What is counted for one server, natively or by node's own sockets, and how it is found again from the server. */
import type * as net from 'node:net';
import { addonStatus, SERVER_COUNTERS, type NativeTally } from '../binding/addon.js';
import type { TransportName } from '../config/options.js';
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
  /** Connections that were closed as soon as they had been accepted, by a decision made in JavaScript. */
  dropped = 0;
  /** Made by the first native listening. */
  private nativeTally: NativeTally | undefined;
  private nodes: NodeConnections | undefined;

  /** Where the engine counts. */
  get tally(): NativeTally {
    const { addon } = addonStatus();
    // Only native servers ask, and there is none without the addon.
    return (this.nativeTally ??= (addon as NonNullable<typeof addon>).createTally());
  }

  /** Has the engine's numbers told, though it may not have counted anything yet. */
  startTally(): void {
    this.nativeTally ??= this.tally;
  }

  /** What node's own sockets tell. */
  get nodeConnections(): NodeConnections {
    return (this.nodes ??= new NodeConnections());
  }

  /** Counts what a server of node:net's accepts, from now on; before anybody else hears of it. */
  watch(server: net.Server): void {
    server.prependListener('connection', this.nodeConnections.note);
    server.prependListener('drop', () => {
      this.dropped++;
      this.nodeConnections.accepted++;
    });
  }

  get queueHighWater(): number | undefined {
    return this.nativeTally === undefined ? undefined : readTotals(this.nativeTally).queueHighWater;
  }

  /** `active` is for the caller to know, who may count them already. */
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

/** What the `js` transport can't see. */
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

/** The counter of a server, of whatever kind, made when first asked for. */
export function counterFor(server: object): ServerCounter {
  let counter = counters.get(server);
  if (counter === undefined) counters.set(server, (counter = new ServerCounter()));
  return counter;
}

/** Has a server found by its counter, which it answers. */
export function setCounter(server: object, counter: ServerCounter): ServerCounter {
  counters.set(server, counter);
  return counter;
}

/** The counter of a server that has one. */
export function counterOf(server: object): ServerCounter | undefined {
  return counters.get(server);
}

/**
 * The most connections that a server has found waiting to be accepted at once; a lower bound of how deep its queue has
 * been. undefined for a server that does not count: one of node:net's, or on `js`.
 */
export function queueHighWater(server: object): number | undefined {
  return counters.get(server)?.queueHighWater;
}
