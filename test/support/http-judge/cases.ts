/** Cases: a request, where in a connection it comes and in what pieces, and who serves it. */
import type * as http from 'node:http';
import { pick, type Random } from '../random.js';
import { HANDLERS } from './handlers.js';
import { PLAIN, VECTORS } from './vectors.js';

export interface Case {
  readonly name: string;
  /** Each is sent when all has been done about the one before. */
  readonly pieces: readonly string[];
  readonly handler: string;
  readonly options: http.ServerOptions;
  readonly clientError: 'none' | 'answers' | 'destroys' | 'throws';
  /** Listens to 'checkContinue'; to 'upgrade' and 'connect'; to the socket's and the request's 'error'. */
  readonly checks: boolean;
  readonly upgrades: boolean;
  readonly watchesSocket: boolean;
}

export function throwsAnything({ handler, clientError }: Case): boolean {
  return handler.startsWith('throws') || clientError === 'throws';
}

/** More is not read at once by node. */
const READ_BYTES = 65_536;

/**
 * node may close with bytes in the kernel, whose peer then meets a reset. The engine has read them in the same turn, and
 * its peer meets an end.
 */
export function leavesBytes({ pieces }: Case): boolean {
  return pieces.some((piece) => piece.length > READ_BYTES);
}

const OPTIONS: readonly http.ServerOptions[] = [
  {},
  {},
  {},
  { insecureHTTPParser: true },
  { requireHostHeader: false },
  { joinDuplicateHeaders: true },
  { maxHeaderSize: 512 },
  { highWaterMark: 16 },
];

/** How a request and its neighbours are cut into pieces; `at` is within the request. */
const FORMS: Readonly<Record<string, (request: string, at: number) => string[]>> = {
  whole: (request) => [request],
  cut: (request, at) => [request.slice(0, at), request.slice(at)],
  'behind another in one read': (request) => [PLAIN + request],
  'before another in one read': (request) => [request + PLAIN],
  'before another': (request) => [request, PLAIN],
  'between others in one read': (request) => [PLAIN + request + PLAIN],
  'twice in one read': (request) => [request + request],
  twice: (request) => [request, request],
  'cut, each part with a neighbour': (request, at) => [PLAIN + request.slice(0, at), request.slice(at) + PLAIN],
  'cut, before another': (request, at) => [request.slice(0, at), request.slice(at), PLAIN],
};

const MOST_BEFORE = 3;

/** One byte of it is another one, in some cases. */
function mutate(text: string, random: Random): string {
  const at = random(Math.min(text.length, 200));
  return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
}

export function makeCase(random: Random): Case {
  const vector = pick(random, VECTORS);
  const mutated = random(8) === 0;
  const bytes = mutated ? mutate(vector.bytes, random) : vector.bytes;
  const before = random(MOST_BEFORE + 1);
  const form = pick(random, Object.keys(FORMS));
  const at = 1 + random(Math.max(1, bytes.length - 1));
  const pieces = [...Array.from({ length: before }, () => PLAIN), ...(FORMS[form]?.(bytes, at) ?? [])];
  const handler = pick(random, Object.keys(HANDLERS));
  const name = `${vector.name}${mutated ? ' mutated' : ''}, ${form} (${String(at)}), ${String(before)} before: ${handler}`;
  return {
    name,
    pieces,
    handler,
    options: pick(random, OPTIONS),
    clientError: pick(random, ['none', 'none', 'none', 'none', 'answers', 'answers', 'destroys', 'throws'] as const),
    checks: random(4) === 0,
    upgrades: random(4) === 0,
    watchesSocket: random(2) === 0,
  };
}
