/** The processes of a round: a server for each subject, all of them idle but one, and the reader. */
import { fileURLToPath } from 'node:url';

import { isMessage, numberOf, Peer, PeerError, type Message, type Program } from '../peer.js';
import type { Target } from '../work/words.js';
import type { CellOrder } from './reader.js';
import type { Sample, SubjectName, SweepCell, Values } from './model.js';
import type { SweepPlan } from './plan.js';

/** To start, to listen, to answer a word: what takes longer has hung. */
const ANSWER_MS = 10_000;

export interface Timing {
  readonly warmup: number;
  readonly seconds: number;
}

export class Stage {
  private readonly peers: readonly Peer[];
  private readonly reader: Peer;
  private readonly targets: ReadonlyMap<SubjectName, Message>;

  private constructor(reader: Peer, peers: readonly Peer[], targets: ReadonlyMap<SubjectName, Message>) {
    this.reader = reader;
    this.peers = peers;
    this.targets = targets;
  }

  /** Starts all processes. `folder` has the bodies, and takes the socket files. */
  static async open(plan: SweepPlan, folder: string, signal: AbortSignal): Promise<Stage> {
    const peers: Peer[] = [];
    const start = (name: string, file: string, words: readonly string[]): Peer => {
      const peer = new Peer(name, nodeProgram(file), words, signal);
      peers.push(peer);
      return peer;
    };
    try {
      const words = ['--family', plan.family, '--folder', folder, '--buffers', plan.buffers.join(',')];
      const servers = plan.subjects.map((subject) => ({
        subject,
        peer: start(`the server of ${subject}`, 'server.js', ['--subject', subject, ...words]),
      }));
      const reader = start('the reader', 'reader.js', []);
      await reader.expect('ready', ANSWER_MS);
      const targets = new Map<SubjectName, Message>();
      for (const { subject, peer } of servers) {
        const { ready } = await peer.expect('ready', ANSWER_MS);
        if (!isMessage(ready)) throw new PeerError(`the server of ${subject} told no addresses`);
        targets.set(subject, ready);
      }
      return new Stage(reader, peers, targets);
    } catch (error) {
      await stopAll(peers);
      throw error;
    }
  }

  async run(cell: SweepCell, round: number, { warmup, seconds }: Timing): Promise<Sample> {
    const target = this.targetOf(cell);
    const order: CellOrder = { target, bytes: cell.size, seconds, warmup };
    this.reader.say(JSON.stringify(order));
    const { cell: reading } = await this.reader.expect('cell', ANSWER_MS + (warmup + seconds) * 1e3);
    if (!isMessage(reading)) throw new PeerError('the reader told no figures');
    return {
      ...cell,
      round,
      values: valuesOf(reading),
      set: numberOf(reading, 'set'),
      effective: numberOf(reading, 'effective'),
    };
  }

  /** Ends all processes. Safe to call twice. */
  async close(): Promise<void> {
    await stopAll(this.peers);
  }

  private targetOf({ subject, buffer }: SweepCell): Target {
    const address = this.targets.get(subject)?.[String(buffer)];
    if (typeof address !== 'string')
      throw new PeerError(`the server of ${subject} has no listener for ${String(buffer)}`);
    const tcp = /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(address);
    return tcp ? { host: tcp[1] ?? '', port: Number(tcp[2]) } : { path: address };
  }
}

async function stopAll(peers: readonly Peer[]): Promise<void> {
  await Promise.all(peers.map((peer) => peer.stop()));
}

function nodeProgram(file: string): Program {
  return { command: process.execPath, args: [fileURLToPath(new URL(file, import.meta.url))] };
}

function valuesOf(reading: Message): Values {
  return {
    rate: numberOf(reading, 'rate'),
    p50: numberOf(reading, 'p50'),
    p99: numberOf(reading, 'p99'),
    cpu: numberOf(reading, 'cpu'),
    held: numberOf(reading, 'held'),
  };
}
