/** Two stacks that differ in one thing, each with the question that it answers. */
import { behindProxy, frontOf, PROXY, PROXY_TITLE } from '../front.js';
import type { Answer, WorkName } from '../model.js';
import {
  changeWords,
  difference,
  figureFor,
  figuresOf,
  MEASURE_WORDS,
  ratio,
  ratioWords,
  timeWords,
  titleOf,
  type Evidence,
  type Measure,
} from './evidence.js';

interface Comparison {
  readonly question: string;
  /** The stack without the thing, and the one with it. */
  readonly from: string;
  readonly to: string;
  /** What is compared, and whether by the difference or by the ratio. */
  readonly by: readonly { readonly measure: Measure; readonly how: 'difference' | 'ratio' }[];
  /** What the reader may take it for, at its end. */
  readonly note?: string;
}

const BOTH = [
  { measure: 'time', how: 'difference' },
  { measure: 'cpu', how: 'difference' },
] as const;
const APP_RATIO = [
  { measure: 'app', how: 'ratio' },
  { measure: 'time', how: 'difference' },
] as const;

const COMPARISONS: readonly Comparison[] = [
  {
    question: 'Is it cheaper to let uWSGI speak HTTP itself?',
    from: 'uwsgi-http',
    to: 'nginx-uwsgi-unix',
    by: BOTH,
  },
  {
    question: 'Is it cheaper to let Node speak HTTP itself?',
    from: 'node-tcp',
    to: 'nginx-node-unix-keep',
    by: BOTH,
  },
  {
    question: 'Is an Erlang server that speaks HTTP itself cheaper than nginx with uWSGI?',
    from: 'nginx-uwsgi-unix',
    to: 'yaws',
    by: BOTH,
    note: 'Languages differ too: it is what the whole costs, not what the hop does.',
  },
  {
    question: 'What does the step from uWSGI to the WSGI application cost?',
    from: 'nginx-uwsgirouting-unix',
    to: 'nginx-uwsgi-unix',
    by: [
      { measure: 'app', how: 'difference' },
      { measure: 'time', how: 'difference' },
    ],
    note: 'It is a call within the process: no second hop.',
  },
  {
    question: "What does the IPC of mod_wsgi's daemon cost?",
    from: 'apache-embedded',
    to: 'apache-daemon',
    by: BOTH,
    note:
      "With many requests at a time dozens of threads contend for Python's lock in both, which is CPU but no IPC: " +
      'what the IPC costs is told by the lone request.',
  },
  {
    question: 'What does native code buy: node:http behind nginx, a connection for each request?',
    from: 'nginx-node-unix-close',
    to: 'nginx-nearwire-unix-close',
    by: APP_RATIO,
  },
  {
    question: 'What does native code buy: node:http behind nginx, kept connections?',
    from: 'nginx-node-unix-keep',
    to: 'nginx-nearwire-unix-keep',
    by: APP_RATIO,
  },
  {
    question: 'What does the uwsgi protocol buy: nearwire/uwsgi instead of node:http, a connection for each request?',
    from: 'nginx-node-unix-close',
    to: 'nginx-nearwireuwsgi-unix',
    by: APP_RATIO,
  },
  {
    question: 'nearwire/uwsgi or HTTP over kept connections by node:http?',
    from: 'nginx-node-unix-keep',
    to: 'nginx-nearwireuwsgi-unix',
    by: APP_RATIO,
  },
  {
    question: 'How does nearwire/uwsgi stand against uWSGI with Python?',
    from: 'nginx-uwsgi-unix',
    to: 'nginx-nearwireuwsgi-unix',
    by: APP_RATIO,
  },
];

/** Of nginx's stacks, with our proxy in its place: where that was measured, and not nginx. */
const PROXY_COMPARISONS = COMPARISONS.map((comparison) => ({
  ...comparison,
  question: comparison.question.replace('nginx', PROXY_TITLE),
  from: behindProxy(comparison.from),
  to: behindProxy(comparison.to),
})).filter(({ from, to }) => frontOf(from) === PROXY || frontOf(to) === PROXY);

/** With hello world, which shows all but the application best; with the user's own where that is all there is. */
const WORKS: readonly WorkName[] = ['hello', 'own'];

export function comparisonAnswers(evidence: Evidence): Answer[] {
  return [...COMPARISONS, ...PROXY_COMPARISONS].flatMap((comparison) =>
    WORKS.flatMap((work) => comparisonAnswer(evidence, comparison, work) ?? []),
  );
}

function comparisonAnswer(
  { samples }: Evidence,
  { question, from, to, by, note }: Comparison,
  work: WorkName,
): Answer | undefined {
  const figures: Record<string, ReturnType<typeof figureFor>> = {};
  const sentences: string[] = [];
  for (const { measure, how } of by) {
    const [before, after] = [from, to].map((stack) => figureFor(samples, stack, work, measure));
    const change = (how === 'ratio' ? ratio : difference)(samples, from, to, work, measure);
    if (!before || !after || !change) continue;
    figures[`${measure}Of ${from}`] = before;
    figures[`${measure}Of ${to}`] = after;
    figures[how === 'ratio' ? `${measure}Ratio` : `${measure}Difference`] = change;
    const words = how === 'ratio' ? ratioWords(change) : changeWords(change);
    sentences.push(`${capital(MEASURE_WORDS[measure])}: ${timeWords(after)} against ${timeWords(before)}, ${words}.`);
  }
  if (sentences.length === 0) return undefined;
  const own = work === 'own' ? ', with your application' : '';
  const text = [`${titleOf(samples, to)} against ${titleOf(samples, from)}${own}.`, ...sentences, note].filter(Boolean);
  return { question, text: text.join(' '), figures: figuresOf(figures) };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
