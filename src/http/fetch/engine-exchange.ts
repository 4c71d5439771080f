/** A request that a connection of the engine has read, for a fetch handler, without node's messages. */
import { dateLine } from '../../exchange/date.js';
import { lengthLineOf } from '../../exchange/header-lines.js';
import { statusLine } from '../../exchange/implicit-header.js';
import { addToHead, beginHead, endHead } from '../../exchange/repeated-heads.js';
import { keptFor, lastLinesOf } from '../response-head.js';
import { wantsChunks } from '../te-header.js';
import type { FetchApp } from './contracts.js';
import { FetchExchange, type Framing } from './exchange.js';
import { RequestBody, type BodySource } from './request-body.js';
import type { ResponseParts } from './response-parts.js';

/** The connection, as its exchanges use it. */
export interface ExchangeCarrier extends BodySource {
  /** Milliseconds for which it is kept. */
  readonly keepAliveTimeout: number;
  /** Whether all earlier responses are over. */
  isTurnOf(exchange: EngineExchange): boolean;
  /** Sends a header block, and what follows it. */
  sendHead(head: string, body: string | Uint8Array | undefined, isBeyondAscii: boolean): void;
  /** Sends part of a body. Returns whether there is room for more. */
  sendPart(before: string, chunk: Uint8Array | undefined, after: string): boolean;
  /** The response is over. */
  finished(exchange: EngineExchange): void;
  destroy(error: Error | undefined): void;
}

/** What the connection has read of a request. */
export interface RequestLine {
  method: string;
  url: string;
  rawHeaders: readonly string[];
  minorVersion: number;
  keepsAlive: boolean;
  hasBody: boolean;
}

const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';

export class EngineExchange extends FetchExchange {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: RequestBody | undefined;
  /** Another request may follow. */
  keeps: boolean;
  /** Something has been sent. */
  hasBegun = false;
  private readonly isOld: boolean;
  private readonly carrier: ExchangeCarrier;
  private waiting: (() => void) | undefined;
  private isChunked = false;

  constructor(app: FetchApp, carrier: ExchangeCarrier, line: RequestLine) {
    super(app);
    this.method = line.method;
    this.url = line.url;
    this.rawHeaders = line.rawHeaders;
    this.body = line.hasBody ? new RequestBody(carrier, app.highWaterMark) : undefined;
    this.keeps = line.keepsAlive;
    this.isOld = line.minorVersion === 0;
    this.carrier = carrier;
  }

  protected override get takesChunks(): boolean {
    return !this.isOld || wantsChunks(this.rawHeaders);
  }

  protected override inTurn(call: () => void): void {
    if (this.carrier.isTurnOf(this)) call();
    else this.waiting = call;
  }

  /** All earlier responses are over. */
  takeTurn(): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.();
  }

  /** The kernel has room again. */
  goOn(): void {
    this.stream?.go();
  }

  private headOf(parts: ResponseParts, framing: Framing): string {
    const { status, statusText } = parts;
    // As node: what has no length leaves the connection open only to clients that take chunks.
    if (parts.closes || (typeof framing !== 'number' && !this.takesChunks)) this.keeps = false;
    // Before the head is begun: it may be a getter, which runs the program.
    const kept = this.keeps ? keptFor(this.carrier.keepAliveTimeout) : 'Connection: close\r\n';
    beginHead(statusText === '' ? statusLine(status) : `HTTP/1.1 ${String(status)} ${statusText}\r\n`);
    for (const { line } of parts.headers) addToHead(line);
    if (typeof framing === 'number') addToHead(lengthLineOf(framing));
    else if (framing === 'chunked') addToHead('Transfer-Encoding: chunked\r\n');
    addToHead(lastLinesOf(parts.hasDate ? '' : dateLine(), kept));
    return endHead();
  }

  protected override sendWhole(parts: ResponseParts, framing: Framing, body: string | Uint8Array | undefined): void {
    this.hasBegun = true;
    this.carrier.sendHead(this.headOf(parts, framing), body, parts.isBeyondAscii);
  }

  protected override sendHead(parts: ResponseParts, framing: Framing): void {
    this.isChunked = framing === 'chunked';
    this.sendWhole(parts, framing, undefined);
  }

  override write(chunk: Uint8Array): boolean {
    const { carrier } = this;
    if (!this.isChunked) return carrier.sendPart('', chunk, '');
    return carrier.sendPart(chunk.length.toString(16) + CRLF, chunk, CRLF);
  }

  protected override sendEnd(): void {
    if (this.isChunked) this.carrier.sendPart(LAST_CHUNK, undefined, '');
  }

  protected override finish(): void {
    super.finish();
    this.carrier.finished(this);
  }

  protected override cut(): void {
    this.carrier.destroy(undefined);
  }
}
