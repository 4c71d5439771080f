/** Two builds in turns: the CPU that a request takes on each, slice beside slice. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { sweep, type Lane } from '../cost/sweeps.js';
import { commandWords } from '../cell-processes.js';
import { isMessage, numberOf, Peer, PeerError, type Program } from '../peer.js';
import { allowedCores, onCore } from '../placement.js';
import type { GateCase } from './cases.js';

/** In seconds: V8 has compiled what is hot. */
const WARM_UP = 1.5;
const SLICE = 0.05;
const ANSWER_MS = 10_000;

export interface Effort {
  /** Of processes of their own: where code and data lie in memory is luck, and stays so for a process's time. */
  readonly blocks: number;
  /** Of each block. */
  readonly sweeps: number;
}

/** Of five cases together below three minutes. */
export const EFFORT: Effort = { blocks: 5, sweeps: 24 };

export interface PairContext {
  readonly floor: string;
  /** For sockets. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Microseconds of CPU a request, sweep by sweep, in each block. */
export interface Pair {
  readonly before: number[][];
  readonly after: number[][];
}

/** `before` and `after`: folders of builds. */
export async function measurePair(
  gateCase: GateCase,
  builds: { readonly before: string; readonly after: string },
  context: PairContext,
  { blocks, sweeps }: Effort = EFFORT,
): Promise<Pair> {
  const pair: Pair = { before: [], after: [] };
  for (let block = 0; block < blocks; block++) {
    const sides: Side[] = [];
    try {
      for (const name of ['before', 'after'] as const) {
        sides.push(await Side.start(name, builds[name], gateCase, context));
      }
      const values = await sweep(sides, {
        ...{ sweeps, from: block * sweeps, signal: context.signal },
        onSweep: () => undefined,
        onFailure: (_lane, error) => {
          throw error;
        },
      });
      pair.before.push(values.get('before') ?? []);
      pair.after.push(values.get('after') ?? []);
    } finally {
      await Promise.all(sides.map((side) => side.stop()));
    }
  }
  return pair;
}

/** A server and its client, which are at rest but for their slices. */
class Side implements Lane {
  private constructor(
    readonly name: string,
    private readonly server: Peer,
    private readonly client: Peer,
  ) {}

  static async start(
    name: string,
    build: string,
    gateCase: GateCase,
    { folder, floor, signal }: PairContext,
  ): Promise<Side> {
    const address = join(folder, name);
    const label = `${gateCase.name} ${name}`;
    const node = [fileURLToPath(new URL('server.js', import.meta.url)), build, gateCase.name, address];
    const load = ['load', ...gateCase.client, '--family', 'unix', '--address', address];
    const words = commandWords({ connections: gateCase.connections ?? 1, warmup: WARM_UP, seconds: SLICE });
    const cores = allowedCores();
    const place = (program: Program, core: number | undefined): Program =>
      core === undefined ? program : onCore(program, core);
    const server = new Peer(
      `server of ${label}`,
      place({ command: process.execPath, args: node }, cores.at(-1)),
      [],
      signal,
    );
    try {
      await server.expect('ready', ANSWER_MS);
      const program = place({ command: floor, args: [...load, ...words] }, cores.at(-2) ?? cores.at(-1));
      const client = new Peer(`client of ${label}`, program, [], signal);
      const side = new Side(name, server, client);
      try {
        await client.expect('warm', ANSWER_MS);
      } catch (error) {
        await side.stop();
        throw error;
      }
      return side;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async slice(): Promise<number> {
    const before = await this.server.ask('cpu', ANSWER_MS);
    this.client.say('go');
    const { result } = await this.client.expect('result', ANSWER_MS);
    await this.client.expect('warm', ANSWER_MS);
    const cpu = (await this.server.ask('cpu', ANSWER_MS)) - before;
    if (!isMessage(result) || numberOf(result, 'errors') > 0) {
      throw new PeerError(`${this.name}: ${JSON.stringify(result)}`);
    }
    return cpu / numberOf(result, 'operations');
  }

  async stop(): Promise<void> {
    await Promise.all([this.client.stop(), this.server.stop()]);
  }
}
