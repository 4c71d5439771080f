/**
 * The subjects of the comparison, as data. A new one is an entry here and, if it is a Node program, an implementation
 * in work/.
 */
import type { Subject, SubjectName } from './model.js';

export type { Subject } from './model.js';

const STREAM_CASES = ['rtt', 'pipeline', 'bulk', 'fanin', 'growth', 'churn', 'idle'];
const HELLO_CASES = ['http', 'http-close'];
/** Cases in which bytes can be passed by reference instead of being copied. */
const REFERENCE_CASES = ['file', 'page', 'relay'];
/**
 * With a Buffer that plain C also has in an in-memory file; `crowd` has enough connections for their memory to be
 * measurable.
 */
const BODY_CASES = ['http-same', ...REFERENCE_CASES, 'crowd'];
/** Cases of plain C: it has no handlers and no chunks, and makes no storm. */
const FLOOR_CASES = [...STREAM_CASES, ...HELLO_CASES, 'http-body', ...BODY_CASES];
/** All cases that apply to a socket with node:net's contract. */
const SOCKET_CASES = [...FLOOR_CASES, 'load', 'storm', 'retained'];

/** For subjects in addition to the main comparison. */
const A_FEW_ROUNDS = { default: 3, quick: 1 };

export const SUBJECTS: readonly Subject[] = [
  {
    name: 'c',
    title: 'plain C, epoll: the limit of this host',
    program: 'floor',
    cases: FLOOR_CASES,
  },
  {
    name: 'c-send',
    title: 'plain C that copies where c passes references',
    program: 'floor',
    words: { copy: true },
    cases: BODY_CASES,
    rounds: A_FEW_ROUNDS,
  },
  {
    name: 'nginx',
    title: 'nginx with sendfile on, one worker',
    program: 'nginx',
    cases: ['file'],
    rounds: A_FEW_ROUNDS,
  },
  {
    name: 'channel',
    title: 'nearwire/channel: callbacks and lent views',
    program: 'worker',
    needsAddon: true,
    cases: [...STREAM_CASES, 'storm', 'micro'],
  },
  {
    name: 'native',
    title: "nearwire: node:net's contract on the native engine",
    program: 'worker',
    needsAddon: true,
    cases: [...SOCKET_CASES, 'micro'],
  },
  {
    name: 'js',
    title: 'nearwire with transport js: node:net through our API',
    program: 'worker',
    // It is node:net itself: a few rounds of some cases show that the switch costs nothing, which leaves more time for
    // the others.
    cases: [...STREAM_CASES, ...HELLO_CASES, 'load', ...REFERENCE_CASES, 'storm'],
    families: ['unix'],
    rounds: { default: 3, quick: 2 },
  },
  {
    name: 'node:net tuned',
    title: 'node:net at its best: corked writes, lent memory to read into, files read in larger parts',
    program: 'worker',
    // Cases in which node:net can be used better than with its defaults.
    cases: ['rtt', 'pipeline', 'bulk', 'file'],
    rounds: A_FEW_ROUNDS,
  },
  {
    name: 'node:net',
    title: 'node:net (node:http on it), straight',
    program: 'worker',
    cases: [...SOCKET_CASES, 'micro'],
  },
];

export function baselineOf({ baseline = 'node:net' }: Subject): SubjectName {
  return baseline;
}

export function subjectNamed(name: SubjectName, lineup: readonly Subject[]): Subject {
  const subject = lineup.find((entry) => entry.name === name);
  if (!subject) throw new RangeError(`no subject ${name}`);
  return subject;
}
