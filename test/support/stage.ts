/** Where a scenario of the parity suites is played: watched servers and sockets of one subject, over one family. */
import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server, ServerOpts, Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ConnectOptions, SocketOptions } from 'nearwire';
import { Recorder, type Entries } from './recorder.js';
import { cleanup, closed, nextTurn, temporaryDirectory, type Address } from './sockets.js';
import { reference, type Family, type Subject } from './subjects.js';

export type Scenario = (stage: Stage) => unknown;

export interface Ends {
  client: Socket;
  peer: Socket;
  server: Server;
}

export interface PairOptions {
  server?: ServerOpts;
  client?: SocketOptions;
  /** Before anything of the accepted socket has been read. */
  onConnection?: (peer: Socket) => void;
}

export class Stage extends Recorder {
  readonly subject: Subject;
  readonly family: Family;
  /** Its sockets have listeners of events that few programs listen to. */
  private readonly attentive: boolean;
  readonly directory = temporaryDirectory();
  /** With the promise of their 'close'. */
  private readonly sockets = new Map<Socket, Promise<void>>();
  private readonly servers = new Set<Server>();
  private paths = 0;
  /** What to do with each accepted socket, instead of recording it: where the course of its end is up to chance. */
  onPeer: ((peer: Socket) => void) | undefined;

  constructor(subject: Subject, family: Family, attentive: boolean) {
    super();
    this.subject = subject;
    this.family = family;
    this.attentive = attentive;
    this.hide(this.directory, '<directory>');
    cleanup(() => {
      for (const socket of this.sockets.keys()) socket.destroy();
      for (const server of this.servers) server.close();
    });
  }

  /** A watched socket; 'error' has a listener. */
  socket(name: string, socket: Socket): Socket {
    this.sockets.set(socket, closed(socket));
    this.watch(name, socket);
    socket.on('error', () => undefined);
    if (this.attentive) {
      socket.on('finish', () => undefined);
      socket.on('connectionAttempt', () => undefined);
    }
    return socket;
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
      if (this.onPeer !== undefined) {
        this.onPeer(socket);
        return;
      }
      this.socket(accepted++ === 0 ? peer : `${peer} ${String(accepted)}`, socket);
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
    return this.socket(name, this.subject.connect(options, listener));
  }

  /** Two connected ends, watched from their beginning. */
  async pair(options: PairOptions = {}): Promise<Ends> {
    const server = this.server(options.server);
    const { onConnection } = options;
    if (onConnection !== undefined) server.on('connection', onConnection);
    const address = await this.listen(server);
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = this.within('connect', () => this.connect({ ...options.client, ...address }));
    const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
    // Which of the two came last is up to chance.
    await nextTurn();
    return { client, peer, server };
  }

  /** Waits for all sockets to close, then for the servers. */
  async finish(): Promise<Entries> {
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

async function play(scenario: Scenario, subject: Subject, family: Family, attentive: boolean): Promise<Entries> {
  const stage = new Stage(subject, family, attentive);
  await stage.within('scenario', async () => {
    await scenario(stage);
  });
  return stage.finish();
}

/**
 * Plays it on node:net and on the subject, and compares the records: with sockets that have listeners of all that happens,
 * and with sockets that have only the scenario's own, where a shortcut past an event or a call would not be seen otherwise.
 */
export async function compare(scenario: Scenario, subject: Subject, family: Family): Promise<void> {
  for (const attentive of [true, false]) {
    const expected = await play(scenario, reference, family, attentive);
    expect(await play(scenario, subject, family, attentive)).toEqual(expected);
  }
}
