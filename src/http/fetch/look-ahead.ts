/**
 * Looks into requests that wait for the responses to earlier ones, as node's server reads requests before it has answered
 * the ones before them: what cannot be read is refused at once. Nothing is kept of what it reads.
 */
import { loopTime } from '../../engine/thread-engine.js';
import { isLate } from '../../exchange/is-late.js';
import type { NodeParser, ParseError } from '../../node/http-parser.js';
import { parserFacts } from '../plain-request.js';

export class LookAhead {
  /** undefined: what follows is no HTTP request, or has failed. */
  private parser: NodeParser | undefined;
  /** Bytes that it has looked at. */
  length = 0;
  /** When the message that is being read began; undefined: none is, or its time is over, which has been told. */
  private startedAt: number | undefined;
  private hasHead = false;

  constructor(longestHead: number) {
    const { parserClass } = parserFacts();
    const parser = (this.parser = new parserClass());
    parser.initialize(parserClass.REQUEST, {}, longestHead);
    parser[parserClass.kOnMessageBegin] = () => {
      this.startedAt = loopTime();
      this.hasHead = false;
    };
    parser[parserClass.kOnHeadersComplete] = () => {
      this.hasHead = true;
    };
    parser[parserClass.kOnMessageComplete] = () => {
      this.startedAt = undefined;
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
    const { startedAt, hasHead } = this;
    if (startedAt === undefined || !isLate(now - startedAt, hasHead, headersTimeout, requestTimeout)) return false;
    this.startedAt = undefined;
    return true;
  }

  close(): void {
    this.parser?.close();
    this.parser = undefined;
  }
}
