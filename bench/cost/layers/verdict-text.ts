/** The verdict on one screen. */
import { digits, formatSeconds } from '../../format.js';
import type { Layer } from './configurations.js';
import type { Estimate } from './estimate.js';
import { formatTime } from './format-time.js';
import type { LayersResult } from './index.js';
import { CROWD } from './measure.js';
import { WORTH_A_THOUGHT, type ChainVerdict, type ChangeVerdict, type Verdict } from './verdict.js';

const NAME_WIDTH = 40;
const FIGURE_WIDTH = 12;

interface VerdictFrame {
  readonly verdict: Verdict;
  /** `2 processors, Node 24.1.0, nginx 1.26.0`. */
  readonly host: string;
  readonly seconds: number;
  /** What makes the figures less trustworthy. */
  readonly notes: readonly string[];
}

export function renderLayersResult(result: LayersResult): string {
  const { verdicts, host, versions, seconds } = result;
  return renderVerdict({
    verdict: verdicts.get(CROWD) ?? { chains: [], changes: [] },
    host: `${String(host.cores)} processors (${host.cpu}), ${host.kernel}, Node ${versions.node}`,
    seconds,
    notes: notesOf(result),
  });
}

/** What makes the figures less trustworthy, and what is not among them. */
export function notesOf({ notes, failures, interrupted }: LayersResult): string[] {
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

function renderVerdict({ verdict, host, seconds, notes }: VerdictFrame): string {
  const chains = verdict.chains.map((chain, i) => renderChain(chain, i === 0 ? verdict.changes : []));
  return [
    `Work of a request, all processes on one processor.\n${host}; ${formatSeconds(seconds)}.`,
    ...chains,
    ...(notes.length === 0 ? [] : [notes.map((note) => `note: ${note}`).join('\n')]),
    '',
  ].join('\n\n');
}

function renderChain(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  return [
    chain.title,
    ...[renderLayers(chain), answerOf(chain), ...waitWords(chain)].map(indent),
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
  return [
    `A request takes ${formatTime(whole.median)} of work in all (± ${formatTime(half(whole))}). Of that`,
    ...shareRow('the application', layerNamed(chain, 'app')),
    ...shareRow('the hop', hop),
    ...shareRow('  passed on, and a server at its least', layerNamed(chain, 'hop')),
    ...shareRow('  what the app server adds', layerNamed(chain, 'server')),
    ...shareRow('nginx itself', layerNamed(chain, 'front')),
  ].join('\n');
}

export function answerOf(chain: ChainVerdict): string {
  const { whole, hop, isBottleneck, breakEven } = chain;
  const more = formatPercent(hop.median / (whole.median - hop.median));
  const app = layerNamed(chain, 'app');
  const yours = app === undefined ? '' : `; this one takes ${formatTime(app.median)}`;
  const share = formatPercent(WORTH_A_THOUGHT);
  const answer =
    app === undefined
      ? `Is the hop the bottleneck?  That depends on the application: without one it is ${formatPercent(chain.share)} of the work.`
      : `Is the hop the bottleneck?  ${ANSWERS[isBottleneck]} Without any hop this host would serve ${more} more.`;
  return `${answer}\nIt is ${share} or more of the work for an application that takes less than ${formatTime(breakEven)}${yours}.`;
}

/** Told apart from the work, as most of it is wake-ups. */
export function waitWords({ wait }: ChainVerdict): string[] {
  if (wait === undefined) return [];
  const [whole, front] = [formatTime(wait.whole.median), formatTime(wait.front.median)];
  return [`A lone user waits ${whole} for it, with the app server on another processor; for nginx alone ${front}.`];
}

const ANSWERS: Readonly<Record<ChainVerdict['isBottleneck'], string>> = { yes: 'Yes.', partly: 'In part.', no: 'No.' };

function renderChanges({ hop }: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const lines = changes.map(({ title, work, rate }) => {
    if (work.low <= 0 && work.high >= 0) return row(title, 'not told', 'apart', `± ${formatTime(half(work))}`);
    const percent = signed(formatPercent(rate), rate);
    return row(title, signed(formatTime(work.median), work.median), percent, `± ${formatTime(half(work))}`);
  });
  const heading = `What would change it (the hop is ${formatTime(hop.median)})`.padEnd(NAME_WIDTH + 2);
  return [heading + ['a request', 'requests/s'].map((word) => word.padStart(FIGURE_WIDTH)).join(''), ...lines].join(
    '\n',
  );
}
