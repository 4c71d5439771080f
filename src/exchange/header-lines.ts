/**
 * Header lines of responses. A program uses few names, and gives most of them the same value each time: the last line
 * of each name is kept, in one piece: V8 writes that faster than a string that it still has in several.
 */

/** What programs may put into a header without node's validators being asked: they accept these. */
const PLAIN_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const PLAIN_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Names that have been found to be plain. */
const names = new Map<string, HeaderName>();
const MOST_NAMES = 1000;

/** Longer ones are not kept: they are seldom the same, and would take memory for nothing. */
const LONGEST_KEPT = 256;

/** The last text that was made of a value, from the second time on: values that differ each time cost next to nothing. */
export class LastText<Value> {
  private value: Value | undefined;
  private text: string | undefined;

  find(value: Value): string | undefined {
    return value === this.value ? this.text : undefined;
  }

  forget(): void {
    this.value = undefined;
  }

  /** Returns the text, which has latin1 characters only if `maySee` is true. */
  see(value: Value, text: string, maySee: (value: Value) => boolean = () => true): string {
    if (value !== this.value) {
      this.value = value;
      this.text = undefined;
    } else if (maySee(value)) {
      this.text = flat(text);
    }
    return text;
  }
}

/** The text, which has latin1 characters only, in one piece. */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Whether node's validator accepts the value of a header, and the next time needs not be asked. */
function isPlain(value: string | number): boolean {
  return typeof value === 'number' || PLAIN_VALUE.test(value);
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** Of a text of latin1 characters: whether its bytes depend on the encoding. */
export function isBeyondAscii(text: string): boolean {
  return BEYOND_ASCII.test(text);
}

export class HeaderName {
  readonly name: string;
  readonly lower: string;
  private readonly start: string;
  private readonly last = new LastText<string | number>();

  constructor(name: string) {
    this.name = name;
    this.lower = name.toLowerCase();
    this.start = `${name}: `;
  }

  /** undefined: the value has not been validated, and node's validator may throw. */
  line(value: string | number, isValidated: boolean): string | undefined {
    const known = this.last.find(value);
    if (known !== undefined) return known;
    if (!isValidated && !isPlain(value)) return undefined;
    const line = `${this.start}${String(value)}\r\n`;
    return typeof value === 'string' && value.length > LONGEST_KEPT ? line : this.last.see(value, line, isPlain);
  }
}

/** undefined: node's validator would throw. */
export function headerName(name: string): HeaderName | undefined {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (!PLAIN_NAME.test(name)) return undefined;
  const made = new HeaderName(name);
  if (names.size < MOST_NAMES && name.length <= LONGEST_KEPT) names.set(name, made);
  return made;
}

const lengthLine = new LastText<number>();

export function lengthLineOf(bytes: number): string {
  return lengthLine.find(bytes) ?? lengthLine.see(bytes, `Content-Length: ${String(bytes)}\r\n`);
}
