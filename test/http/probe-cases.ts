/** The cases of MDA2AV/Http11Probe that check a MUST, read from a checkout: what is sent, and what passes. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesOf, unescape } from './corpora.js';

/** What a client has seen once nothing more happens. */
export interface Outcome {
  /** An answer of 1xx has come before. */
  readonly hasInterim: boolean;
  /** undefined: there was no answer. */
  readonly status: number | undefined;
  readonly headers: string;
  readonly body: string;
  /** How many answers. */
  readonly answers: number;
  /** The server has closed the connection. */
  readonly closed: boolean;
}

export interface ProbeCase {
  readonly id: string;
  /** What its first step sends. One character is one byte. */
  readonly bytes: string;
  readonly passes: (outcome: Outcome) => boolean;
}

type Rule = (outcome: Outcome, source: string) => boolean;

const isGood = ({ status = 0 }: Outcome): boolean => status >= 200 && status < 300;
const isOneOf = ({ status, closed }: Outcome, ...statuses: number[]): boolean =>
  status === undefined ? closed : statuses.includes(status);
const orCloses: Rule = (outcome) =>
  outcome.answers < 2 && (isOneOf(outcome, 400) || outcome.closed || outcome.status === undefined);
const isNotSwitched: Rule = ({ status, closed }) => (status === undefined ? closed : status !== 101);

/** By the description of what is expected, where that is a function. What is only warned of passes. */
const RULES: Readonly<Record<string, Rule>> = {
  '400/501 or close': (outcome) => isOneOf(outcome, 400, 501),
  '400/501 or 2xx+close': (outcome) => isOneOf(outcome, 400, 501) || (isGood(outcome) && outcome.closed),
  '400 or 2xx+close': (outcome) => isOneOf(outcome, 400) || (isGood(outcome) && outcome.closed),
  '400 or 2xx': (outcome) => isOneOf(outcome, 400) || isGood(outcome),
  '400/close/timeout': ({ status }) => status === undefined || status === 400,
  '!101': isNotSwitched,
  'non-101 (426 preferred)': isNotSwitched,
  '2xx + echo': (outcome, source) => isGood(outcome) && outcome.body === /EchoValidator\("(.*?)"\)/.exec(source)?.[1],
  '2xx preferred; 400 warns': (outcome) => outcome.status === 400 || (isGood(outcome) && outcome.body === 'hello'),
  '2xx + close': (outcome) => isGood(outcome) && outcome.closed,
  '2xx (Range ignored)': (outcome) => isGood(outcome) && outcome.status !== 206,
  '2xx with no body': (outcome) => isGood(outcome) && outcome.body === '',
  '2xx with Date header': (outcome) => isGood(outcome) && /^Date: /m.test(outcome.headers),
  'non-1xx response': ({ hasInterim }) => !hasInterim,
  // The program decides on these statuses.
  '405 + Allow header': ({ status, headers }) => status !== undefined && (status !== 405 || /^Allow: /m.test(headers)),
  '204 without CL': ({ status, headers }) =>
    status !== undefined && (status !== 204 || !/^Content-Length/m.test(headers)),
  'Reject/drop (pass), normalize (fail), preserve (warn)': ({ status, body }) =>
    status === undefined || status >= 400 || !/^content-length: (5|99)$/im.test(body),
  '400, or 2xx + close': orCloses,
  '400, or close': orCloses,
  '400, or close (no extra response)': orCloses,
};

function passing(id: string, source: string): ProbeCase['passes'] {
  const expected = /Expected = new ExpectedBehavior\s*\{([^]*)/.exec(source)?.[1] ?? '';
  const [, exact] = /ExpectedStatus = StatusCodeRange\.Exact\((\d+)\)/.exec(expected) ?? [];
  const mayClose = /AllowConnectionClose = true/.test(expected);
  if (exact !== undefined || /ExpectedStatus = StatusCodeRange\.Range2xx/.test(expected)) {
    return (outcome) => {
      if (outcome.status === undefined) return mayClose && outcome.closed;
      return exact === undefined ? isGood(outcome) : outcome.status === Number(exact);
    };
  }
  const [, description = ''] = /Description = "([^"]*)"/.exec(expected) ?? [];
  const rule = RULES[description];
  if (rule === undefined) throw new Error(`${id} expects what has no rule here: ${description}`);
  return (outcome) => rule(outcome, source);
}

const VARIABLE = /var (\w+) =\s+(?!Encoding\.ASCII\.GetBytes|new byte)([^;]*(?:"(?:[^"\\]|\\.)*"[^;]*)*);/g;
const PIECE = /\$?"((?:[^"\\]|\\.)*)"|0x([0-9A-Fa-f]{2})\b|new string\('(.)', ([\d_]+)\)|\b([A-Za-z]\w*)\b/g;

/** Of an expression or of several: their literals one after the other, with the values of variables. */
function textOf(source: string, values: ReadonlyMap<string, string>): string {
  const filled = (text: string): string =>
    text.replace(/\{ctx\.\w+\}/g, 'x').replace(/\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole);
  return [...source.matchAll(PIECE)]
    .map(([, literal, hex, one, count = '', name = '']) => {
      if (literal !== undefined) return filled(unescape(literal));
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return one === undefined ? (values.get(name) ?? '') : one.repeat(Number(count.replaceAll('_', '')));
    })
    .join('');
}

function valueOf(expression: string, values: ReadonlyMap<string, string>): string {
  const [, counted] = /GetByteCount\((\w+)\)/.exec(expression) ?? [];
  if (counted !== undefined) return String(values.get(counted)?.length);
  const [, number] = /(\w+)\.ToString\("x"\)/.exec(expression) ?? [];
  if (number !== undefined) return Number(values.get(number)).toString(16);
  const [, measured, more] = /(\w+)\.Length \+ (\d+)/.exec(expression) ?? [];
  if (measured !== undefined) return String((values.get(measured)?.length ?? 0) + Number(more));
  return textOf(expression, values);
}

function payloadOf(source: string): string {
  const factory =
    /PayloadFactory = ([^]*?)(?=\n\s*(?:Expected|Validator|Label|BehavioralAnalyzer|DynamicPayloadFactory|\})|$)/;
  const code = (factory.exec(source)?.[1] ?? '').replace(/(^|\s)\/\/.*$/gm, '');
  const values = new Map<string, string>();
  const rest = code.replace(VARIABLE, (_, name: string, expression: string) => {
    values.set(name, valueOf(expression, values));
    return '';
  });
  // What is copied into place comes in the order in which it is made.
  return textOf(rest.replace(/\b\w+\.CopyTo[^;]*;|\breturn payload;/g, ''), values);
}

/** Of a checkout's folder. */
export function probeCases(folder: string): ProbeCase[] {
  return filesOf(join(folder, 'src/Http11Probe/TestCases/Suites'), '.cs').flatMap((file) => {
    const blocks = readFileSync(file, 'utf8')
      .split(/yield return new (?=\w*TestCase)/)
      .slice(1);
    return blocks.flatMap((source) => {
      const [, level = 'Must'] = /RfcLevel = RfcLevel\.(\w+)/.exec(source) ?? [];
      const [, id = basename(file)] = /Id = "([^"]+)"/.exec(source) ?? [];
      return level === 'Must' ? [{ id, bytes: payloadOf(source), passes: passing(id, source) }] : [];
    });
  });
}
