/** Where a scenario of the parity suites is played: watched servers and sockets of one subject, over one family. */
import { Recorder, type Entries } from './recorder.js';
import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server, ServerOpts, Socket } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import type { ConnectOptions, SocketOptions } from 'nearwire';
import { Crowd } from './crowd.js';
import { cleanup, nextTurn, readBytes, temporaryDirectory, type Address } from './sockets.js';
import { native, reference, subjects, type Family, type Subject } from './subjects.js';

export type Scenario = (stage: Stage) => unknown;

export interface Ends {
  client: Socket;
  peer: Socket;
  server: Server;
}

export interface PairOptions {
  server?: ServerOpts;
  client?: SocketOptions;
}

/** What a scenario is played under. */
export interface Circumstances {
  /** Its sockets have listeners of all that happens, and an `emit` of their own. */
  attentive: boolean;
  /** It begins with the third exchange of its connections, after many by others, when each had the loop for itself. */
  kept: boolean;
  /** While its connection is the 64th that has something to do. */
  crowded: boolean;
}

/** Where a shortcut past an event, a call or a stream would not be seen otherwise. */
export const PLAIN: readonly Circumstances[] = [{ attentive: false, kept: false, crowded: false }];

/** For what takes its time. */
export const FRESH: readonly Circumstances[] = [{ attentive: true, kept: false, crowded: false }, ...PLAIN];

const EVERY_CIRCUMSTANCE: readonly Circumstances[] = [
  ...FRESH,
  { attentive: false, kept: true, crowded: false },
  { attentive: false, kept: true, crowded: true },
];

const crowds = new Map<string, Promise<Crowd>>();

function crowdOf(subject: Subject, family: Family): Promise<Crowd> {
  const key = `${subject.name} ${family}`;
  let crowd = crowds.get(key);
  if (crowd === undefined) crowds.set(key, (crowd = Crowd.gather(subject, family)));
  return crowd;
}

export class Stage extends Recorder {
  readonly subject: Subject;
  readonly family: Family;
  readonly circumstances: Circumstances;
  readonly directory = temporaryDirectory();
  /** Whether anything of the scenario depends on these circumstances. */
  wasKept = false;
  wasCrowded = false;
  private readonly crowd: Crowd | undefined;
  private crowdIsDone: Promise<void> | undefined;
  /** With the promise of their 'close'. */
  private readonly sockets = new Map<Socket, Promise<void>>();
  private readonly servers = new Set<Server>();
  /** What is to be watched once a connection has its first exchanges behind it. */
  private held: (() => void)[] | undefined;
  private paths = 0;
  /** What to do with each accepted socket, instead of recording it: where the course of its end is up to chance. */
  onPeer: ((peer: Socket) => void) | undefined;

  constructor(subject: Subject, family: Family, circumstances: Circumstances, crowd?: Crowd) {
    super();
    this.subject = subject;
    this.family = family;
    this.circumstances = circumstances;
    this.crowd = crowd;
    this.hide(this.directory, '<directory>');
    if (!circumstances.attentive) this.watchFromBelow();
    cleanup(() => {
      for (const socket of this.sockets.keys()) socket.destroy();
      for (const server of this.servers) server.close();
    });
  }

  /** A watched socket, whose errors are nobody's surprise. */
  socket(name: string, socket: Socket): Socket {
    const closed = new Promise<void>((resolve) => {
      this.watch(name, socket, (event) => {
        if (event === 'close') resolve();
      });
    });
    this.sockets.set(socket, closed);
    if (this.circumstances.attentive) {
      for (const event of ['error', 'finish', 'connectionAttempt', 'close']) socket.on(event, () => undefined);
    }
    return socket;
  }

  /** Watches it, now or when that is due. */
  private introduce(name: string, socket: Socket): void {
    if (this.held === undefined) this.socket(name, socket);
    else
      this.held.push(() => {
        this.socket(name, socket);
      });
  }

  /** A watched server. What it accepts is watched as `peer`, `peer 2` and so on. */
  server(options: ServerOpts = {}, name = 'server'): Server {
    const server = this.subject.createServer(options);
    return this.addServer(server, name);
  }

  addServer<T extends Server>(server: T, name = 'server'): T {
    const peer = name === 'server' ? 'peer' : `peer of ${name}`;
    this.servers.add(server);
    this.watch(name, server);
    let accepted = 0;
    server.prependListener('connection', (socket: Socket) => {
      if (this.onPeer === undefined) this.introduce(accepted++ === 0 ? peer : `${peer} ${String(accepted)}`, socket);
      else this.onPeer(socket);
    });
    return server;
  }

  freshAddress(): Address & ListenOptions {
    if (this.family === 'tcp') return { host: '127.0.0.1', port: 0 };
    return { path: join(this.directory, `${String(this.paths++)}.sock`) };
  }

  async listen(server: Server, options: ListenOptions = {}): Promise<Address> {
    server.listen({ ...this.freshAddress(), ...options });
    await once(server, 'listening');
    return this.addressOf(server);
  }

  addressOf(server: Server): Address {
    const address = server.address() as AddressInfo | string;
    if (typeof address === 'string') return { path: address };
    this.hide(String(address.port), '<port>');
    return { host: '127.0.0.1', port: address.port };
  }

  connect(options: ConnectOptions, name = 'client', listener?: () => void): Socket {
    // The others ask in the same turn.
    if (this.held === undefined) this.stirCrowd();
    const client = this.subject.connect(options, listener);
    this.introduce(name, client);
    return client;
  }

