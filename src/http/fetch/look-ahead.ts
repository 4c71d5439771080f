/**
 * Looks into requests that wait for the responses to earlier ones, as node's server reads requests before it has answered
 * the ones before them: what cannot be read is refused at once. Nothing is kept of what it reads.
 */
import type { NodeParser, ParseError } from '../../node/http-parser.js';
import { MessageStart, type BegunBehind } from '../message-start.js';
import { parserFacts } from '../plain-request.js';

export class LookAhead {
  /** undefined: what follows is no HTTP request, or has failed. */
  private parser: NodeParser | undefined;
  /** Bytes that it has looked at. */
  length = 0;
  /** Of the message that is being read. */
  private start: MessageStart | undefined;
  private hasHead = false;
  /** Messages of which all has come. */
  private complete = 0;

  /** `begun`: one of what it is given first has been looked at before. */
  constructor(longestHead: number, begun?: BegunBehind) {
    const { parserClass } = parserFacts();
    const parser = (this.parser = new parserClass());
    parser.initialize(parserClass.REQUEST, {}, longestHead);
    parser[parserClass.kOnMessageBegin] = () => {
      this.start = begun?.others === this.complete ? begun.start : new MessageStart();
      this.hasHead = false;
    };
    parser[parserClass.kOnHeadersComplete] = () => {
      this.hasHead = true;
    };
    parser[parserClass.kOnMessageComplete] = () => {
      this.start = undefined;
      this.complete++;
    };
  }

  /** Takes what follows, and returns what is wrong with it. */
  read(bytes: Buffer): ParseError | undefined {
    this.length += bytes.length;
    const result = this.parser?.execute(bytes);
    if (result === undefined || result === bytes.length) return undefined;
    this.close();
    // Less than all: the rest is that of another protocol.
    return typeof result === 'number' ? undefined : Object.assign(result, { rawPacket: bytes });
  }

  /** The peer ends here. */
  end(): ParseError | undefined {
    const error = this.parser?.finish();
    this.close();
    return error;
  }

  /** Whether the message that is being read should have arrived by now, which is told once. */
  takeLate(now: number, headersTimeout: number, requestTimeout: number): boolean {
    return this.start?.takeLate(now, this.hasHead, headersTimeout, requestTimeout) ?? false;
  }

  /** The message that is being read. */
  get begun(): BegunBehind | undefined {
    return this.start === undefined ? undefined : { start: this.start, others: this.complete };
  }

  close(): void {
    this.parser?.close();
    this.parser = undefined;
  }
}
