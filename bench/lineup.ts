/** Everything that can take part in a run: the built-in subjects, and those added by the user. */
import { attachTo, type AttachChoice } from './attach.js';
import { CannotRun } from './cannot-run.js';
import { formatBytes } from './format.js';
import type { SubjectName } from './model.js';
import { findNode, type OtherNode } from './other-node.js';
import { subjectOfModule, type ModuleChoice } from './subject-module.js';
import { SUBJECTS, type Subject } from './subjects.js';

export interface Brought {
  readonly modules: readonly ModuleChoice[];
  /** Programs, or versions to be installed from npm. */
  readonly nodes: readonly string[];
  readonly attach: AttachChoice | undefined;
}

export interface Lineup {
  readonly lineup: readonly Subject[];
  /** Shown before the run: what is left out, and what else the user should know. */
  readonly notes: readonly string[];
}

export async function lineupOf(
  { modules, nodes, attach }: Brought,
  cases: readonly string[],
  signal: AbortSignal,
): Promise<Lineup> {
  const attached = attach ? [await attachTo(attach, cases)] : [];
  const found = await Promise.all(modules.map((module) => subjectOfModule(module, signal)));
  const variants = (await Promise.all(nodes.map(findNode))).flatMap(subjectsOn);
  const brought = [...found, ...attached];
  const lineup = [...SUBJECTS, ...variants, ...brought.map(({ subject }) => subject)];
  const twice = lineup.find(({ name }, at) => lineup.findIndex((other) => other.name === name) !== at);
  if (twice) throw new CannotRun(`two subjects have the name ${twice.name}`);
  return { lineup, notes: brought.flatMap(({ notes }) => notes) };
}

/** Subjects that also run on other versions of Node. */
const OF_EACH_NODE: readonly SubjectName[] = ['native', 'node:net'];

/** Their ratios are relative to node:net on the same Node; that one has its own ratio to the bench's node:net. */
function subjectsOn(node: OtherNode): Subject[] {
  const [major = ''] = node.version.split('.');
  return SUBJECTS.filter(({ name }) => OF_EACH_NODE.includes(name)).map((subject) => {
    const baseline = subject.name === 'node:net' ? 'node:net' : `node:net@${major}`;
    return {
      ...variantOf(subject, `${subject.name}@${major}`, `on Node ${node.version}`, baseline),
      // Both sides of the ratios of micro must be in one process.
      cases: subject.cases.filter((name) => name !== 'micro'),
      node,
    };
  });
}

/** The subject once per send buffer size, compared with itself at the system's default. */
export function subjectsWith(subject: Subject, sendBuffers: readonly number[]): Subject[] {
  return sendBuffers.map((sendBufferSize) => {
    const how = `with a send buffer of ${formatBytes(sendBufferSize)}`;
    return {
      ...variantOf(subject, nameWith(subject.name, sendBufferSize), how, subject.name),
      words: { sendBufferSize },
    };
  });
}

function variantOf(subject: Subject, name: SubjectName, how: string, baseline: SubjectName): Subject {
  const title = `${subject.title}, ${how}, held against ${baseline}`;
  return { ...subject, name, title, worker: subject.name, baseline };
}

export function nameWith(name: SubjectName, sendBufferSize: number): SubjectName {
  return `${name} ${formatBytes(sendBufferSize)}`;
}

/**
 * Added subjects take part together with the chosen built-in ones; variants on other Nodes, if the subject that they
 * are based on is chosen.
 */
export function chosenOf(lineup: readonly Subject[], wanted: readonly SubjectName[]): SubjectName[] {
  return lineup
    .filter(({ name, worker, server, words }) => {
      const isOwn = server !== undefined || words?.['module'] !== undefined;
      return isOwn || wanted.includes(name) || (worker !== undefined && wanted.includes(worker));
    })
    .map(({ name }) => name);
}
