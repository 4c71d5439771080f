/** What is shown of a run: the terminal and the page render all of it, README and docs its cells. */
import type { Measure, SubjectName } from '../model.js';
import type { Verdict } from '../statistics.js';
import type { Subject } from '../subjects.js';

/** The median of the rounds, and their extremes. */
export interface Span {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface ShownRatio extends Span {
  readonly baseline: SubjectName;
  /** `>= 0.50x`. */
  readonly text: string;
  /** `>= 0.50x (0.40 to 0.60)`. */
  readonly spread: string;
  readonly verdict: Verdict;
}

export interface Cell extends Span {
  /** `2.00 us`. */
  readonly text: string;
  /** `2.00 us (1.90 us to 2.10 us)`. */
  readonly spread: string;
  /** The load generator was the limit, which says nothing of the subject. */
  readonly limited: boolean;
  /** To what the subject is held against. */
  readonly ratio?: ShownRatio;
}

export interface Row {
  readonly name: string;
  /** Words where a figure is not of the subject's worth; empty ones where there is none. */
  readonly cells: readonly (Cell | string)[];
  /** Beside the point: how the others came about. */
  readonly muted?: boolean;
  /** A terminal leaves it out. */
  readonly detail?: boolean;
}

/** What was run. */
export interface Point {
  readonly label: string;
  /** Where it stands on the axis of lines, and whether it is no part of them. */
  readonly at?: number;
  readonly apart?: boolean;
}

/** Bars in groups, or lines where there is something to draw them across. */
export interface Chart {
  /** What its canvas is found by. */
  readonly id: string;
  readonly title: string;
  /** For those who can't see it. */
  readonly meaning: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** One a cell of each set. */
  readonly points: readonly Point[];
  readonly sets: readonly { readonly subject: SubjectName; readonly cells: readonly (Cell | null)[] }[];
  readonly across?: { readonly title: string; readonly logarithmic: boolean };
}

/** Charts, and a table of the same. */
export interface Block {
  readonly title?: string;
  /** What the table says, in sentences. */
  readonly findings?: readonly string[];
  readonly charts: readonly Chart[];
  readonly head: readonly string[];
  readonly rows: readonly Row[];
  readonly note?: string;
}

/** A case. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** What is worth telling a reader in a hurry: ours against either node:net over UNIX sockets, one measure a case. */
export interface Headline {
  readonly case: string;
  readonly measure: Measure;
  readonly params: string;
  readonly ratios: readonly (ShownRatio & { readonly subject: SubjectName })[];
}

export interface Report {
  /** Those that took part. */
  readonly subjects: readonly Subject[];
  readonly headlines: readonly Headline[];
  readonly sections: readonly Section[];
}
