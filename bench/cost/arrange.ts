/** The result as its reader looks at it: by language, then by work, then the stacks in their order. */
import { frontOf } from './front.js';
import type {
  CostResult,
  Curve,
  Figure,
  Layer,
  LayerResult,
  Overload,
  RowResult,
  Split,
  Stack,
  SystemCalls,
  Work,
} from './model.js';

export type StackHead = CostResult['stacks'][number];
export type Language = Stack['language'];

export const LANGUAGES: readonly { readonly name: Language; readonly title: string }[] = [
  { name: 'python', title: 'Python' },
  { name: 'node', title: 'Node' },
  { name: 'erlang', title: 'Erlang' },
  { name: 'other', title: 'Others, for scale' },
  { name: 'none', title: 'Servers by themselves' },
];

export const LAYERS: readonly { readonly name: Layer; readonly title: string; readonly meaning: string }[] = [
  { name: 'front', title: 'front', meaning: "the front server's own work, on the user's connection" },
  { name: 'hop', title: 'hop', meaning: "the kernel's part between front and app: system calls, copies, wake-ups" },
  { name: 'protocol', title: 'protocol', meaning: "what both ends compute to speak it, and the app server's own work" },
  { name: 'application', title: 'application', meaning: 'the program that is called' },
];

export interface ArrangedRow {
  readonly stack: StackHead;
  readonly row: RowResult;
  /** Of a lone request's time, and of all CPU. */
  readonly time: Split | undefined;
  readonly cpu: Split | undefined;
}

export interface WorkRows {
  readonly work: Work;
  readonly rows: readonly ArrangedRow[];
}

export interface LanguageRows {
  readonly language: Language;
  readonly title: string;
  readonly works: readonly WorkRows[];
}

export function arrange(result: CostResult): LanguageRows[] {
  return LANGUAGES.map(({ name, title }) => ({
    language: name,
    title,
    works: result.works
      .map((work) => ({ work, rows: rowsOf(result, name, work) }))
      .filter(({ rows }) => rows.length > 0),
  })).filter(({ works }) => works.length > 0);
}

function rowsOf(result: CostResult, language: Language, work: Work): ArrangedRow[] {
  return result.stacks
    .filter((stack) => stack.language === language)
    .flatMap((stack) => {
      const row = result.rows.find((entry) => entry.stack === stack.name && entry.work === work.name);
      if (!row) return [];
      const split = (of: Split['of']): Split | undefined =>
        result.splits.find((entry) => entry.stack === stack.name && entry.work === work.name && entry.of === of);
      return [{ stack, row, time: split('time'), cpu: split('cpu') }];
    });
}

/** Whether there are layers to tell apart: a server by itself has one. */
export function hasLayers({ language }: Pick<LanguageRows, 'language'>): boolean {
  return language !== 'none';
}

export function layerOf(split: Split | undefined, layer: Layer): LayerResult | undefined {
  return split?.layers.find((entry) => entry.layer === layer);
}

/** User and system time of all the stack's processes; of the roles where they are not known together. */
export function wholeCpu({ cpu }: RowResult, split: Split | undefined): Figure | undefined {
  if (split) return split.whole;
  const roles = Object.values(cpu).map(({ all }) => all);
  const [first, second] = roles;
  if (!first || !second) return first;
  return {
    median: first.median + second.median,
    low: first.low + second.low,
    high: first.high + second.high,
    rounds: Math.min(first.rounds, second.rounds),
  };
}

export interface FamilyPair {
  /** For a reader: both titles without the family. */
  readonly title: string;
  readonly unix: StackHead;
  readonly tcp: StackHead;
  readonly works: readonly { readonly work: Work; readonly unix: ArrangedRow; readonly tcp: ArrangedRow }[];
}