  private stirCrowd(): void {
    if (this.crowd === undefined || !this.circumstances.crowded) return;
    this.wasCrowded = true;
    this.crowdIsDone ??= this.crowd.stir();
  }

  /** A new connection, of which `rounds` come before it is watched if connections are kept. */
  async connected<T>(connect: () => Promise<T>, rounds: (connected: T) => Promise<void>): Promise<T> {
    if (!this.circumstances.kept) return connect();
    this.wasKept = true;
    const held = (this.held = []) as (() => void)[];
    const connection = await connect();
    await rounds(connection);
    // What native sockets expect of the next handler is learnt from those before it.
    if (this.subject === native && this.crowdIsDone === undefined) await this.crowd?.calmDown();
    // Scenarios begin outside the events of sockets.
    await nextTurn();
    this.held = undefined;
    this.stirCrowd();
    // All have asked when the scenario begins, in the same turn and not in the same tick.
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
    for (const introduce of held) introduce();
    return connection;
  }

  /** Connects to a listening server. */
  join(server: Server, address: Address, options: SocketOptions = {}, name = 'client'): Promise<[Socket, Socket]> {
    const connect = async (): Promise<[Socket, Socket]> => {
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      const client = this.within('connect', () => this.connect({ ...options, ...address }, name));
      const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
      // Which of the two came last is up to chance.
      await nextTurn();
      return [client, peer];
    };
    return this.connected(connect, async ([client, peer]) => {
      // Not those that exchange nothing by their options.
      if (!client.readable || !client.writable || peer.isPaused()) return;
      for (let round = 0; round < ROUNDS_BEFORE; round++) {
        await pass(client, peer);
        await pass(peer, client);
      }
      await atRest(client);
      await atRest(peer);
    });
  }

  /** Two connected ends, watched from their beginning or, where they are kept, from the third exchange on. */
  async pair(options: PairOptions = {}): Promise<Ends> {
    const server = this.server(options.server);
    const [client, peer] = await this.join(server, await this.listen(server), options.client);
    return { client, peer, server };
  }

  /** Waits for all sockets to close, then for the servers. */
  async finish(): Promise<Entries> {
    await this.crowdIsDone;
    for (const over of this.sockets.values()) await over;
    for (const server of this.servers) {
      if (!server.listening) continue;
      server.close();
      await once(server, 'close');
    }
    // What is owed after the last event has come by then.
    await nextTurn();
    await nextTurn();
    return this.record;
  }
}

/** The scenario's exchange is the third. */
const ROUNDS_BEFORE = 2;

async function pass(from: Socket, to: Socket): Promise<void> {
  const came = readBytes(to, PASSED.length);
  from.write(PASSED);
  await came;
}
const PASSED = 'so far';

/** Nobody reads from it any more, and whoever does so next has it flow. */
async function atRest(socket: Socket): Promise<void> {
  socket.pause();
  const nobody = (): void => undefined;
  socket.on('readable', nobody);
  socket.off('readable', nobody);
  await nextTurn();
}

async function play(
  scenario: Scenario,
  subject: Subject,
  family: Family,
  circumstances: Circumstances,
): Promise<Entries | undefined> {
  const { kept, crowded } = circumstances;
  const crowd = kept || crowded ? await crowdOf(subject, family) : undefined;
  const stage = new Stage(subject, family, circumstances, crowd);
  await stage.within('scenario', async () => {
    await scenario(stage);
  });
  const record = await stage.finish();
  return (kept && !crowded && !stage.wasKept) || (crowded && !stage.wasCrowded) ? undefined : record;
}

const references = new WeakMap<Scenario, Map<string, Entries | undefined>>();

/** The record of node:net, which is made once in a run. */
async function expectedOf(
  scenario: Scenario,
  family: Family,
  circumstances: Circumstances,
): Promise<Entries | undefined> {
  const records = references.get(scenario) ?? new Map<string, Entries | undefined>();
  references.set(scenario, records);
  const key = JSON.stringify([family, circumstances]);
  if (!records.has(key)) records.set(key, await play(scenario, reference, family, circumstances));
  return records.get(key);
}

/** Plays it on node:net and on the subject, in each of these circumstances, and compares the records. */
export async function compare(
  scenario: Scenario,
  subject: Subject,
  family: Family,
  circumstances = EVERY_CIRCUMSTANCE,
): Promise<void> {
  for (const some of circumstances) {
    const expected = await expectedOf(scenario, family, some);
    if (expected !== undefined) expect(await play(scenario, subject, family, some), describe(some)).toEqual(expected);
  }
}

function describe(circumstances: Circumstances): string {
  const names = Object.entries(circumstances).flatMap(([name, is]) => (is === true ? [name] : []));
  return names.join(' and ') || 'plain';
}

// Chunks reach the listeners of sockets that are watched from below without going through their streams, as in programs.
beforeAll(async () => {
  if (!subjects.includes(native)) return;
  const stage = new Stage(native, 'unix', { attentive: false, kept: false, crowded: false });
  const { client, peer } = await stage.pair();
  let stack: string | undefined;
  peer.on('data', () => ({ stack } = new Error('here')));
  await pass(client, peer);
  await pass(client, peer);
  client.destroy();
  await stage.finish();
  if (stack?.includes('addChunk')) throw new Error('The stage has to be loaded before nearwire');
});
