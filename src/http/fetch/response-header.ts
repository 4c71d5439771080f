/**
 * A header of a Response, looked at once. A program uses few names, and gives most of them the same value each time: the
 * last header of each name is kept.
 */
import { flat, isBeyondAscii } from '../../exchange/header-lines.js';

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const EDGES = /^[\t ]|[\t ]$/;
const DIGITS = /^\d+$/;
const CLOSE = /(?:^|[\s,])close(?:$|[\s,])/i;

/** How a message ends, and whether another follows, is decided by who sends it. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export class ResponseHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  /** Whether the genuine Headers would leave the value as it is. */
  readonly isTrimmed: boolean;
  readonly isBeyondAscii: boolean;
  readonly isOfTheConnection: boolean;
  /** Nothing follows from it but its line. */
  readonly isOrdinary: boolean;
  private wasSent = false;
  private text: string | undefined;

  constructor(name: string, value: string) {
    this.name = name.toLowerCase();
    this.value = value;
    this.isTrimmed = !EDGES.test(value);
    this.isBeyondAscii = isBeyondAscii(value);
    this.isOfTheConnection = OF_THE_CONNECTION.has(this.name);
    this.isOrdinary = !this.isBeyondAscii && !this.isOfTheConnection && !this.isDate;
  }

  get isDate(): boolean {
    return this.name === 'date';
  }

  /** Whether it wants the connection closed. */
  get closes(): boolean {
    return this.name === 'connection' && CLOSE.test(this.value);
  }

  /** Of the body, if it says so. */
  get length(): number | undefined {
    return this.name === 'content-length' && DIGITS.test(this.value) ? Number(this.value) : undefined;
  }

  /** From the second time on in one piece, which V8 writes faster: values that differ each time do not pay for it. */
  get line(): string {
    if (this.text !== undefined) return this.text;
    const line = `${this.name}: ${this.value}\r\n`;
    if (this.wasSent) this.text = flat(line);
    this.wasSent = true;
    return line;
  }
}

/** By the name as the program writes it. */
const kept = new Map<string, ResponseHeader>();
const MOST_NAMES = 1000;
/** Longer ones are not kept: they are seldom the same, and would take memory for nothing. */
const LONGEST_KEPT = 256;

export function isHeaderName(name: string): boolean {
  return NAME.test(name);
}

/** undefined: HTTP cannot send the name or the value. */
export function responseHeader(name: string, value: string): ResponseHeader | undefined {
  const known = kept.get(name);
  if (known !== undefined && known.value === value) return known;
  if (known === undefined && !NAME.test(name)) return undefined;
  if (!VALUE.test(value)) return undefined;
  const header = new ResponseHeader(name, value);
  const isShort = name.length + value.length <= LONGEST_KEPT;
  if (isShort && (known !== undefined || kept.size < MOST_NAMES)) kept.set(name, header);
  return header;
}
