/** What the hop costs, and how little of a request that is once the application does something. */
import { formatShare } from '../figures.js';
import { frontOf } from '../front.js';
import { combine, figureOf, isInNoise } from '../interval.js';
import type { Answer, Figure, Layer, Split, Stack, Work } from '../model.js';
import { figuresOf, partWords, shareWords, timeWords, type Evidence } from './evidence.js';

const APP_WORDS: Readonly<Partial<Record<Stack['language'], string>>> = {
  python: 'a Python app',
  node: 'a Node app',
};

/** Rows that people have, one for each manner of speaking; the others are in the tables. */
const TOLD: readonly { readonly stack: string; readonly manner: string }[] = [
  { stack: 'nginx-uwsgi', manner: 'by the uwsgi protocol' },
  { stack: 'nginx-node', manner: 'by HTTP' },
  { stack: 'proxy-node', manner: 'by HTTP' },
];

export function hopAnswers(evidence: Evidence): Answer[] {
  const works = evidence.samples.measured.works.filter(
    ({ name }) => name === 'hello' || name === 'page' || name === 'own',
  );
  return works.flatMap((work) =>
    TOLD.flatMap(({ stack, manner }) =>
      ['', '-close', '-keep'].flatMap((ending) => hopAnswer(evidence, work, stack, ending, manner) ?? []),
    ),
  );
}

function hopAnswer(evidence: Evidence, work: Work, stem: string, ending: string, manner: string): Answer | undefined {
  const unix = sideOf(evidence, `${stem}-unix${ending}`, work);
  const tcp = sideOf(evidence, `${stem}-tcp${ending}`, work);
  const first = unix ?? tcp;
  if (!first) return undefined;
  const connections = first.stack.hop?.connections === 'close' ? 'a connection for each request' : 'kept connections';
  const front = frontOf(stem).title;
  const app = APP_WORDS[first.stack.language] ?? 'an app';
  const asked = work.name === 'hello' ? 'a request' : `a request for ${work.title}`;
  const text = [
    `On this host ${asked} through ${front} to ${app} takes ${timeWords(first.split.whole)}; `,
    [
      ...(unix ? [hopWords(unix, 'a UNIX socket', true)] : []),
      ...(tcp ? [hopWords(tcp, 'TCP', unix === undefined)] : []),
    ].join(', '),
    `. ${grownWords(evidence, first, unix ? 'over a UNIX socket' : 'over TCP')}`,
  ].join('');
  return {
    question: `What does the hop cost: ${front} to ${app} ${manner}, ${connections}${work.name === 'hello' ? '' : `, ${work.title}`}?`,
    text,
    figures: figuresOf({
      time: first.split.whole,
      hopUnix: unix?.hop.figure,
      hopUnixShare: unix?.hop.share,
      hopTcp: tcp?.hop.figure,
      hopTcpShare: tcp?.hop.share,
      ...(first.grown ? { [`hopShareWith${String(evidence.appMs)}MsApplication`]: first.grown } : {}),
      ...(unix?.split.crossCheck ? { layersMeasuredApartRatio: unix.split.crossCheck } : {}),
    }),
  };
}

interface Side {
  readonly stack: Pick<Stack, 'name' | 'language' | 'hop'>;
  readonly split: Split;
  readonly hop: Split['layers'][number];
  /** The hop's share if the application took `appMs`. */
  readonly grown: Figure | undefined;
}

function sideOf({ samples, splits, appMs }: Evidence, name: string, work: Work): Side | undefined {
  const stack = samples.stack(name);
  const split = splits.find((entry) => entry.stack === name && entry.work === work.name && entry.of === 'time');
  const hop = split?.layers.find(isLayer('hop'));
  if (!stack?.hop || !split || !hop) return undefined;
  const sides = {
    whole: samples.time(name, work.name),
    hop: samples.hop(stack.hop, work.name),
    application: samples.application(stack.language, work.name, 'time'),
  };
  const grown = combine(sides, (side) => side.hop / (side.whole - side.application + appMs * 1e3));
  return { stack, split, hop, grown: grown && figureOf(grown) };
}

function isLayer(name: Layer): (entry: Split['layers'][number]) => boolean {
  return ({ layer }) => layer === name;
}

function hopWords({ hop }: Side, over: string, first: boolean): string {
  const subject = first ? `the hop over ${over} is ` : `over ${over} `;
  if (isInNoise(hop.figure)) return `${subject}${partWords(hop.figure)}`;
  return `${subject}${timeWords(hop.figure)} of it (${shareWords(hop.share)})`;
}

function grownWords({ appMs }: Evidence, { grown, hop }: Side, over: string): string {
  if (!grown || isInNoise(hop.figure)) return '';
  return `With an application of ${String(appMs)} ms it is ${formatShare(grown.median)} ${over}.`;
}
