/**
 * Looks into requests that wait for the responses to earlier ones, as node's server reads requests before it has answered
 * the ones before them: what cannot be read is refused at once. Nothing is kept of what it reads.
 */
import type { NodeParser, ParseError } from '../../node/http-parser.js';
import { parserFacts } from '../plain-request.js';

const HEAD_TOO_LARGE = 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n';
const CHUNK_TOO_LARGE = 'HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n\r\n';
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

/** As node answers what its parser cannot read. */
export function refusalOf(error: Error & { code?: string }): string {
  if (error.code === 'HPE_HEADER_OVERFLOW') return HEAD_TOO_LARGE;
  return error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW' ? CHUNK_TOO_LARGE : BAD_REQUEST;
}

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
