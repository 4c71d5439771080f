/** What the user added to the built-in subjects of a run; every report lists it. */
import type { BenchResult, SubjectName } from './model.js';
import { SUBJECTS } from './subjects.js';

export interface BroughtSubject {
  readonly name: SubjectName;
  readonly title: string;
  /** The version of its Node, if that is not the bench's own. */
  readonly node?: string;
}

/** Those that took part. */
export function broughtSubjects({ lineup, cells }: Pick<BenchResult, 'lineup' | 'cells'>): BroughtSubject[] {
  return lineup
    .filter(
      (subject) =>
        !SUBJECTS.some(({ name }) => name === subject.name) && cells.some((cell) => cell.subject === subject.name),
    )
    .map(({ name, title, node }) => ({ name, title, ...(node && { node: node.version }) }));
}

export function broughtLines(result: BenchResult): string[] {
  const variables = Object.entries(result.environment).map(([name, value]) => `${name}=${value}`);
  return [
    ...broughtSubjects(result).map(({ name, title }) => `${name}: ${title}`),
    ...(variables.length > 0 ? [`environment of what was measured: ${variables.join(' ')}`] : []),
  ];
}
