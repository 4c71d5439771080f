/** Has node's own server and a subject serve the same cases step by step, and compares their records. */
import { join } from 'node:path';
import { temporaryDirectory } from '../sockets.js';
import { reference, type Subject } from '../subjects.js';
import { throwsAnything, type Case } from './cases.js';
import { comparable, strict } from './record.js';
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

/** Every step of all cases is over before the next one begins. */
async function serve(cases: readonly Case[], subject: Subject, directory: string): Promise<Pair[]> {
  const freshPath = (): string => join(directory, String(paths++));
  const pairs = cases.map((one) => ({
    one,
    node: new Trial(one, reference, freshPath()),
    ours: new Trial(one, subject, freshPath()),
  }));
  const trials = pairs.flatMap(({ node, ours }) => [node, ours]);
  await Promise.all(trials.map((trial) => trial.start()));
  await quiet();
  const perform = async (step: (trial: Trial) => void): Promise<void> => {
    for (const trial of trials) step(trial);
    await quiet();
  };
  const steps = Math.max(...cases.map(({ pieces }) => pieces.length));
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
  return pairs;
}

/** What one listener throws can hit the parsers of others, on node as well: such a case has the loop for itself. */
export async function serveAll(cases: readonly Case[], subject: Subject): Promise<Pair[]> {
  const directory = temporaryDirectory();
  const peaceful = cases.filter((one) => !throwsAnything(one));
  const pairs = peaceful.length === 0 ? [] : await serve(peaceful, subject, directory);
  for (const one of cases.filter(throwsAnything)) pairs.push(...(await serve([one], subject, directory)));
  return pairs;
}

/** Answers the cases in which the subject differs from node. */
export async function judge(cases: readonly Case[], subject: Subject): Promise<Difference[]> {
  const form = subject.name === 'native' && !STRICTLY ? comparable : strict;
  return (await serveAll(cases, subject))
    .map(({ one, node, ours }) => ({ one, expected: form(node.record), told: form(ours.record) }))
    .filter(({ expected, told }) => expected.join('\n') !== told.join('\n'));
}
