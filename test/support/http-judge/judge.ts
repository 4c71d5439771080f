/** Has node's own server and a subject serve the same cases step by step, and compares their records. */
import { join } from 'node:path';
import { temporaryDirectory } from '../sockets.js';
import { reference, type Subject } from '../subjects.js';
import { leavesBytes, throwsAnything, type Case } from './cases.js';
import { asText, eachByItself, withoutReset } from './record.js';
import { quiet, Trial } from './trial.js';

/** Nothing is admitted to differ on native sockets either. */
const STRICTLY = process.env['NEARWIRE_JUDGE_STRICTLY'] === '1';

export interface Difference {
  readonly one: Case;
  readonly expected: readonly string[];
  readonly told: readonly string[];
}

interface Pair {
  readonly one: Case;
  readonly node: Trial;
  readonly ours: Trial;
}

let paths = 0;

function makePair(one: Case, subject: Subject, directory: string): Pair {
  const freshPath = (): string => join(directory, String(paths++));
  return { one, node: new Trial(one, reference, freshPath()), ours: new Trial(one, subject, freshPath()) };
}

/** Every step of all trials is over before the next one begins. */
async function serve(trials: readonly Trial[]): Promise<void> {
  await Promise.all(trials.map((trial) => trial.start()));
  await quiet();
  const perform = async (step: (trial: Trial) => void): Promise<void> => {
    for (const trial of trials) step(trial);
    await quiet();
  };
  const steps = Math.max(...trials.map(({ steps }) => steps));
  for (let step = 0; step < steps; step++) {
    await perform((trial) => {
      trial.send(step);
    });
  }
  // What a late answer lets the next handler do can be late as well.
  for (let i = 0; i < 2; i++) {
    await perform((trial) => {
      trial.release();
    });
  }
  await perform((trial) => {
    trial.end();
  });
  await perform((trial) => {
    trial.stop();
  });
  for (const trial of trials) trial.finish();
  await quiet();
}

/** What one listener throws can hit the parsers of others, on node as well: such a trial has the loop for itself. */
async function serveAll(cases: readonly Case[], subject: Subject): Promise<Pair[]> {
  const directory = temporaryDirectory();
  const pairs = cases.map((one) => makePair(one, subject, directory));
  const trialsOf = ({ node, ours }: Pair): Trial[] => [node, ours];
  const peaceful = pairs.filter(({ one }) => !throwsAnything(one)).flatMap(trialsOf);
  if (peaceful.length > 0) await serve(peaceful);
  for (const trial of pairs.filter(({ one }) => throwsAnything(one)).flatMap(trialsOf)) await serve([trial]);
  return pairs;
}

function compare({ one, node, ours }: Pair, admits: boolean): Difference | undefined {
  const form = admits ? eachByItself : asText;
  const expected = form(node.record);
  const told = form(ours.record);
  const alike = [expected, ...(admits && leavesBytes(one) ? [form(withoutReset(node.record))] : [])];
  return alike.some((each) => each.join('\n') === told.join('\n')) ? undefined : { one, expected, told };
}

/** Answers the cases in which the subject differs from node. */
export async function judge(cases: readonly Case[], subject: Subject): Promise<Difference[]> {
  const admits = subject.name === 'native' && !STRICTLY;
  const compared = (await serveAll(cases, subject)).map((pair) => compare(pair, admits));
  return compared.filter((difference) => difference !== undefined);
}
