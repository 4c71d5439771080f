/** The head of one request, as far as it says whom it is for, and where the message ends: RFC 9112, 3.2 and 6. */
import { authorityOf } from './authority.js';
import type { Field } from './field-lines.js';
import type { RequestLine } from './request-line.js';
import { violation, type Violation } from './violation.js';

const DIGITS = /^\d+$/;
const COMMA = /[ \t]*,[ \t]*/;
/** Only blanks: to node's parser a token with a tab beside it is another one. */
const OPTIONS = / *, */;

export interface Framing {
  /** In bytes; 0 for a chunked body. */
  readonly length: number;
  readonly chunked: boolean;
  /** The connection may speak another protocol from here on: node and the program decide. */
  readonly maySwitch: boolean;
}

export class Head {
  private readonly line: RequestLine;
  private readonly hosts: string[] = [];
  private readonly lengths: string[] = [];
  private readonly codings: string[] = [];
  private readonly connection: string[] = [];
  private hasUpgrade = false;
  isEmpty = true;

  constructor(line: RequestLine) {
    this.line = line;
  }

  add({ name, value }: Field): void {
    this.isEmpty = false;
    if (name === 'host') this.hosts.push(value);
    else if (name === 'content-length') this.lengths.push(value);
    else if (name === 'transfer-encoding') this.codings.push(value);
    else if (name === 'connection') this.connection.push(value);
    else if (name === 'upgrade') this.hasUpgrade = true;
  }

  /** All of its fields have come. */
  close(): Framing | Violation {
    return this.wrongHost() ?? this.wrongLength() ?? this.wrongCoding() ?? this.framing();
  }

  private wrongHost(): Violation | undefined {
    const { hosts, line } = this;
    const [host] = hosts;
    if (host === undefined) {
      return line.minorVersion > 0 ? violation('no Host', '9112, 3.2') : undefined;
    }
    if (hosts.length > 1) return violation('several Host fields', '9112, 3.2');
    const authority = authorityOf(host);
    if (authority === undefined) return violation('an invalid Host', '9112, 3.2');
    // The URI that is asked for would have no host.
    const isMissing = authority.host === '' && !line.namesHost && line.minorVersion > 0;
    return isMissing ? violation('an empty Host', '9110, 4.2.1') : undefined;
  }

  private wrongLength(): Violation | undefined {
    const { lengths } = this;
    const [length] = lengths;
    if (length === undefined) return undefined;
    if (lengths.length > 1) return violation('several Content-Length fields', '9110, 8.6');
    if (this.codings.length > 0) return violation('both Content-Length and Transfer-Encoding', '9112, 6.1');
    const isRight = DIGITS.test(length) && Number.isSafeInteger(Number(length));
    return isRight ? undefined : violation('an invalid Content-Length', '9110, 8.6');
  }

  private wrongCoding(): Violation | undefined {
    if (this.codings.length === 0) return undefined;
    if (this.line.minorVersion === 0) return violation('Transfer-Encoding in HTTP/1.0', '9112, 6.1');
    // Empty elements of a list are to be ignored: RFC 9110, 5.6.1.2.
    const names = listOf(this.codings, COMMA).filter((name) => name !== '');
    if (names.at(-1) !== 'chunked') return violation('a body whose last coding is not chunked', '9112, 6.3');
    const others = names.slice(0, -1);
    if (others.includes('chunked')) return violation('a body that is chunked twice', '9112, 6.1');
    return others.length > 0 ? violation('an unknown transfer coding', '9112, 6.1', 501) : undefined;
  }

  private framing(): Framing {
    const { lengths, codings, line, hasUpgrade, connection } = this;
    const maySwitch = line.method === 'CONNECT' || (hasUpgrade && listOf(connection, OPTIONS).includes('upgrade'));
    return { length: Number(lengths[0] ?? 0), chunked: codings.length > 0, maySwitch };
  }
}

function listOf(values: readonly string[], comma: RegExp): string[] {
  return values.join(',').toLowerCase().split(comma);
}
