/**
 * Decides what a request gets of a file: all of it, a part, or a response without it. The rules are those of RFC 9110:
 * preconditions in the order of 13.2.2, ranges as in 14.2. Pure functions; nothing here touches a response.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** What distinguishes one state of a file from another in the response's headers. */
export interface Validators {
  /** Quoted, prefixed with W/ if it is weak; undefined if the response has none. */
  readonly etag: string | undefined;
  /** In milliseconds, whole seconds; NaN if the response has none. */
  readonly modified: number;
  /** The file was modified so recently that it may change again without either of them changing. */
  readonly young: boolean;
}

/** The response to send. `offset` and `length` describe its body, counted from the start of what is served. */
export interface Outcome {
  readonly status: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * HTTP's modification times are whole seconds. Up to this age, a file may be modified again within the second that its
 * validators name, so they are weak, as in Apache.
 */
const YOUNG_MILLIS = 2000;

export function isYoung(modified: number, now: number): boolean {
  return now - modified < YOUNG_MILLIS;
}

/** nginx's format: the modification time in seconds and the size, in hex. A part of a file adds its position. */
export function fileEtag(modified: number, size: number, young: boolean, part = ''): string {
  const text = `"${Math.floor(modified / 1000).toString(16)}-${size.toString(16)}${part}"`;
  return young ? `W/${text}` : text;
}

let lastDate = NaN;
let lastDateText = '';

/** A date in HTTP's format. One file is often requested repeatedly: the last result is cached. */
export function httpDate(millis: number): string {
  if (millis !== lastDate) {
    lastDateText = new Date(millis).toUTCString();
    lastDate = millis;
  }
  return lastDateText;
}

/** Dates start with the name of a day: Date.parse alone accepts more than HTTP's three formats. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** NaN for an invalid date: such a condition is ignored. */
export function parseDate(text: string): number {
  if (!HTTP_DATE.test(text)) return NaN;
  // The oldest format, asctime's, leaves out that it is GMT.
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

/** If-Match, otherwise If-Unmodified-Since: whether the file is still the one that the client expects. */
function isAsExpected(headers: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  const match = headers['if-match'];
  if (match !== undefined) return etag === undefined ? match.trim() === '*' : listNames(match, etag, true);
  const since = headers['if-unmodified-since'];
  if (since === undefined) return true;
  // Without a date on either side there is nothing to compare.
  return !(modified > parseDate(since));
}

/** If-None-Match, otherwise If-Modified-Since: whether the client already has it. */
function isFresh(headers: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return etag === undefined ? noneMatch.trim() === '*' : listNames(noneMatch, etag, false);
  const since = headers['if-modified-since'];
  return since !== undefined && modified <= parseDate(since);
}

/**
 * Whether a range belongs to the same state of the file as the parts that the client has. A weak validator cannot
 * guarantee that.
 */
function rangeStillHolds(condition: string | undefined, { etag, modified, young }: Validators): boolean {
  if (condition === undefined) return true;
  if (condition.startsWith('"')) return condition === etag;
  return !young && modified === parseDate(condition);
}

const RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/** undefined: not a single byte range; the whole file is sent, which is always allowed. */
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

/** The outcome of a GET or HEAD for this many bytes. `takesRanges`: the response offers ranges. */
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
  // Ranges are defined for GET only.
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
