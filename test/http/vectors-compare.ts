/**
 * Bytes on many connections to two servers, and what is seen at both ends of each of them. All connections take each step
 * together: a step is over when every server has read what was sent, and nothing more happens at any end.
 */
import type * as http from 'node:http';
import * as net from 'node:net';
import { listen, type Address } from '../support/sockets.js';
import { reference, type Family, type Subject } from '../support/subjects.js';

/** What is sent on one connection, piece by piece. */
export interface Script {
  readonly name: string;
  readonly pieces: readonly string[];
}

export interface Setting {
  readonly family: Family;
  /** Listens to 'clientError', 'upgrade', 'connect', 'checkContinue' and 'checkExpectation'; else node's defaults answer. */
  readonly listens: boolean;
  readonly options?: http.ServerOptions;
  /** Answers a request that has come, with its body; otherwise the answer is its method and target. */
  readonly respond?: (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;
  /** Of the server; it has no option. */
  readonly maxRequestsPerSocket?: number;
}

export interface Difference extends Script {
  readonly expected: readonly string[];
  readonly told: readonly string[];
}

/** Turns of the loop in which nothing happens, until a step is over. */
const QUIET_TURNS = 3;
/** An end that still waits for something by then never gets it. The kernel can be late with TCP on a busy machine. */
const STALLED_MILLIS = 300;
/** Connections at once, to each server. */
const CROWD = 400;

/** Goes up with all that happens. */
let happenings = 0;

/** One connection. Each owner's events are in order, but not among those of others: docs/compatibility.md. */
class Talk {
  private readonly records = new Map<string, string>();
  private sent = 0;
  private ended = false;
  private requests = 0;
  peer: net.Socket | undefined;

  constructor(
    readonly script: Script,
    readonly client: net.Socket,
    private readonly respond: Setting['respond'],
  ) {
    const note = (what: string): void => {
      this.note('client', what);
    };
    client.setEncoding('latin1').on('data', note);
    client.on('end', () => {
      note('<end>');
    });
    client.on('close', () => {
      note('<close>');
    });
    client.on('error', (error: NodeJS.ErrnoException) => {
      note(`<${String(error.code)}>`);
    });
  }

  note(of: string, what: string): void {
    happenings++;
    this.records.set(of, (this.records.get(of) ?? '') + what);
  }

  /** Whether each end has what the other one has sent. A server may accept a connection when its first byte comes. */
  get isSettled(): boolean {
    const { peer, client, sent, ended } = this;
    if (peer === undefined) return sent === 0;
    if (peer.destroyed || ended) return client.destroyed && peer.destroyed;
    return peer.bytesRead >= sent && client.bytesRead >= peer.bytesWritten;
  }

  send(step: number): void {
    for (const [of, told] of this.records) this.records.set(of, `${told}|`);
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

  accept(peer: net.Socket): void {
    happenings++;
    this.peer = peer;
    peer.on('close', (hadError: boolean) => {
      this.note('socket', `close ${String(hadError)}`);
    });
  }

  serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const of = `request ${String(this.requests++)}`;
    const { method, url, httpVersion, rawHeaders, headers } = request;
    this.note(of, JSON.stringify({ method, url, httpVersion, rawHeaders, headers }));
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => {
      const { complete, rawTrailers } = request;
      this.note(of, JSON.stringify({ body, complete, rawTrailers }));
      if (this.respond !== undefined) {
        this.respond(request, response, body);
        return;
      }
      response.setHeader('X-Kept', String(response.shouldKeepAlive));
      response.end(`${String(method)} ${String(url)}`);
    });
    for (const event of ['aborted', 'close'])
      request.on(event, () => {
        this.note(of, `${event} ${String(request.complete)} `);
      });
    request.on('error', (error: NodeJS.ErrnoException) => {
      this.note(of, `error ${String(error.code)} `);
    });
    for (const event of ['finish', 'close'])
      response.on(event, () => {
        this.note(`${of} answer`, `${event} `);
      });
  }

  get record(): string[] {
    const lines = [...this.records].map(([of, told]) => `${of}: ${told.replace(/Date: .*\r\n/g, '')}`);
    return lines.sort();
  }
}

type ParseError = NodeJS.ErrnoException & { bytesParsed?: number; rawPacket?: Buffer };

