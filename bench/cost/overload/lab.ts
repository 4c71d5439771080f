/** Where a demonstration takes place: a process, in a network of its own if there may be one, and what it starts. */
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import { freePort } from '../free-port.js';
import type { Hop, Program, ProgramName, Target } from '../model.js';
import { StackError, type Launched, type Processes } from '../processes.js';
import { untilListening } from '../ready.js';
import type { AppWords } from './app.js';
import { configureFront, Log, type FrontSettings } from './front.js';
import { setSysctl, sysctl, type PortRange } from './network.js';

/** In a network of our own; below the ports of all connections that are made there. */
export const APP_PORT = 8080;

/** What a demonstration is told; JSON. */
export interface LabWords {
  readonly programs: readonly Program[];
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

export interface Front {
  /** Its socket, where requests are taken. */
  readonly path: string;
  readonly log: Log;
  stop(): Promise<void>;
}

/** A compiled program of this folder, whoever runs this file. */
export function programFile(name: string): string {
  return join(PACKAGE_ROOT, 'dist', 'bench', 'cost', 'overload', name);
}

export class Lab {
  readonly programs: ReadonlyMap<ProgramName, Program>;

  constructor(
    readonly words: LabWords,
    readonly processes: Processes,
    readonly signal: AbortSignal,
    /** Tells what is done now. */
    readonly step: (label: string) => void,
  ) {
    this.programs = new Map(words.programs.map((program) => [program.name, program]));
  }

  /** The plain C program. */
  get floor(): string {
    const program = this.programs.get('floor')?.file;
    if (program === undefined) throw new StackError('the plain C program is not built');
    return program;
  }

  /** False: it may not be set here. In the host's own network nothing is ever set. */
  setSysctl(name: string, value: string | number): boolean {
    return this.words.isolated && setSysctl(name, value);
  }

  /** Works while a setting has another value than before. Undefined: it may not be set here. */
  async withSysctl<T>(name: string, value: string | number, work: () => Promise<T>): Promise<T | undefined> {
    const before = sysctl(name);
    if (before === undefined || !this.setSysctl(name, value)) return undefined;
    try {
      return await work();
    } finally {
      this.setSysctl(name, before);
    }
  }

  /** A new path for a socket. */
  socketPath(): string {
    return join(this.processes.makeFolder(), 'app.sock');
  }

  async app(words: Omit<AppWords, 'target'>, family: Hop['family']): Promise<App> {
    const folder = this.processes.makeFolder();
    const target: Target =
      family === 'unix'
        ? { path: join(folder, 'app.sock') }
        : { host: '127.0.0.1', port: this.words.isolated ? APP_PORT : await freePort() };
    const server = await this.processes.launch({
      name: 'the application',
      command: process.execPath,
      args: [programFile('app.js'), JSON.stringify({ ...words, target })],
      folder,
      log: join(folder, 'app.log'),
    });
    return { target, stop: await this.stopOf(server, target, folder) };
  }

  async front(target: Target, settings: FrontSettings = {}): Promise<Front> {
    const program = this.programs.get('nginx')?.file;
    if (program === undefined) throw new StackError('nginx is not installed');
    const folder = this.processes.makeFolder();
    const { args, path, log } = configureFront(program, folder, target, settings);
    const output = join(folder, 'nginx.log');
    const server = await this.processes.launch({ name: 'nginx', command: program, args, folder, log: output });
    return { path, log: new Log(log), stop: await this.stopOf(server, { path }, folder) };
  }

  private async stopOf(server: Launched, target: Target, folder: string): Promise<() => Promise<void>> {
    await untilListening(target, { servers: [server], logs: [], signal: this.signal });
    return async () => {
      await server.stop();
      await this.processes.removeFolder(folder);
    };
  }
}
