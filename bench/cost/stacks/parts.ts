/** The servers of one stack: started one after the other, stopped together. */
import { join } from 'node:path';

import { freePort } from '../free-port.js';
import type { Hop, Role, RunningStack, StackPlace, Target } from '../model.js';
import { StackError, type Launched } from '../processes.js';
import type { ProgramName } from '../programs.js';
import { untilServing } from '../ready.js';

/** What to run. */
export interface Command {
  /** Its name in error messages and of its log. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its working directory; default: the stack's folder. */
  readonly folder?: string;
  /** Default: `app`. */
  readonly roleOf?: (pid: number) => Role;
}

/** Writes the files of a server that is to listen there, and returns the command to run. */
export type CommandOf = (parts: Parts, target: Target) => Command;

export class Parts {
  /** The stack's own folder: sockets, configuration, logs. */
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

  /** The file of a program. The caller that starts a stack has checked that its programs exist: see `missingOf`. */
  program(name: ProgramName): string {
    const file = this.place.programs.get(name)?.file;
    if (file === undefined) throw new StackError(`${name} is not installed`);
    return file;
  }

  /** An address for a server that is about to start. */
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

  /** The reverse proxy first, so that it does not log a missing app. The folder is removed with the run's. */
  async stop(): Promise<void> {
    for (const { server } of this.parts.splice(0).reverse()) await server.stop();
  }
}

/** Starts a stack completely or not at all. `begin` returns the address at which it serves. */
export async function startParts(place: StackPlace, begin: (parts: Parts) => Promise<Target>): Promise<RunningStack> {
  const parts = new Parts(place);
  try {
    return { target: await begin(parts), pids: (role) => parts.pids(role), stop: () => parts.stop() };
  } catch (error) {
    await parts.stop();
    // After an abort, the error is only a consequence of everything having ended.
    place.signal.throwIfAborted();
    throw error;
  }
}

/** The notation of an address in the configuration of servers and clients, without the prefix of a path. */
export function addressOf(target: Target): string {
  return 'path' in target ? target.path : `${target.host}:${String(target.port)}`;
}