/** Stacks that differ in the family alone, each with the works that both did: the smallest first, last those of any size. */
export function familyPairs(result: CostResult): FamilyPair[] {
  const rows = arrange(result).flatMap(({ works }) => works);
  const bytes = ({ requestBytes, answerBytes }: Work): number => requestBytes + (answerBytes ?? Infinity);
  return result.stacks.flatMap((unix) => {
    const tcp = partnerOf(unix, result.stacks);
    if (!tcp) return [];
    const works = rows.flatMap(({ work, rows: ofWork }) => {
      const over = (stack: StackHead): ArrangedRow | undefined => ofWork.find((entry) => entry.stack === stack);
      const [one, other] = [over(unix), over(tcp)];
      return one && other ? [{ work, unix: one, tcp: other }] : [];
    });
    if (works.length === 0) return [];
    const title = unix.title.replace(/(?:,| over) UNIX\b/, '');
    return [{ title, unix, tcp, works: works.toSorted((a, b) => (bytes(a.work) < bytes(b.work) ? -1 : 1)) }];
  });
}

/** The names say it: `nginx-node-unix-close` and `nginx-node-tcp-close`. */
function partnerOf({ name }: StackHead, stacks: readonly StackHead[]): StackHead | undefined {
  const other = name.replace(/(^|-)unix(-|$)/, '$1tcp$2');
  return other === name ? undefined : stacks.find((stack) => stack.name === other);
}

export interface CurveGroup {
  readonly title: string;
  readonly language: Language;
  readonly work: Work;
  readonly curves: readonly (Curve & { readonly head: StackHead })[];
}

/** The curves that a reader compares: of one language and one work. */
export function curveGroups(result: CostResult): CurveGroup[] {
  return LANGUAGES.flatMap(({ name, title }) =>
    result.works.flatMap((work) => {
      const curves = result.stacks
        .filter(({ language }) => language === name)
        .flatMap((head) =>
          result.curves
            .filter((curve) => curve.stack === head.name && curve.work === work.name && curve.points.length > 0)
            .map((curve) => ({ ...curve, head })),
        );
      return curves.length === 0 ? [] : [{ title: `${title}: ${work.title}`, language: name, work, curves }];
    }),
  );
}

/** A stack's system calls, of a lone request. */
export interface SystemCallRow {
  readonly title: string;
  readonly calls: SystemCalls['calls'];
  /** All of a role, those of waiting included. */
  readonly front: number | undefined;
  readonly app: number | undefined;
  /** What the front makes more than alone, and all that the app makes; undefined without a hop. */
  readonly hop: number | undefined;
}

export function systemCallRows({ stacks, systemCalls }: CostResult): SystemCallRow[] {
  return stacks.flatMap(({ name, title, hop }) =>
    systemCalls
      .filter(({ stack }) => stack === name)
      .map(({ work, calls }) => {
        const [front, app] = [sumOf(calls.front), sumOf(calls.app)];
        const alone = systemCalls.find((other) => other.stack === frontOf(name).name && other.work === work);
        const without = sumOf(alone?.calls.front);
        const known = hop && front !== undefined && app !== undefined && without !== undefined;
        const heading = work === 'hello' ? title : `${title}, ${work}`;
        return { title: heading, calls, front, app, hop: known ? front - without + app : undefined };
      }),
  );
}

function sumOf(calls: Readonly<Record<string, number>> | undefined): number | undefined {
  return calls && Object.values(calls).reduce((sum, count) => sum + count, 0);
}

/** What is told besides the figures. */
export function notesOf({ interrupted, notes, failures }: CostResult): string[] {
  return [
    ...(interrupted === true ? ['interrupted: this is what had been measured by then'] : []),
    ...notes,
    ...(failures ?? []).map((failure) => `failed: ${failure}`),
  ];
}

/** What moves a limit, one by one, and what each was seen to do; where none was tried, what there is. */
export function settingsOf({ setting, moves = [] }: Overload): string[] {
  return moves.length === 0 ? [setting] : moves.map(({ setting: own, seen }) => `${own}: ${seen}`);
}
