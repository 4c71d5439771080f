/** The content of a report: the terminal and the page render all of it, README and docs its cells. */
import type { Measure, SubjectName } from '../model.js';
import type { Verdict } from '../statistics.js';
import type { Subject } from '../subjects.js';

/** The median over the rounds, and their extremes. */
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
  /** The load generator was the limit, so the value says nothing about the subject. */
  readonly limited: boolean;
  /** Relative to the subject's baseline. */
  readonly ratio?: ShownRatio;
}

export interface Row {
  readonly name: string;
  /** Text if a figure is not a property of the subject; an empty string if there is none. */
  readonly cells: readonly (Cell | string)[];
  /** Secondary information: how the other rows came about. */
  readonly muted?: boolean;
  /** Left out on a terminal. */
  readonly detail?: boolean;
}

/** One entry of a chart's axis. */
export interface Point {
  readonly label: string;
  /** Its position on the axis of a line chart, and whether it is separate from the lines. */
  readonly at?: number;
  readonly apart?: boolean;
}

/** Bars in groups, or lines if there is an axis to draw them across. */
export interface Chart {
  /** The id of its canvas. */
  readonly id: string;
  readonly title: string;
  /** For screen readers. */
  readonly meaning: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** One per cell of each set. */
  readonly points: readonly Point[];
  readonly sets: readonly { readonly subject: SubjectName; readonly cells: readonly (Cell | null)[] }[];
  readonly across?: { readonly title: string; readonly logarithmic: boolean };
}

/** Charts, and a table with the same content. */
export interface Block {
  readonly title?: string;
  /** The conclusions from the table, in sentences. */
  readonly findings?: readonly string[];
  readonly charts: readonly Chart[];
  readonly head: readonly string[];
  readonly rows: readonly Row[];
  readonly note?: string;
}

/** One case. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** The summary: nearwire's subjects relative to both node:net subjects over UNIX sockets, one measure per case. */
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