/** A server of a subject, which knows each accepted socket's connection. */
class Stage {
  private readonly server: http.Server;
  private readonly talks = new Map<net.Socket, Talk>();
  /** Not accepted yet. UNIX sockets have no names; they are accepted in order. */
  private readonly coming: Talk[] = [];
  private address: Address = {};

  constructor(
    subject: Subject,
    private readonly setting: Setting,
  ) {
    const server = (this.server = subject.http.createServer(setting.options ?? {}, (request, response) => {
      this.of(request.socket)?.serve(request, response);
    }));
    if (setting.maxRequestsPerSocket !== undefined) server.maxRequestsPerSocket = setting.maxRequestsPerSocket;
    server.on('connection', (socket: net.Socket) => {
      this.accept(socket);
    });
    server.on('dropRequest', (_: unknown, socket: net.Socket) => {
      this.of(socket)?.note('server', 'dropRequest');
    });
    if (setting.listens) this.listenToAll();
  }

  async listen(): Promise<void> {
    this.address = await listen(this.server, this.setting.family);
  }

  async connect(script: Script): Promise<Talk> {
    const client = net.connect(this.address as net.NetConnectOpts);
    const talk = new Talk(script, client, this.setting.respond);
    this.coming.push(talk);
    await new Promise((resolve) => client.once('connect', resolve));
    return talk;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private of(socket: net.Socket): Talk | undefined {
    return this.talks.get(socket);
  }

  private accept(socket: net.Socket): void {
    const { coming } = this;
    const named = coming.findIndex(({ client }) => client.localPort === socket.remotePort);
    const [talk] = coming.splice(this.setting.family === 'tcp' ? named : 0, 1);
    if (talk === undefined) throw new Error('nobody has connected');
    this.talks.set(socket, talk);
    talk.accept(socket);
  }

  private listenToAll(): void {
    const { server } = this;
    server.on('clientError', (error: ParseError, socket: net.Socket) => {
      const { code, message, bytesParsed, rawPacket } = error;
      const told = { code, message, bytesParsed, rawPacket: rawPacket?.toString('latin1'), read: socket.bytesRead };
      this.of(socket)?.note('server', `clientError ${JSON.stringify(told)}`);
      socket.end('HTTP/1.1 400 Own\r\n\r\n');
    });
    for (const event of ['checkContinue', 'checkExpectation']) {
      server.on(event, (request: http.IncomingMessage, response: http.ServerResponse) => {
        const talk = this.of(request.socket);
        talk?.note('server', `${event} `);
        if (event === 'checkContinue') response.writeContinue();
        talk?.serve(request, response);
      });
    }
    for (const event of ['upgrade', 'connect']) {
      server.on(event, ({ method, url, rawHeaders }: http.IncomingMessage, socket: net.Socket, first: Buffer) => {
        const talk = this.of(socket);
        talk?.note('server', `${event} ${JSON.stringify({ method, url, rawHeaders })} ${first.toString('latin1')}`);
        socket.on('data', (chunk: Buffer) => talk?.note('socket', `tunnel ${chunk.toString('latin1')} `));
        socket.on('error', () => undefined).on('end', () => socket.end());
        socket.write('HTTP/1.1 101 Own\r\n\r\n');
      });
    }
  }
}

async function settle(talks: readonly Talk[]): Promise<void> {
  let before = -1;
  let since = 0;
  const isOver = (): boolean => talks.every(({ isSettled }) => isSettled) || performance.now() - since > STALLED_MILLIS;
  for (let turns = 0; turns < QUIET_TURNS || !isOver(); turns++) {
    if (happenings !== before) [turns, since] = [0, performance.now()];
    before = happenings;
    await new Promise(setImmediate);
  }
}

async function talkAll(talks: readonly Talk[]): Promise<void> {
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

/** What the client sends on every connection before; its handler is the same. */
export const PLAIN = 'GET /plain HTTP/1.1\r\nHost: x\r\n\r\n';

/** As the first, second or third request of a connection. */
export function asNth(nth: number, name: string, pieces: readonly string[]): Script {
  const before = Array.from({ length: nth - 1 }, () => PLAIN);
  return { name: `${name}, number ${String(nth)}`, pieces: [...before, ...pieces] };
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
    const talks: Talk[][] = [];
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
