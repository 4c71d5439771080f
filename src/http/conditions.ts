/**
 * What a request gets of a file: all of it, a part, or word that nothing is to be sent. The rules are RFC 9110's:
 * preconditions in the order of 13.2.2, ranges as in 14.2. Pure functions; nothing here touches a response.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** What tells one state of a file from another, as the answer's head says it. */
export interface Validators {
  /** Quoted, with W/ in front where it is weak; undefined where the answer carries none. */
  readonly etag: string | undefined;
  /** In milliseconds, whole seconds; NaN where the answer carries none. */
  readonly modified: number;
  /** The file is so young that it may change again without either of them changing. */
  readonly young: boolean;
}

/** The answer to be given. `offset` and `length` are the bytes of its body, counted from the start of what is served. */
export interface Outcome {
  readonly status: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * Modification times count in seconds in HTTP. Up to this age a file may be written to once more in the second that its
 * validators name: they are weak so long, as Apache's are.
 */
const YOUNG_MILLIS = 2000;

export function isYoung(modified: number, now: number): boolean {
  return now - modified < YOUNG_MILLIS;
}

/** nginx's form: the time of modification in seconds and the size, in hex. A part of a file adds where it lies. */
export function fileEtag(modified: number, size: number, young: boolean, part = ''): string {
  const text = `"${Math.floor(modified / 1000).toString(16)}-${size.toString(16)}${part}"`;
  return young ? `W/${text}` : text;
}

let lastDate = NaN;
let lastDateText = '';

/** As HTTP writes a date. One file is often asked for many times over: the last answer is kept. */
export function httpDate(millis: number): string {
  if (millis !== lastDate) {
    lastDateText = new Date(millis).toUTCString();
    lastDate = millis;
  }
  return lastDateText;
}

/** What begins with the name of a day: Date.parse alone takes more than the three forms that HTTP has. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** NaN for what is no date: such a condition is as good as absent. */
export function parseDate(text: string): number {
  if (!HTTP_DATE.test(text)) return NaN;
  // The oldest of them, asctime's, leaves out that it is GMT.
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}

const ENTITY_TAGS = /(?:W\/)?"[^"]*"/g;

function stripWeak(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

function listNames(list: string, etag: string, strongly: boolean): boolean {
  if (list.trim() === '*') return true;
  if (strongly && etag.startsWith('W/')) return false;
  const wanted = stripWeak(etag);
  return (list.match(ENTITY_TAGS) ?? []).some((tag) => (strongly ? tag : stripWeak(tag)) === wanted);
}

/** If-Match, or else If-Unmodified-Since: whether the file is still what the client takes it for. */
function isAsExpected(headers: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  const match = headers['if-match'];
  if (match !== undefined) return etag === undefined ? match.trim() === '*' : listNames(match, etag, true);
  const since = headers['if-unmodified-since'];
  if (since === undefined) return true;
  // Without a date on either side there is nothing to compare.
  return !(modified > parseDate(since));
}

/** If-None-Match, or else If-Modified-Since: whether the client has it already. */
function isFresh(headers: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return etag === undefined ? noneMatch.trim() === '*' : listNames(noneMatch, etag, false);
  const since = headers['if-modified-since'];
  return since !== undefined && modified <= parseDate(since);
}

/** Whether a range is of the state of the file that the client has the rest of. A weak validator cannot say so. */
function rangeStillHolds(condition: string | undefined, { etag, modified, young }: Validators): boolean {
  if (condition === undefined) return true;
  if (condition.startsWith('"')) return condition === etag;
  return !young && modified === parseDate(condition);
}

const RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/** undefined: not one range of bytes, and the whole is sent, which is always allowed. */
function parseRange(text: string, size: number): Outcome | undefined {
  const found = RANGE.exec(text);
  if (found === null) return undefined;
  const [, first = '', last = ''] = found;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && first !== '' && Number(last) < start) return undefined;
  if (start >= size || end < start) return { status: 416, offset: 0, length: 0 };
  return { status: 206, offset: start, length: end - start + 1 };
}

/** What a GET or HEAD for this many bytes comes to. `takesRanges`: the answer offers them. */
export function decide(
  method: string | undefined,
  headers: IncomingHttpHeaders,
  validators: Validators,
  size: number,
  takesRanges: boolean,
): Outcome {
  if (!isAsExpected(headers, validators)) return { status: 412, offset: 0, length: 0 };
  if (isFresh(headers, validators)) return { status: 304, offset: 0, length: 0 };
  const { range } = headers;
  // Ranges are defined for GET alone.
  if (
    range !== undefined &&
    takesRanges &&
    method === 'GET' &&
    rangeStillHolds(headers['if-range'] as string, validators)
  ) {
    const part = parseRange(range, size);
    if (part !== undefined) return part;
  }
  return { status: 200, offset: 0, length: size };
}
