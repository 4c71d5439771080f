/**
 * Bytes on many connections to two servers, and what is seen at both ends of each of them. All connections take each step
 * together: a step is over when every server has read what was sent, and nothing more happens at any end.
 */
import type * as http from 'node:http';
import * as net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { listen, type Address } from '../support/sockets.js';
import { reference, type Subject } from '../support/subjects.js';
import { createTelling, happenings, Talk, type Script, type Setting } from './talk.js';

export interface Difference extends Script {
  readonly expected: readonly string[];
  readonly told: readonly string[];
}

/** Turns of the loop in which nothing happens, until a step is over. */
const QUIET_TURNS = 3;
/**
 * Naps of a millisecond in which nothing happens, until a server that has not read all does not mean to. Naps are counted
 * and no time is measured: a machine that stands still for a while does not end a step. Sleeping leaves a processor to
 * the kernel, which may have put off delivering over TCP.
 */
const STALLED_NAPS = 300;
/** Connections at once, to each server. */
const CROWD = 400;

/** One connection of the kernel's. */
class KernelTalk extends Talk {
  private sent = 0;
  private ended = false;
  private peer: net.Socket | undefined;
  /** It has been told, which is turns of the loop later than `destroyed`. */
  private clientHasClosed = false;
  private peerHasClosed = false;

  constructor(
    script: Script,
    readonly client: net.Socket,
    setting: Setting,
  ) {
    super(script, setting);
    const note = (what: string): void => {
      this.note('client', what);
    };
    client.setEncoding('latin1').on('data', note);
    client.on('end', () => {
      note('<end>');
    });
    client.on('close', () => {
      this.clientHasClosed = true;
      note('<close>');
    });
    client.on('error', (error: NodeJS.ErrnoException) => {
      note(`<${String(error.code)}>`);
    });
  }

  /** Whether each end has what the other one has sent. A server may accept a connection when its first byte comes. */
  get isSettled(): boolean {
    const { peer, sent, ended } = this;
    if (peer === undefined) return sent === 0;
    if (peer.destroyed || ended) return this.clientHasClosed && this.peerHasClosed;
    return peer.bytesRead >= sent && this.clientHasAll;
  }

  /** The client reads always: what the server has written comes, however late. */
  get clientHasAll(): boolean {
    const { peer, client, clientHasClosed } = this;
    return peer === undefined || clientHasClosed || client.bytesRead >= peer.bytesWritten;
  }

  send(step: number): void {
    this.beginStep();
    const piece = this.script.pieces[step];
    if (piece === undefined || piece === '' || !this.client.writable) return;
    this.client.write(piece, 'latin1');
    this.sent += piece.length;
  }

  end(): void {
    this.send(Infinity);
    this.ended = true;
    if (!this.client.destroyed) this.client.end();
  }

  override accept(peer: net.Socket): void {
    this.peer = peer;
    peer.on('close', () => {
      this.peerHasClosed = true;
    });
    super.accept(peer);
  }
}

/** A server of a subject, which knows each accepted socket's connection. */
class Stage {
  private readonly server: http.Server;
  private readonly talks = new Map<net.Socket, KernelTalk>();
  /** Not accepted yet. UNIX sockets have no names; they are accepted in order. */
  private readonly coming: KernelTalk[] = [];
  private address: Address = {};

  constructor(
    subject: Subject,
    private readonly setting: Setting,
  ) {
    const createServer = subject.http.createServer.bind(subject.http);
    this.server = createTelling(createServer, setting, (socket) => this.talks.get(socket));
    this.server.on('connection', (socket: net.Socket) => {
      this.accept(socket);
    });
  }

  async listen(): Promise<void> {
    this.address = await listen(this.server, this.setting.family);
  }

  async connect(script: Script): Promise<KernelTalk> {
    const client = net.connect(this.address as net.NetConnectOpts);
    const talk = new KernelTalk(script, client, this.setting);
    this.coming.push(talk);
    await new Promise((resolve) => client.once('connect', resolve));
    return talk;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private accept(socket: net.Socket): void {
    const { coming } = this;
    const isNamed = this.setting.family === 'tcp';
    const at = isNamed ? coming.findIndex(({ client }) => client.localPort === socket.remotePort) : 0;
    const talk = coming[at];
    if (talk === undefined) throw new Error('nobody has connected');
    coming.splice(at, 1);
    this.talks.set(socket, talk);
    talk.accept(socket);
  }
}

async function settle(talks: readonly KernelTalk[]): Promise<void> {
  let before = -1;
  let turns = 0;
  let naps = 0;
  const isOver = (): boolean =>
    talks.every(({ isSettled }) => isSettled) ||
    (naps >= STALLED_NAPS && talks.every(({ clientHasAll }) => clientHasAll));
  for (; turns < QUIET_TURNS || !isOver(); turns++) {
    if (happenings !== before) turns = naps = 0;
    before = happenings;
    if (turns < QUIET_TURNS) await new Promise(setImmediate);
    else naps += await setTimeout(1, 1);
  }
}

async function talkAll(talks: readonly KernelTalk[]): Promise<void> {
  const steps = Math.max(...talks.map(({ script }) => script.pieces.length));
  await settle(talks);
  for (let step = 0; step < steps; step++) {
    for (const talk of talks) talk.send(step);
    await settle(talks);
  }
  for (const talk of talks) talk.end();
  await settle(talks);
  for (const { client } of talks) client.destroy();
  await settle(talks);
}

/** What each of the subjects makes of each script. */
export async function recordsOf(
  subjects: readonly Subject[],
  setting: Setting,
  scripts: readonly Script[],
): Promise<string[][][]> {
  const stages = subjects.map((subject) => new Stage(subject, setting));
  await Promise.all(stages.map((stage) => stage.listen()));
  const records: string[][][] = subjects.map(() => []);
  for (let at = 0; at < scripts.length; at += CROWD) {
    const crowd = scripts.slice(at, at + CROWD);
    const talks: KernelTalk[][] = [];
    for (const stage of stages) talks.push(await Promise.all(crowd.map((script) => stage.connect(script))));
    await talkAll(talks.flat());
    talks.forEach((those, i) => records[i]?.push(...those.map(({ record }) => record)));
  }
  for (const stage of stages) stage.close();
  return records;
}

/** Answers the scripts of which the subject makes something else than node:http, or than `from`. */
export async function differences(
  subject: Subject,
  setting: Setting,
  scripts: readonly Script[],
  from = reference,
): Promise<Difference[]> {
  const [expected = [], told = []] = await recordsOf([from, subject], setting, scripts);
  return scripts.flatMap((script, i) => {
    const difference = { ...script, expected: expected[i] ?? [], told: told[i] ?? [] };
    return difference.expected.join('\n') === difference.told.join('\n') ? [] : [difference];
  });
}
