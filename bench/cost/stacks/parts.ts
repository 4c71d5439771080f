/** The servers of one stack: started one after the other, ended together. */
import { join } from 'node:path';

import { freePort } from '../free-port.js';
import type { Hop, Role, RunningStack, StackPlace, Target } from '../model.js';
import { StackError, type Launched } from '../processes.js';
import type { ProgramName } from '../programs.js';
import { untilServing } from '../ready.js';

/** What to run. */
export interface Command {
  /** What error messages call it, and its log's name. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its working folder: the stack's own, if it is not said. */
  readonly folder?: string;
  /** `app`, if it is not said. */
  readonly roleOf?: (pid: number) => Role;
}

/** Writes the files of a server that is to listen there, and tells what to run then. */
export type CommandOf = (parts: Parts, target: Target) => Command;

export class Parts {
  /** Of its own: sockets, configuration, logs. */
  readonly folder: string;
  private readonly parts: { readonly server: Launched; readonly roleOf: (pid: number) => Role }[] = [];

  constructor(readonly place: StackPlace) {
    place.signal.throwIfAborted();
    this.folder = place.processes.makeFolder();
  }

  /** A file in its folder. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** The file of a program. Whoever starts a stack has asked whether its programs are there: see `missingOf`. */
  program(name: ProgramName): string {
    const file = this.place.programs.get(name)?.file;
    if (file === undefined) throw new StackError(`${name} is not installed`);
    return file;
  }

  /** Where one that is to be started may listen. */
  async freeTarget(family: Hop['family']): Promise<Target> {
    return family === 'unix' ? { path: this.file('app.sock') } : { host: '127.0.0.1', port: await freePort() };
  }

  async launch({ roleOf = () => 'app', ...command }: Command): Promise<Launched> {
    const { folder } = this;
    const server = await this.place.processes.launch({ folder, log: this.file(`${command.name}.log`), ...command });
    this.parts.push({ server, roleOf });
    return server;
  }

  untilServing(target: Target, path: string, good?: number[]): Promise<void> {
    const servers = this.parts.map(({ server }) => server);
    return untilServing(target, path, servers, this.place, good);
  }

  pids(role: Role): number[] {
    return this.parts.flatMap(({ server, roleOf }) => server.pids().filter((pid) => roleOf(pid) === role));
  }

  /** The front first, so that it logs no app that is gone. The folder goes with the run's. */
  async stop(): Promise<void> {
    for (const { server } of this.parts.splice(0).reverse()) await server.stop();
  }
}

/** Starts a stack whole or not at all. `begin` answers where it serves. */
export async function startParts(place: StackPlace, begin: (parts: Parts) => Promise<Target>): Promise<RunningStack> {
  const parts = new Parts(place);
  try {
    return { target: await begin(parts), pids: (role) => parts.pids(role), stop: () => parts.stop() };
  } catch (error) {
    await parts.stop();
    // What went wrong then is only that everything has ended.
    place.signal.throwIfAborted();
    throw error;
  }
}

/** As servers and their clients name a target in their configuration, but for what stands before a path. */
export function addressOf(target: Target): string {
  return 'path' in target ? target.path : `${target.host}:${String(target.port)}`;
}
