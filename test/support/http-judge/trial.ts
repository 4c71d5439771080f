/** One case on one subject: a server of its own, a connection to it, and a record of all that is seen at either end. */
import { once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import type { Subject } from '../subjects.js';
import type { Case } from './cases.js';
import { HANDLERS, type Told } from './handlers.js';
import { STEP, type Entry } from './record.js';

/** What a listener of a case has thrown. */
class ThrownError extends Error {
  constructor(
    what: string,
    readonly trial: Trial,
  ) {
    super(what);
  }
}

/** Goes up with everything that happens in any trial. */
let happenings = 0;

/** Both ends of all trials are given turns of the loop until nothing more happens. */
const QUIET_TURNS = 4;

export async function quiet(): Promise<void> {
  let before = -1;
  for (let turns = 0; turns < QUIET_TURNS; turns++) {
    if (happenings !== before) turns = 0;
    before = happenings;
    await new Promise(setImmediate);
  }
}

function bytesOf(socket: net.Socket): number {
  return socket.bytesRead;
}

export class Trial {
  readonly record: Entry[] = [];
  private readonly server: http.Server;
  private client: net.Socket | undefined;
  private answers = '';
  private readonly delayed: (() => void)[] = [];
  private readonly one: Case;
  private readonly path: string;
  private requests = 0;

  constructor(one: Case, subject: Subject, path: string) {
    this.one = one;
    this.path = path;
    this.server = subject.http.createServer(one.options, (request, response) => {
      this.serve(request, response);
    });
    this.listenToServer();
  }

  get steps(): number {
    return this.one.pieces.length;
  }

  async start(): Promise<void> {
    this.server.listen(this.path);
    await once(this.server, 'listening');
    const client = (this.client = net.connect(this.path));
    client.setEncoding('latin1').on('data', (text: string) => {
      happenings++;
      this.answers += text;
    });
    for (const event of ['end', 'close'])
      client.on(event, () => {
        this.noteAnswered(event);
      });
    client.on('error', (error: NodeJS.ErrnoException) => {
      this.noteAnswered(String(error.code));
    });
    await once(client, 'connect');
  }

  /** What has been answered since the last step is one entry: how it was cut is the kernel's affair. */
  private closeStep(what: string): void {
    const answered = this.answers.replace(/Date: .*\r\n/g, '');
    this.record.push({ of: 'client', what: `answered ${answered}` }, { of: STEP, what });
    this.answers = '';
  }

  /** What the client is told comes when it comes: the two ends' events have no order between them. */
  private noteAnswered(what: string): void {
    happenings++;
    this.answers += `<${what}>`;
  }

  send(step: number): void {
    const piece = this.one.pieces[step];
    this.closeStep(`piece ${String(step)}`);
    if (piece !== undefined && this.client?.writable === true) this.client.write(piece, 'latin1');
  }

  release(): void {
    this.closeStep('release');
    for (let call = this.delayed.shift(); call !== undefined; call = this.delayed.shift()) call();
  }

  end(): void {
    this.closeStep('end');
    this.client?.end();
  }

  stop(): void {
    this.closeStep('stop');
    this.client?.destroy();
    this.server.close();
  }

  finish(): void {
    this.server.closeAllConnections();
  }

  note(of: string, what: string): void {
    happenings++;
    this.record.push({ of, what });
  }

  private listenToServer(): void {
    const { server, one } = this;
    server.on('dropRequest', () => {
      this.note('server', 'dropRequest');
    });
    server.on('connection', (socket: net.Socket) => {
      this.listenToSocket(socket);
    });
    if (one.clientError !== 'none') {
      server.on('clientError', (error: NodeJS.ErrnoException, socket: net.Socket) => {
        const { destroyed, writable, readable, writableEnded } = socket;
        const state = { destroyed, writable, readable, writableEnded, bytesRead: bytesOf(socket) };
        this.note('server', `clientError ${String(error.code)} ${JSON.stringify(state)}`);
        if (one.clientError === 'throws') throw this.error('clientError');
        if (one.clientError === 'answers') socket.end('HTTP/1.1 400 Own\r\n\r\n');
        else socket.destroy();
      });
    }
    if (one.checks) {
      server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
        this.note('server', 'checkContinue');
        response.writeContinue();
        this.serve(request, response);
      });
    }
    if (!one.upgrades) return;
    for (const event of ['upgrade', 'connect']) {
      server.on(event, (request: http.IncomingMessage, socket: net.Socket, first: Buffer) => {
        this.note('server', `${event} ${String(request.url)} ${first.toString('latin1')}`);
        socket.on('data', (chunk: Buffer) => {
          this.note('socket', `tunnel ${chunk.toString('latin1')}`);
        });
        socket.on('error', () => undefined);
        socket.end('HTTP/1.1 101 Own\r\n\r\n');
      });
    }
  }

  private listenToSocket(socket: net.Socket): void {
    socket.on('close', (hadError: boolean) => {
      this.note('socket', `close ${String(hadError)}`);
    });
    if (!this.one.watchesSocket) return;
    socket.on('end', () => {
      this.note('socket', 'end');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.note('socket', `error ${String(error.code)}`);
    });
  }

  error(what: string): Error {
    return new ThrownError(what, this);
  }

  private serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const number = String(this.requests++);
    const note = (what: string): void => {
      this.note(`request ${number}`, what);
    };
    const noteResponse = (what: string): void => {
      this.note(`response ${number}`, what);
    };
    const { method, url, httpVersion, rawHeaders } = request;
    const lines = rawHeaders.map((text) => (text.length > 100 ? String(text.length) : text));
    note(`begins ${JSON.stringify({ method, url: url?.slice(0, 60), httpVersion, lines })}`);
    request.on('end', () => {
      note(`end ${String(request.complete)} ${JSON.stringify(request.trailers)}`);
    });
    request.on('close', () => {
      note(`close ${String(request.complete)}`);
    });
    request.on('aborted', () => {
      note('aborted');
    });
    if (this.one.watchesSocket) {
      request.on('error', (error: NodeJS.ErrnoException) => {
        note(`error ${String(error.code)}`);
      });
    }
    response.on('finish', () => {
      noteResponse('finish');
    });
    response.on('close', () => {
      noteResponse(`close ${String(response.writableFinished)}`);
    });
    const told: Told = {
      request,
      response,
      note,
      later: (call) => this.delayed.push(call),
      error: (what) => this.error(what),
    };
    const handler = HANDLERS[url === '/plain' ? 'reads the body and answers' : this.one.handler];
    handler?.(told);
  }
}

/** For listeners of 'uncaughtException' and 'unhandledRejection'. */
export function noteThrown(error: unknown): void {
  if (error instanceof ThrownError) error.trial.note('process', `uncaught ${error.message}`);
  else strays.push(String(error));
}

/** Exceptions that no trial knows. */
export const strays: string[] = [];
