/**
 * What a server's program sees on one connection of a comparison, and what is sent there: the same whether the connections
 * are the kernel's (vectors-compare.ts) or exist in memory only (memory-compare.ts).
 */
import type * as http from 'node:http';
import type * as net from 'node:net';
import type { Family } from '../support/subjects.js';

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
  /** When the body is read: before the answer is given, as without this; meanwhile; or not by the program. */
  readonly reads?: 'before' | 'meanwhile' | 'never';
  /** Of the server; it has no option. */
  readonly maxRequestsPerSocket?: number;
}

/** Goes up with all that happens. */
export let happenings = 0;

/** One connection. Each owner's events are in order, but not among those of others: docs/compatibility.md. */
export class Talk {
  private readonly records = new Map<string, string>();
  private requests = 0;

  constructor(
    readonly script: Script,
    private readonly setting: Setting,
  ) {}

  note(of: string, what: string): void {
    happenings++;
    this.records.set(of, (this.records.get(of) ?? '') + what);
  }

  /** What follows belongs to the next step. */
  beginStep(): void {
    for (const [of, told] of this.records) this.records.set(of, `${told}|`);
  }

  accept(peer: net.Socket): void {
    happenings++;
    peer.on('close', (hadError: boolean) => {
      this.note('socket', `close ${String(hadError)}`);
    });
  }

  serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const of = `request ${String(this.requests++)}`;
    if (this.records.get('server')?.includes('clientError') === true) this.note(of, '<after an error>');
    const { method, url, httpVersion, rawHeaders, headers } = request;
    this.note(of, JSON.stringify({ method, url, httpVersion, rawHeaders, headers }));
    const { respond = respondPlainly, reads = 'before' } = this.setting;
    let body = '';
    if (reads !== 'never') {
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.on('end', () => {
        const { complete, rawTrailers } = request;
        this.note(of, JSON.stringify({ body, complete, rawTrailers }));
        if (reads === 'before') respond(request, response, body);
      });
    }
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
    if (reads !== 'before') respond(request, response, '');
  }

  get record(): string[] {
    const lines = [...this.records].map(([of, told]) => `${of}: ${told.replace(/Date: .*\r\n/g, '')}`);
    return lines.sort();
  }
}

function respondPlainly({ method, url }: http.IncomingMessage, response: http.ServerResponse): void {
  response.setHeader('X-Kept', String(response.shouldKeepAlive));
  response.end(`${String(method)} ${String(url)}`);
}

type ParseError = NodeJS.ErrnoException & { bytesParsed?: number; rawPacket?: Buffer };

/** In milliseconds. With node's five seconds a stall of the host would close a connection in the midst of a talk. */
const PATIENT = 600_000;

/** A server whose listeners tell the connection's talk of all that they are called with. */
export function createTelling(
  createServer: (options: http.ServerOptions, listener: http.RequestListener) => http.Server,
  setting: Setting,
  talkOf: (socket: net.Socket) => Talk | undefined,
): http.Server {
  const server = createServer({ keepAliveTimeout: PATIENT, ...setting.options }, (request, response) => {
    talkOf(request.socket)?.serve(request, response);
  });
  if (setting.maxRequestsPerSocket !== undefined) server.maxRequestsPerSocket = setting.maxRequestsPerSocket;
  server.on('dropRequest', (_: unknown, socket: net.Socket) => {
    talkOf(socket)?.note('server', 'dropRequest');
  });
  if (setting.listens) listenToAll(server, talkOf);
  return server;
}

function listenToAll(server: http.Server, talkOf: (socket: net.Socket) => Talk | undefined): void {
  server.on('clientError', (error: ParseError, socket: net.Socket) => {
    const { code, message, bytesParsed, rawPacket } = error;
    const told = { code, message, bytesParsed, rawPacket: rawPacket?.toString('latin1'), read: socket.bytesRead };
    talkOf(socket)?.note('server', `clientError ${JSON.stringify(told)}`);
    socket.end('HTTP/1.1 400 Own\r\n\r\n');
  });
  for (const event of ['checkContinue', 'checkExpectation']) {
    server.on(event, (request: http.IncomingMessage, response: http.ServerResponse) => {
      const talk = talkOf(request.socket);
      talk?.note('server', `${event} `);
      if (event === 'checkContinue') response.writeContinue();
      talk?.serve(request, response);
    });
  }
  for (const event of ['upgrade', 'connect']) {
    server.on(event, (request: http.IncomingMessage, socket: net.Socket, first: Buffer) => {
      const { method, url, rawHeaders } = request;
      // Newer nodes give a stream on the socket if the request has a body that is not complete yet.
      const talk = talkOf(request.socket);
      talk?.note('server', `${event} ${JSON.stringify({ method, url, rawHeaders })} ${first.toString('latin1')}`);
      socket.on('data', (chunk: Buffer) => talk?.note('socket', `tunnel ${chunk.toString('latin1')} `));
      socket.on('error', () => undefined).on('end', () => socket.end());
      socket.write('HTTP/1.1 101 Own\r\n\r\n');
    });
  }
}

/** What the client sends on every connection before; its handler is the same. */
export const PLAIN = 'GET /plain HTTP/1.1\r\nHost: x\r\n\r\n';

/** As the first, second or third request of a connection. */
export function asNth(nth: number, name: string, pieces: readonly string[]): Script {
  const before = Array.from({ length: nth - 1 }, () => PLAIN);
  return { name: `${name}, number ${String(nth)}`, pieces: [...before, ...pieces] };
}
