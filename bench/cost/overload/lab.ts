/** Where a demonstration takes place: a process, in a network of its own if there may be one, and what it starts. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import { isMessage, Peer, PeerError } from '../../peer.js';
import type { Target } from '../model.js';
import type { AppWords } from './app.js';
import { Front, type FrontSettings } from './front.js';
import type { PortRange } from './network.js';

/** To start, to listen, to answer a word: what takes longer has hung. */
const ANSWER_MS = 10_000;

/** What a demonstration is told; JSON. */
export interface LabWords {
  readonly folder: string;
  /** nginx's program. */
  readonly nginx: string | undefined;
  /** In a network of its own. */
  readonly isolated: boolean;
  /** The host's own ports for outgoing connections, which a new network does not inherit. */
  readonly hostPorts: PortRange | undefined;
  /** Small limits, for a first look or a test. */
  readonly quick: boolean;
}

export interface App {
  readonly target: Target;
  stop(): Promise<void>;
}

/** The compiled program of this folder, whoever runs. */
export function programFile(name: string): string {
  return join(PACKAGE_ROOT, 'dist', 'bench', 'cost', 'overload', name);
}

export class Lab {
  private readonly running = new Set<{ stop(): Promise<void> }>();

  constructor(
    readonly words: LabWords,
    readonly signal: AbortSignal,
    /** Tells what is done now. */
    readonly step: (label: string) => void,
  ) {}

  /** A new path for a socket. */
  socketPath(): string {
    return join(mkdtempSync(join(this.words.folder, 'app-')), 's');
  }

  /** A UNIX application is given a path of its own; one over TCP is told its port. */
  async app(words: Omit<AppWords, 'target'>, where: 'unix' | { port: number }): Promise<App> {
    const asked: Target = where === 'unix' ? { path: this.socketPath() } : { host: '127.0.0.1', port: where.port };
    const program = { command: process.execPath, args: [programFile('app.js')] };
    const peer = new Peer('the application', program, [JSON.stringify({ ...words, target: asked })], this.signal);
    this.running.add(peer);
    const { ready } = await peer.expect('ready', ANSWER_MS);
    return { target: targetOf(ready), stop: () => this.stop(peer) };
  }

  async front(target: Target, settings: FrontSettings = {}): Promise<Front> {
    if (this.words.nginx === undefined) throw new Error('nginx is not installed');
    const front = await Front.start(this.words.nginx, this.words.folder, target, settings);
    this.running.add(front);
    return front;
  }

  async stop(...running: { stop(): Promise<void> }[]): Promise<void> {
    for (const one of running) this.running.delete(one);
    await Promise.all(running.map((one) => one.stop()));
  }

  /** Ends all that still runs. */
  async close(): Promise<void> {
    await this.stop(...this.running);
  }
}

function targetOf(ready: unknown): Target {
  if (typeof ready === 'string') return { path: ready };
  if (isMessage(ready) && typeof ready['port'] === 'number') return { host: '127.0.0.1', port: ready['port'] };
  throw new PeerError(`the application told no address: ${JSON.stringify(ready)}`);
}
