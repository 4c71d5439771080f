/** The verdict on one screen. */
import { digits, formatSeconds } from '../format.js';
import type { Layer } from './configurations.js';
import type { Estimate } from './estimate.js';
import { formatTime } from './format-time.js';
import type { CostResult } from './index.js';
import { CROWD } from './measure.js';
import { WORTH_A_THOUGHT, type ChainVerdict, type ChangeVerdict, type HopVerdict } from './verdict.js';

const NAME_WIDTH = 40;
const FIGURE_WIDTH = 12;

/** What a layer is called, with the app server's named for a stack that has nothing before it. */
export const LAYER_NAMES = {
  front: 'nginx itself',
  hop: 'passed on, and a server at its least',
  server: 'what the app server adds',
} as const;

export function renderCost(result: CostResult): string {
  const { verdicts, host, versions, seconds } = result;
  const { chains = [], changes = [] } = verdicts.get(CROWD) ?? {};
  const notes = notesOf(result);
  return [
    `Work of a request, all processes on one processor.
${String(host.cores)} processors (${host.cpu}), ${host.kernel}, Node ${versions.node}; ${formatSeconds(seconds)}.`,
    ...chains.map((chain, i) => renderChain(chain, i === 0 ? changes : [])),
    ...(notes.length === 0 ? [] : [notes.map((note) => `note: ${note}`).join('\n')]),
    '',
  ].join('\n\n');
}

/** What makes the figures less trustworthy, and what is not among them. */
export function notesOf({ notes, failures, interrupted }: CostResult): string[] {
  return [
    ...notes,
    ...failures.map((failure) => `left out: ${failure}`),
    ...(interrupted ? ['ended before its time, and so of fewer sweeps'] : []),
  ];
}

function formatPercent(share: number): string {
  return `${digits(share * 100)} %`;
}

function signed(text: string, value: number): string {
  return value < 0 ? text : `+${text}`;
}

function half({ low, high }: Estimate): number {
  return (high - low) / 2;
}

function renderChain(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  return [
    chain.title,
    ...[renderLayers(chain), ...answerOf(chain), ...besideWords(chain)].map(indent),
    ...(changes.length === 0 ? [] : [indent(renderChanges(chain, changes))]),
  ].join('\n\n');
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function row(name: string, ...figures: readonly string[]): string {
  return `  ${name.padEnd(NAME_WIDTH)}${figures.map((figure) => figure.padStart(FIGURE_WIDTH)).join('')}`.trimEnd();
}

export function layerNamed({ layers }: ChainVerdict, layer: Layer): Estimate | undefined {
  return layers.find((each) => each.layer === layer)?.work;
}

function renderLayers(chain: ChainVerdict): string {
  const { whole, hop } = chain;
  const shareRow = (name: string, work: Estimate | undefined): string[] =>
    work === undefined
      ? []
      : [row(name, formatTime(work.median), formatPercent(work.median / whole.median), `± ${formatTime(half(work))}`)];
  const [least, server] = [layerNamed(chain, 'hop'), layerNamed(chain, 'server')];
  return [
    `A request takes ${formatTime(whole.median)} of work in all (± ${formatTime(half(whole))}). Of that`,
    ...shareRow('the application', layerNamed(chain, 'app')),
    ...shareRow('the hop', hop?.work),
    ...shareRow(`  ${LAYER_NAMES.hop}`, least),
    ...shareRow(hop === undefined ? 'the server, or servers' : `  ${LAYER_NAMES.server}`, server),
    ...shareRow(LAYER_NAMES.front, layerNamed(chain, 'front')),
  ].join('\n');
}

/** None of a stack without a hop. */
export function answerOf(chain: ChainVerdict): string[] {
  const { whole, hop } = chain;
  if (hop === undefined) return [];
  const more = formatPercent(hop.work.median / (whole.median - hop.work.median));
  const app = layerNamed(chain, 'app');
  const yours = app === undefined ? '' : `; this one takes ${formatTime(app.median)}`;
  const share = `${(WORTH_A_THOUGHT * 100).toFixed(0)} %`;
  const answer =
    app === undefined
      ? `Is the hop the bottleneck?  That depends on the application: without one it is ${formatPercent(hop.share)} of the work.`
      : `Is the hop the bottleneck?  ${ANSWERS[hop.isBottleneck]} Without any hop this host would serve ${more} more.`;
  return [
    `${answer}\nIt is ${share} or more of the work for an application that takes less than ${formatTime(hop.breakEven)}${yours}.`,
  ];
}

/** Told apart from the work: waiting, most of which is wake-ups, and system calls. */
export function besideWords({ wait, calls }: ChainVerdict): string[] {
  const front = wait?.front === undefined ? '' : `; for nginx alone ${formatTime(wait.front.median)}`;
  const waits =
    wait &&
    `A lone user waits ${formatTime(wait.whole.median)} for it, with the app server on another processor${front}.`;
  const counts = Object.entries(calls ?? {}).map(([role, byName]) => {
    const sum = Object.values(byName).reduce((all, count) => all + count, 0);
    return `${role === 'front' ? 'nginx' : 'the app server'} ${sum.toFixed(1)}`;
  });
  const called = counts.length > 0 && `System calls of a lone request: ${counts.join(', ')}.`;
  const words = [waits, called].filter(Boolean).join('\n');
  return words === '' ? [] : [words];
}

const ANSWERS: Readonly<Record<HopVerdict['isBottleneck'], string>> = { yes: 'Yes.', partly: 'In part.', no: 'No.' };

function renderChanges({ hop }: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const lines = changes.map(({ title, work, rate }) => {
    if (work.low <= 0 && work.high >= 0) return row(title, 'not told', 'apart', `± ${formatTime(half(work))}`);
    const percent = signed(formatPercent(rate), rate);
    return row(title, signed(formatTime(work.median), work.median), percent, `± ${formatTime(half(work))}`);
  });
  const size = hop === undefined ? '' : ` (the hop is ${formatTime(hop.work.median)})`;
  const heading = `What would change it${size}`.padEnd(NAME_WIDTH + 2);
  return [heading + ['a request', 'requests/s'].map((word) => word.padStart(FIGURE_WIDTH)).join(''), ...lines].join(
    '\n',
  );
}
