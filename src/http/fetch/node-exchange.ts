/** A request that node's own code has read, as IncomingMessage and ServerResponse, for a fetch handler. */
import type * as http from 'node:http';
import { abortedError } from '../../errors/index.js';
import { copyOf } from '../../memory/own-memory.js';
import type { FetchApp } from './contracts.js';
import { FetchExchange, reasonOf, type Framing } from './exchange.js';
import { infoOf } from './info.js';
import { RequestBody, type BodySource } from './request-body.js';
import { urlOf } from './request-url.js';
import type { ResponseParts } from './response-parts.js';

/** Reads an IncomingMessage, from when the handler wants its body. */
class MessageBody implements BodySource {
  readonly body: RequestBody;
  private readonly message: http.IncomingMessage;
  private isRead = false;

  constructor(message: http.IncomingMessage, highWaterMark: number) {
    this.message = message;
    this.body = new RequestBody(this, highWaterMark);
  }

  wants(): void {
    const { message, body } = this;
    if (!this.isRead) {
      this.isRead = true;
      message.on('data', (chunk: Buffer) => {
        // A slice of what the socket has read, which others have parts of.
        if (!body.discarded) body.push(copyOf(chunk, 0, chunk.length));
        if (!body.hasRoom) message.pause();
      });
      message.on('end', () => {
        body.end();
      });
      message.on('close', () => {
        if (!message.readableEnded) body.fail(abortedError());
      });
      if (message.destroyed) body.fail(abortedError());
    }
    message.resume();
  }

  abandons(): void {
    this.message.resume();
  }
}

export class NodeExchange extends FetchExchange {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: RequestBody | undefined;
  protected readonly takesChunks: boolean;
  private readonly response: http.ServerResponse;

  constructor(app: FetchApp, request: http.IncomingMessage, response: http.ServerResponse, url: string) {
    super(app);
    const { method = 'GET', rawHeaders, headers } = request;
    this.method = method;
    this.url = url;
    this.rawHeaders = rawHeaders;
    this.response = response;
    this.takesChunks = response.useChunkedEncodingByDefault;
    const { 'content-length': length, 'transfer-encoding': coding } = headers;
    const isEmpty = coding === undefined && (length === undefined || Number(length) === 0);
    this.body = isEmpty ? undefined : new MessageBody(request, app.highWaterMark).body;
    response.on('drain', () => this.stream?.go());
    response.on('close', () => {
      if (!response.writableFinished && this.loseClient(abortedError())) this.tellLoss();
    });
    request.on('error', ignore);
    response.on('error', ignore);
  }

  protected override inTurn(call: () => void): void {
    call();
  }

  private writeHead(parts: ResponseParts, framing: Framing): void {
    const { closes, status } = parts;
    const headers = parts.headers.flatMap(({ name, value }) => [name, value]);
    if (typeof framing === 'number') headers.push('Content-Length', String(framing));
    else if (framing === 'chunked') headers.push('Transfer-Encoding', 'chunked');
    if (closes) headers.push('Connection', 'close');
    this.response.writeHead(status, reasonOf(parts), headers);
  }

  protected override sendWhole(parts: ResponseParts, framing: Framing, body: string | Uint8Array | undefined): void {
    this.writeHead(parts, framing);
    // Node sends a string in one piece with the headers, in the encoding of the string.
    this.response.end(typeof body === 'string' && parts.isBeyondAscii ? Buffer.from(body) : body);
  }

  protected override sendHead(parts: ResponseParts, framing: Framing): void {
    this.writeHead(parts, framing);
  }

  override write(chunk: Uint8Array): boolean {
    return this.response.write(chunk);
  }

  protected override sendEnd(): void {
    this.response.end();
  }

  protected override cut(): void {
    this.response.destroy();
  }
}

function ignore(): void {
  // 'close' follows.
}

/** The listener of 'request'. */
export function requestListener(app: FetchApp): http.RequestListener {
  return (request, response) => {
    const url = urlOf(request.url ?? '', request.rawHeaders);
    const exchange = new NodeExchange(app, request, response, url ?? '');
    if (url === undefined) exchange.refuse();
    else exchange.run(infoOf(request.socket));
  };
}
