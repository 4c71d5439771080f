/** What a request breaks, and the error that its connection ends with. */
import type { ParseError } from '../../node/http-parser.js';
import { coded } from '../../errors/coded.js';

export interface Violation {
  readonly status: 400 | 501 | 505;
  readonly reason: string;
  /** Where the RFC says so. */
  readonly section: string;
}

export function violation(reason: string, section: string, status: Violation['status'] = 400): Violation {
  return { status, reason, section };
}

const PHRASES = { 400: 'Bad Request', 501: 'Not Implemented', 505: 'HTTP Version Not Supported' } as const;

/** In the form of node's own answers to what its parser refuses. */
export function answerTo({ status }: Violation): string {
  return `HTTP/1.1 ${String(status)} ${PHRASES[status]}\r\nConnection: close\r\n\r\n`;
}

/** The argument of 'clientError'; node adds `rawPacket`, and makes the message of all that it refuses anew. */
export function strictError({ status, reason: what, section }: Violation, bytesParsed: number): ParseError {
  const reason = `${what} (RFC ${section})`;
  const error = coded(new Error(`Parse Error: ${reason}`), 'ERR_NEARWIRE_HTTP_STRICT');
  return Object.assign(error, { reason, statusCode: status, bytesParsed });
}
