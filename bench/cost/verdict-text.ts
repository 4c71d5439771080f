/** Renders the verdict on one screen. */
import { digits, formatSeconds, formatTime } from '../format.js';
import type { Layer } from './configurations.js';
import type { Estimate } from './estimate.js';
import type { CostResult } from './index.js';
import { CROWD } from './measure.js';
import { WORTH_A_THOUGHT, type ChainVerdict, type ChangeVerdict, type HopVerdict } from './verdict.js';

const NAME_WIDTH = 42;
const FIGURE_WIDTH = 12;
/** Replaces figures that may be zero. */
const NOT_TOLD = ['within', 'the noise'];
const ANSWERS: Readonly<Record<HopVerdict['isBottleneck'], string>> = { yes: 'Yes.', partly: 'In part.', no: 'No.' };

/** The names of layers; that of the app server applies to a stack with something in front of it. */
export const LAYER_NAMES = {
  front: 'nginx itself',
  hop: 'forwarding, and a minimal server',
  server: 'what the app server adds',
  app: 'the application',
} as const;

export function renderCost(result: CostResult): string {
  const { verdicts, host, versions, seconds } = result;
  const { chains = [], changes = [] } = verdicts.get(CROWD) ?? {};
  const notes = notesOf(result).map((note) => `note: ${note}`);
  return [
    `Work per request, with all processes on one processor.
${String(host.cores)} processors (${host.cpu}), ${host.kernel}, Node ${versions.node}; ${formatSeconds(seconds)}.`,
    ...chains.map((chain, i) => renderChain(chain, i === 0 ? changes : [])),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
    '',
  ].join('\n\n');
}

/** What makes the figures less reliable, and what they do not include. */
export function notesOf({ notes, failures, interrupted }: CostResult): string[] {
  return [
    ...notes,
    ...failures.map((failure) => `left out: ${failure}`),
    ...(interrupted ? ['interrupted, and therefore based on fewer sweeps'] : []),
  ];
}

export function layerNamed({ layers }: ChainVerdict, layer: Layer): Estimate | undefined {
  return layers.find((each) => each.layer === layer)?.work;
}

/** From the application to the reverse proxy; the parts of the hop follow it, indented. */
export function partsOf(chain: ChainVerdict): { readonly name: string; readonly work: Estimate }[] {
  const { hop } = chain;
  return [
    { name: LAYER_NAMES.app, work: layerNamed(chain, 'app') },
    { name: 'the hop', work: hop?.work },
    { name: `  ${LAYER_NAMES.hop}`, work: layerNamed(chain, 'hop') },
    { name: hop ? `  ${LAYER_NAMES.server}` : 'the server or servers', work: layerNamed(chain, 'server') },
    { name: LAYER_NAMES.front, work: layerNamed(chain, 'front') },
  ].flatMap(({ name, work }) => (work === undefined ? [] : [{ name, work }]));
}

function renderChain(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const { title, whole } = chain;
  const percent = (work: Estimate): string => formatPercent(work.median / whole.median);
  const layers = [
    `A request takes ${formatTime(whole.median)} of work in total (${spread(whole)}). Of that`,
    ...partsOf(chain).map(({ name, work }) => {
      const figures = work.low > 0 ? [formatTime(work.median), percent(work)] : NOT_TOLD;
      return row(`  ${name}`, ...figures, spread(work));
    }),
  ].join('\n');
  const told = changes.length === 0 ? [] : [renderChanges(chain, changes)];
  const paragraphs = [layers, ...sentencesOf(chain), ...told];
  return [title, ...paragraphs.map((text) => text.replace(/^(?=.)/gm, '  '))].join('\n\n');
}

/** In paragraphs: whether the hop is the bottleneck, and what is measured apart from work. */
export function sentencesOf(chain: ChainVerdict): string[] {
  return [answerOf(chain), besideOf(chain)].filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
}

/** Empty for a stack without a hop. */
function answerOf(chain: ChainVerdict): string[] {
  const { whole, hop } = chain;
  if (hop === undefined) return [];
  const app = layerNamed(chain, 'app');
  const more = formatPercent(hop.work.median / (whole.median - hop.work.median));
  const answer =
    app === undefined
      ? `That depends on the application: without one it is ${formatPercent(hop.share)} of the work.`
      : `${ANSWERS[hop.isBottleneck]} Without any hop this host would serve ${more} more.`;
  const took =
    app && (app.low > 0 ? `takes ${formatTime(app.median)}` : 'is indistinguishable from one that does nothing');
  const yours = took === undefined ? '' : `; this one ${took}`;
  const share = `${(WORTH_A_THOUGHT * 100).toFixed(0)} %`;
  return [
    `Is the hop the bottleneck?  ${answer}`,
    `It is ${share} or more of the work for an application that takes less than ${formatTime(hop.breakEven)}${yours}.`,
  ];
}

/** Waiting time, most of which is wake-ups, and system calls. */
function besideOf({ wait, calls }: ChainVerdict): string[] {
  const front = wait?.front === undefined ? '' : `; for nginx alone ${formatTime(wait.front.median)}`;
  const counts = Object.entries(calls ?? {}).map(([role, byName]) => {
    const sum = Object.values(byName).reduce((all, count) => all + count, 0);
    return `${role === 'front' ? 'nginx' : 'the app server'} ${sum.toFixed(1)}`;
  });
  return [
    wait &&
      `A single user waits ${formatTime(wait.whole.median)} for it, with the app server on another processor${front}.`,
    counts.length > 0 ? `System calls of a single request: ${counts.join(', ')}.` : undefined,
  ].filter((line) => line !== undefined);
}

function renderChanges({ hop }: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const size = hop === undefined ? '' : ` (the hop is ${formatTime(hop.work.median)})`;
  const lines = changes.map(({ title, work, rate }) => {
    const isTold = work.low > 0 || work.high < 0;
    const figures = isTold ? [signed(formatTime, work.median), signed(formatPercent, rate)] : NOT_TOLD;
    return row(`  ${title}`, ...figures, spread(work));
  });
  return [row(`What would change it${size}`, 'per request', 'requests/s'), ...lines].join('\n');
}

function row(name: string, ...figures: readonly string[]): string {
  return `${name.padEnd(NAME_WIDTH)}${figures.map((figure) => figure.padStart(FIGURE_WIDTH)).join('')}`;
}

function spread({ low, high }: Estimate): string {
  return `± ${formatTime((high - low) / 2)}`;
}

function formatPercent(share: number): string {
  return `${digits(share * 100)} %`;
}

function signed(format: (value: number) => string, value: number): string {
  return `${value < 0 ? '' : '+'}${format(value)}`;
}
