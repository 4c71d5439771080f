/** Lines of fields, of a head or of trailers: RFC 9112, 5. */
import { TOKEN } from './request-line.js';
import { violation, type Violation } from './violation.js';

/** Without control bytes but the tab; what is beyond ASCII is opaque: RFC 9110, 5.5. */
const FIELD = new RegExp(`^(${TOKEN}):([\\t\\x20-\\x7e\\x80-\\xff]*)$`);
const NAME = new RegExp(`^${TOKEN}$`);
const BLANKS_AROUND = /^[ \t]+|[ \t]+$/g;

export interface Field {
  /** In small letters. */
  readonly name: string;
  readonly value: string;
}

/** `isFirst`: it follows the request line. */
export function readField(line: string, isFirst: boolean): Field | Violation {
  const [, name, value] = FIELD.exec(line) ?? [];
  if (name === undefined || value === undefined) return wrongField(line, isFirst);
  return { name: name.toLowerCase(), value: value.replace(BLANKS_AROUND, '') };
}

function wrongField(line: string, isFirst: boolean): Violation {
  if (line.startsWith(' ') || line.startsWith('\t')) {
    return isFirst
      ? violation('a blank between the request line and the first field', '9112, 2.2')
      : violation('a folded field', '9112, 5.2');
  }
  const colon = line.indexOf(':');
  if (colon < 0) return violation('a field without a colon', '9112, 5');
  const name = line.slice(0, colon);
  if (/[ \t]$/.test(name)) return violation('a blank between a name and its colon', '9112, 5.1');
  if (!NAME.test(name)) return violation('an invalid name of a field', '9110, 5.1');
  return violation('a control byte in the value of a field', '9110, 5.5');
}
