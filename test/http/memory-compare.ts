/** Conversations in memory, with a server of node:http and with one of nearwire's. */
import { tellingNearwire } from './memory-engine.js';
import { tellingNode } from './memory-node.js';
import { Wire, type MemoryServer } from './memory-wire.js';
import { happenings, type Script, type Setting } from './talk.js';
import type { Difference } from './vectors-compare.js';

/** Rounds in which nothing happens, until a step is over: what is told by an immediate comes in the one after. */
const QUIET_ROUNDS = 2;
/** A step takes some ten rounds at most. */
const MOST_ROUNDS = 1000;
/** Connections at once, to each server. */
const CROWD = 100;

/** Not from within a microtask, which would hold up all others: ticks are run here. */
function settle(servers: readonly MemoryServer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let quiet = 0;
    let rounds = 0;
    const iterate = (): void => {
      const before = happenings;
      try {
        let happened = false;
        for (const server of servers) if (server.round()) happened = true;
        quiet = happened || happenings !== before ? 0 : quiet + 1;
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        // What a tick throws has to be uncaught: it leaves node's stack of async ids as it was within the tick.
        throw error;
      }
      if (quiet === QUIET_ROUNDS) resolve();
      else if (++rounds === MOST_ROUNDS) reject(new Error('something happens in each round, without an end'));
      else setImmediate(iterate);
    };
    setImmediate(iterate);
  });
}

async function talkAll(
  servers: readonly MemoryServer[],
  setting: Setting,
  scripts: readonly Script[],
): Promise<string[][][]> {
  const wires = servers.map((server) =>
    scripts.map((script) => {
      const wire = new Wire(script, setting);
      server.connect(wire);
      return wire;
    }),
  );
  const all = wires.flat();
  const steps = Math.max(...scripts.map(({ pieces }) => pieces.length));
  for (let step = 0; step < steps; step++) {
    for (const wire of all) wire.send(step);
    await settle(servers);
  }
  for (const wire of all) {
    wire.send(Infinity);
    wire.end();
  }
  await settle(servers);
  const records = wires.map((those) => those.map(({ talk }) => talk.record));
  for (const server of servers) server.clear();
  return records;
}

/** Two servers, of which the first is right: they serve all that follows. */
export class Comparison {
  constructor(
    private readonly servers: readonly [expected: MemoryServer, told: MemoryServer],
    private readonly setting: Setting,
  ) {}

  /** What each of them makes of each script. */
  async recordsOf(scripts: readonly Script[]): Promise<string[][][]> {
    const records: string[][][] = this.servers.map(() => []);
    for (let at = 0; at < scripts.length; at += CROWD) {
      const some = await talkAll(this.servers, this.setting, scripts.slice(at, at + CROWD));
      some.forEach((those, i) => records[i]?.push(...those));
    }
    return records;
  }

  async differences(scripts: readonly Script[]): Promise<Difference[]> {
    const [expected = [], told = []] = await this.recordsOf(scripts);
    return scripts.flatMap((script, i) => {
      const difference = { ...script, expected: expected[i] ?? [], told: told[i] ?? [] };
      return difference.expected.join('\n') === difference.told.join('\n') ? [] : [difference];
    });
  }
}

/** A server of node's and one of nearwire's. */
export class MemoryComparison extends Comparison {
  /** `ours` is nearwire's setting: another one than node's only to see that differences are noticed. */
  constructor(setting: Setting, ours = setting) {
    super([tellingNode(setting), tellingNearwire(ours)], setting);
  }
}
