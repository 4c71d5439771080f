/**
 * What a program sees of its writes, in random programs: the same, and in the same order, as on node:net.
 *
 * `NEARWIRE_WRITE_PROGRAMS` is the number of programs (default 300), `NEARWIRE_SEED` the first one's seed.
 */
import { describe, expect, it } from 'vitest';
import { listen } from '../support/sockets.js';
import { families, reference, subjects } from '../support/subjects.js';
import {
  describeProgram,
  playWrites,
  writeProgramOf,
  type Outcome,
  type WriteProgram,
} from '../support/write-programs.js';

const COUNT = Number(process.env['NEARWIRE_WRITE_PROGRAMS'] ?? 300);
const FIRST_SEED = Number(process.env['NEARWIRE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const MILLIS_PER_PROGRAM = 100;

const DONE = /^(write|end) \d+ called back$/;
const WRITE_FAILED = /^write \d+ called back .+$/;
const END_FAILED = /^end \d+ called back .+$/;
const EVENT = /^(finish|error|close)/;

function only(log: readonly string[], ...kinds: RegExp[]): string[] {
  return log.filter((entry) => kinds.some((kind) => kind.test(entry)));
}

/**
 * What of a log is to be the same. A stream that ends well tells all in one order; but when in the tick of its callbacks it
 * tells of its drain hangs on how many writes went as one. What node's streams fail at once they fail in the middle of the
 * callbacks of earlier writes, and so writes that those make. And where the kernel does not take all at once it is up to
 * chance when it has taken all, and how much it has of what is destroyed, or fails: so too whether a write behind the end
 * fails a stream that is still under way, or comes to one that has finished, and harms it no more.
 */
function views({ roomy }: WriteProgram, { log }: Outcome, finished: number): string[][] {
  const bothFinish = finished === 2;
  if (!roomy && finished === 1) return [only(log, /^close/).map(() => 'close')];
  if (!roomy) return [bothFinish ? only(log, DONE, EVENT) : only(log, /^close/)];
  if (bothFinish) return [log.filter((entry) => entry !== 'drain'), only(log, EVENT, /^drain/)];
  return [only(log, DONE), only(log, WRITE_FAILED, END_FAILED).sort(), only(log, EVENT)];
}

/** Whoever asked for an answer has had it once, and in turn: nobody was done before one who asked earlier. */
function isFair({ log }: Outcome, nodes: Outcome): boolean {
  const called = (each: readonly string[]): string[] =>
    only(each, DONE, WRITE_FAILED, END_FAILED).map((entry) => entry.split(' called')[0] ?? '');
  const done = only(log, DONE);
  const nodesDone = only(nodes.log, DONE);
  const common = Math.min(done.length, nodesDone.length);
  return (
    new Set(called(log)).size === called(log).length &&
    done.slice(0, common).join() === nodesDone.slice(0, common).join()
  );
}

function fault(program: WriteProgram, ours: Outcome, nodes: Outcome): string | undefined {
  const finished = [ours, nodes].filter(({ log }) => log.includes('finish')).length;
  const [seen, expected] = [views(program, ours, finished), views(program, nodes, finished)];
  for (const [i, view] of seen.entries()) {
    if (view.join('\n') === expected[i]?.join('\n')) continue;
    return `a program sees\n  ${view.join('\n  ')}\nand on node:net\n  ${expected[i]?.join('\n  ') ?? ''}`;
  }
  if (!isFair(ours, nodes))
    return `a program sees\n  ${ours.log.join('\n  ')}\nand on node:net\n  ${nodes.log.join('\n  ')}`;
  const length = finished === 2 ? Infinity : Math.min(ours.received.length, nodes.received.length);
  if (!ours.received.subarray(0, length).equals(nodes.received.subarray(0, length)))
    return 'other bytes than from node:net';
  return undefined;
}

const ours = subjects.filter((subject) => subject !== reference);
describe.each(ours)('the order of what writes lead to: $name', (subject) => {
  it.each(families)(
    'is that of node:net, over %s',
    async (family) => {
      const server = reference.createServer();
      const address = await listen(server, family);
      for (let i = 0; i < COUNT; i++) {
        // One after the other: what other sockets do in the same pass of the loop may move an end by one pass.
        const program = writeProgramOf((FIRST_SEED + i) >>> 0);
        const nodes = await playWrites(reference, server, address, program);
        const outcome = await playWrites(subject, server, address, program);
        const wrong = fault(program, outcome, nodes);
        if (wrong !== undefined) expect.fail(`${wrong}\n${describeProgram(program)}`);
      }
    },
    30_000 + COUNT * MILLIS_PER_PROGRAM,
  );
});
