/**
 * Looks into requests that wait for the responses to earlier ones, as node's server reads requests before it has answered
 * the ones before them: what cannot be read is refused at once. Nothing is kept of what it reads.
 */
import type { NodeParser, ParseError } from '../../node/http-parser.js';
import { parserFacts } from '../plain-request.js';

export class LookAhead {
  /** undefined: what follows is no HTTP request, or has failed. */
  private parser: NodeParser | undefined;
  /** Bytes that it has looked at. */
  length = 0;

  constructor(longestHead: number) {
    const { parserClass } = parserFacts();
    this.parser = new parserClass();
    this.parser.initialize(parserClass.REQUEST, {}, longestHead);
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

  close(): void {
    this.parser?.close();
    this.parser = undefined;
  }
}
