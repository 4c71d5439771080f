/** The servers of one stack: started one after the other, ended together. */
import { join } from 'node:path';

import type { ProgramName, Role, RunningStack, StackPlace, Target } from '../model.js';
import { StackError, type Launched } from '../processes.js';
import { untilListening, untilServing, type Judgement, type Waited } from '../ready.js';
import { answerOf, HELLO, ownWork } from '../works.js';

/** What a front answers with while its app server starts; or that one by itself, when it is out of order. */
const FRONT_WAITS = [502, 503, 504];

interface Part {
  readonly server: Launched;
  roleOf(pid: number): Role;
}

export interface PartOptions {
  /** What error messages call it, and its log's name. */
  readonly name: string;
  readonly role: Role | ((pid: number) => Role);
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its working folder: the stack's own, if it is not said. */
  readonly folder?: string;
}

/** Where a stack serves. */
export interface Served {
  readonly target: Target;
  readonly hopTarget: Target | undefined;
}

export class Parts {
  readonly place: StackPlace;
  readonly logs: string[] = [];
  private readonly parts: Part[] = [];

  constructor(place: StackPlace) {
    this.place = place;
  }

  /** A file in the stack's folder. */
  file(name: string): string {
    return join(this.place.folder, name);
  }

  /** The file of a program. Whoever starts a stack has asked whether its programs are there: see `missingOf`. */
  program(name: ProgramName): string {
    const file = this.place.programs.get(name)?.file;
    if (file === undefined) throw new StackError(`${name} is not installed`);
    return file;
  }

  async launch({ name, role, command, args, env, folder = this.place.folder }: PartOptions): Promise<void> {
    const log = this.file(`${name}.log`);
    const { processes } = this.place;
    const server = await processes.launch({ name, command, args, folder, log, ...(env && { env }) });
    this.logs.push(log);
    this.parts.push({ server, roleOf: typeof role === 'function' ? role : () => role });
  }

  /** Until what was started accepts connections there. */
  untilListening(target: Target): Promise<void> {
    return untilListening(target, this.waited());
  }

  /** Until all of it answers well; with this body, if one is given. */
  untilServing(target: Target, path: string, body?: string): Promise<void> {
    const isGood = (status: number, text: string): boolean => status === 200 && (body === undefined || text === body);
    const judge = (status: number, text: string): Judgement => (isGood(status, text) ? 'good' : 'not yet');
    return untilServing(target, path, judge, this.waited());
  }

  /** Until our application says hello or, where it is the user's that is run (`own`), that one answers with 200. */
  untilAppServes(target: Target, own: boolean): Promise<void> {
    if (!own) return this.untilServing(target, HELLO.path, answerOf(HELLO));
    const judge = (status: number): Judgement =>
      status === 200 ? 'good' : FRONT_WAITS.includes(status) ? 'doubtful' : 'bad';
    return untilServing(target, this.place.ownPath ?? ownWork('/').path, judge, this.waited());
  }

  running({ target, hopTarget }: Served): RunningStack {
    return {
      target,
      hopTarget,
      pids: (role) => this.parts.flatMap(({ server, roleOf }) => server.pids().filter((pid) => roleOf(pid) === role)),
      logs: this.logs,
      stop: () => this.stop(),
    };
  }

  /** The front first, so that it logs no app that is gone. */
  async stop(): Promise<void> {
    for (const { server } of this.parts.splice(0).reverse()) await server.stop();
  }

  private waited(): Waited {
    const { signal, patienceMs } = this.place;
    return { servers: this.parts.map(({ server }) => server), logs: this.logs, signal, patienceMs };
  }
}

/** Starts a stack whole or not at all. */
export async function startParts(place: StackPlace, begin: (parts: Parts) => Promise<Served>): Promise<RunningStack> {
  const parts = new Parts(place);
  try {
    return parts.running(await begin(parts));
  } catch (error) {
    await parts.stop();
    // What went wrong then is only that everything has ended.
    place.signal.throwIfAborted();
    throw error;
  }
}
