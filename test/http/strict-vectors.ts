/** What a strict server makes of each of our vectors. */
import { VECTORS, type Vector } from './vectors.js';

/** By the status that refuses them, the names of each group. All other vectors are left to node's parser. */
const REFUSED: Readonly<Record<number, Readonly<Record<string, readonly string[]>>>> = {
  400: {
    method: ['no token', 'a NUL in it', 'a colon behind it'],
    target: ['asterisk', 'no slash', 'obs-text', 'a NUL', 'a tab', 'a blank', 'DEL', 'empty', 'a question'],
    version: [
      ...['two digits', 'a leading zero', 'no dot', 'no minor', 'small letters', 'another protocol'],
      ...['a blank in it', 'a blank behind it', 'none'],
    ],
    line: [
      ...['CR at the end of the request line', 'CR at the end of a field', 'CR CR LF'],
      ...['CR before something else than LF', 'blank before', 'a tab in the request line'],
      ...['no target and no version', 'no fields'],
    ],
    field: [
      ...['a blank before the colon', 'a tab before the colon', 'a blank before the name', 'empty name', 'no colon'],
      ...['a blank in the name', 'a NUL in the name', 'obs-text in the name', 'parentheses in the name'],
      ...['a NUL in the value', 'a control byte in the value', 'a vertical tab in the value', 'DEL in the value'],
      ...['a fold', 'a fold by a tab', 'a fold of nothing', 'a fold of Host'],
    ],
    host: [
      ...['none', 'empty', 'twice', 'two different ones', 'with a path', 'with a user', 'two words'],
      ...['a list', 'brackets left open', 'no address in brackets', 'a port of letters', 'only a port', 'obs-text'],
      ...['a broken escape', 'a fragment'],
    ],
    length: [
      ...['plus', 'minus', 'hexadecimal', 'two words', 'a list of equals', 'a list of others', 'a fraction'],
      ...['an exponent', 'letters', 'empty', 'a vertical tab', 'a NUL behind', 'beyond 64 bits', 'twice the same'],
      ...['twice, different', 'a fold'],
    ],
    coding: [
      ...['identity', 'twice in a list', 'twice', 'a letter before', 'a letter behind', 'gzip behind', 'gzip only'],
      ...['empty', 'a vertical tab before', 'quotes', 'parameters', 'a fold', 'a NUL behind', 'chunked, then identity'],
    ],
    framing: [
      ...['a length, then a coding', 'a coding, then a length', 'a length, then identity'],
      'a coding with a blank before its colon',
    ],
    chunks: [
      ...['an extension without a name', 'a prefix', 'plus', 'an underscore', 'no size', 'no digit', 'too large'],
      ...['shorter than the data', 'a wrong trailer', 'a blank behind the size', 'an extension that is no token'],
      ...['a CR in an extension', 'a fold among the trailers', 'a control byte in a trailer'],
    ],
    'HTTP/1.0': ['chunked', 'two Hosts'],
    pair: ['a wrong one behind', 'a wrong one before'],
    CONNECT: ['a path', 'no port', 'an empty port', 'port 0', 'a port that is too large'],
    absolute: ['without a host', 'without an authority', 'with a wrong Host'],
  },
  501: { coding: ['gzip before'] },
  505: { version: ['0.9', '2.0'], line: ['the preface of HTTP/2'] },
};

export interface RefusedVector extends Vector {
  readonly status: number;
  /** How many of its requests the program sees: what is wrong comes behind them, or in their bodies. */
  readonly served: number;
}

/** The program sees a request before its chunks, or what follows it, have been read. */
function servedOf(name: string): number {
  return /^(?:chunks|upgrade): /.test(name) || name === 'pair: a wrong one behind' ? 1 : 0;
}

/** Refused unless a listener has accepted the upgrade: behind that nothing is looked at. */
const UNLESS_UPGRADED = 'upgrade: with a chunk that is none';

const STATUSES = new Map<string, number>(
  Object.entries(REFUSED).flatMap(([status, groups]) =>
    Object.entries(groups).flatMap(([of, names]) => names.map((name) => [`${of}: ${name}`, Number(status)] as const)),
  ),
);

function statusOf(name: string, listens: boolean): number | undefined {
  return name === UNLESS_UPGRADED && !listens ? 400 : STATUSES.get(name);
}

/** `listens`: there are listeners of 'upgrade' and 'connect'. */
export function refusedVectors(listens: boolean): readonly RefusedVector[] {
  return VECTORS.flatMap((vector) => {
    const status = statusOf(vector.name, listens);
    return status === undefined ? [] : [{ ...vector, status, served: servedOf(vector.name) }];
  });
}

export function acceptedVectors(listens: boolean): readonly Vector[] {
  return VECTORS.filter(({ name }) => statusOf(name, listens) === undefined);
}

/** Those of the table that no vector has. */
export const UNKNOWN_NAMES = [...STATUSES.keys(), UNLESS_UPGRADED].filter(
  (name) => !VECTORS.some((vector) => vector.name === name),
);
