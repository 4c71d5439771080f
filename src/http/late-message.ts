/**
 * A message that node's parser reads, and that began before: it has been given the beginning anew, and would count the
 * server's `headersTimeout` and `requestTimeout` from there. So its time is counted here, and not by node.
 */
import type * as net from 'node:net';
import { requestTimeoutError } from '../errors/index.js';
import type { HostedConnection, Incoming } from '../exchange/contracts.js';
import type { NodeParser, ParserCallbacks } from '../node/http-parser.js';
import { refuseByNode } from '../node/http-server.js';
import type { HttpHost } from './host.js';
import type { BegunBehind, MessageStart } from './message-start.js';

type ServedSocket = net.Socket & { readonly parser?: NodeParser | null };

export class LateMessage implements HostedConnection {
  place = -1;
  readonly isIdle = false;
  private readonly host: HttpHost;
  private readonly socket: ServedSocket;
  private readonly parser: NodeParser;
  private readonly start: MessageStart;
  /** undefined: its head has not come. */
  private request: Incoming | undefined;

  private constructor(host: HttpHost, socket: ServedSocket, parser: NodeParser, start: MessageStart) {
    this.host = host;
    this.socket = socket;
    this.parser = parser;
    this.start = start;
  }

  /** The parser has been given the head of this request, and reads its body. */
  static admitBody(host: HttpHost, socket: ServedSocket, start: MessageStart, request: Incoming): void {
    const { parser } = socket;
    if (parser) new LateMessage(host, socket, parser, start).admit(request);
  }

  /** The parser is about to be given the message, behind the others. */
  static await(host: HttpHost, socket: ServedSocket, { start, others }: BegunBehind): void {
    const { parser } = socket;
    if (parser) new LateMessage(host, socket, parser, start).awaitBegin(others);
  }

  /** Node sets no such callback in the parsers of its servers, and removes it with the connection. */
  private awaitBegin(others: number): void {
    const { parser } = this;
    const { kOnMessageBegin } = parser.constructor;
    let left = others;
    parser[kOnMessageBegin] = () => {
      if (left-- > 0) return;
      parser[kOnMessageBegin] = null;
      this.awaitHead();
      this.admit(undefined);
    };
  }

  private awaitHead(): void {
    const { parser } = this;
    const { kOnHeadersComplete } = parser.constructor;
    const onHeadersComplete = parser[kOnHeadersComplete] as ParserCallbacks['onHeadersComplete'];
    // If it never comes, the first message of another connection has this removed.
    parser[kOnHeadersComplete] = (...told: Parameters<ParserCallbacks['onHeadersComplete']>) => {
      parser[kOnHeadersComplete] = onHeadersComplete;
      try {
        return onHeadersComplete.apply(parser, told);
      } finally {
        this.request = (parser.incoming ?? undefined) as Incoming | undefined;
      }
    };
  }

  private admit(request: Incoming | undefined): void {
    this.request = request;
    this.host.countTime(this.parser, this);
    this.host.admit(this);
  }

  get isOver(): boolean {
    const { request, socket, parser } = this;
    return request?.complete === true || socket.destroyed || socket.parser !== parser;
  }

  destroy(): void {
    // Node's server closes the connections that its parsers read.
  }

  checkTime(now: number, headersTimeout: number, requestTimeout: number): void {
    if (this.isOver) this.host.forget(this);
    else if (this.start.takeLate(now, this.request !== undefined, headersTimeout, requestTimeout))
      refuseByNode(this.socket, requestTimeoutError());
  }
}
