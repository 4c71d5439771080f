/** When the hop becomes the bottleneck: what a stack holds, and what breaks first, with the error and the setting. */
import { formatRate, formatTime } from '../figures.js';
import type { Answer, Curve, Overload } from '../model.js';
import { titleOf, type Evidence } from './evidence.js';

export function limitAnswers(evidence: Evidence): Answer[] {
  const curves = curveAnswer(evidence);
  return [...(curves ? [curves] : []), ...evidence.overloads.map(overloadAnswer)];
}

function curveAnswer(evidence: Evidence): Answer | undefined {
  if (evidence.curves.length === 0) return undefined;
  const text = evidence.curves.map((curve) => curveSentence(evidence, curve)).join(' ');
  return { question: 'At which rate does a stack no longer hold?', text, figures: {} };
}

function curveSentence({ samples }: Evidence, { stack, work, points, holds }: Curve): string {
  const name = `${titleOf(samples, stack)}${work === 'hello' ? '' : `, ${samples.work(work)?.title ?? work}`}`;
  if (holds === undefined) return `${name} held none of the rates from ${formatRate(points[0]?.offered ?? 0)} on.`;
  const held = points.find(({ offered }) => offered === holds);
  const broken = points.find(({ offered }) => offered > holds);
  const before = `${name} holds ${formatRate(holds)}${held ? `, p99 ${formatTime(held.p99)}` : ''}`;
  if (!broken) return `${before}, and was not offered more.`;
  const lost = broken.errors > 0 ? `, ${broken.errors.toLocaleString('en-US')} requests fail` : '';
  return (
    `${before}; offered ${formatRate(broken.offered)} it serves ${formatRate(broken.served)}, ` +
    `p99 ${formatTime(broken.p99)}${lost}.`
  );
}

function overloadAnswer({ title, drive, at, depth, error, setting, notDriven }: Overload): Answer {
  const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  const sentences = [
    notDriven === undefined ? `Driven: ${drive}.` : `Not driven on this host: ${notDriven}.`,
    `It ${notDriven === undefined ? 'breaks' : 'would break'} at ${number(at.value)} ${at.unit}` +
      `${depth ? `, with ${number(depth.value)} of ${number(depth.limit)} ${depth.unit}` : ''}.`,
    `What a user sees: ${error}${/[.!?]$/.test(error) ? '' : '.'}`,
    `What moves it: ${setting}${/[.!?]$/.test(setting) ? '' : '.'}`,
  ];
  return { question: `When does it become the bottleneck: ${title}?`, text: sentences.join(' '), figures: {} };
}
