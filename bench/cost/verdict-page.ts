/** The page of `nearwire cost --html`: the verdict, and one plot with the layers as bars. It needs no script. */
import { escape, pageHeader, wholePage } from '../page/parts.js';
import type { Estimate } from './estimate.js';
import { formatTime } from './format-time.js';
import type { CostResult } from './index.js';
import { CROWD } from './measure.js';
import type { ChainVerdict, ChangeVerdict } from './verdict.js';
import { answerOf, besideWords, LAYER_NAMES, layerNamed, notesOf } from './verdict-text.js';

const STYLE = `
:root { --front: #7a5cc7; --hop: #d9622b; --server: #2f7ed8; --changed: #6b7280; }
@media (prefers-color-scheme: dark) {
  :root { --front: #a58ae8; --hop: #ff8a54; --server: #62a4f5; --changed: #a7afbd; }
}
.verdict { font-size: 17px; white-space: pre-line; }
.bars { display: grid; grid-template-columns: minmax(120px, max-content) 1fr max-content; gap: 8px 12px; align-items: center; }
.host code, .notes { overflow-wrap: anywhere; }
.bars .whole { display: flex; height: 22px; min-width: 0; }
.bars .part { flex: none; }
.bars .part:first-child { border-radius: 3px 0 0 3px; }
.bars .part:last-child { border-radius: 0 3px 3px 0; }
.bars .figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 18px 0; }
.colours { display: flex; flex-wrap: wrap; gap: 6px 18px; color: var(--muted); font-size: 13px; margin: 10px 0; }
.colours .part { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
tbody th { white-space: normal; font-weight: normal; }
@media (max-width: 700px) {
  .bars { grid-template-columns: 1fr max-content; }
  .bars .name { grid-column: 1 / -1; margin-top: 6px; }
}
`;

interface Segment {
  readonly colour: 'front' | 'hop' | 'server' | 'changed';
  readonly name: string;
  readonly micros: number;
}

const PARTS = ['front', 'hop', 'server'] as const;
const CHANGED = 'hop and app server, changed';

interface Bar {
  readonly name: string;
  readonly segments: readonly Segment[];
}

export function verdictPageOf(result: CostResult): string {
  const { chains = [], changes = [] } = result.verdicts.get(CROWD) ?? {};
  return wholePage({
    title: `nearwire cost, ${result.host.cpu}`,
    style: STYLE,
    main: [
      pageHeader('nearwire cost', result, notesOf(result)),
      ...chains.map((chain, i) => section(chain, i === 0 ? changes : [])),
    ],
  });
}

function section(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const words = [...answerOf(chain), ...besideWords(chain)].join('\n\n');
  return `<section><h2>${escape(chain.title)}</h2>
<p class="verdict">${escape(words)}</p>
${plot(chain, changes)}
${table(chain, changes)}</section>`;
}

/** Without the application, beside which the rest might not be seen. */
function plot(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const bars = [barOf(chain), ...changes.map((change) => changedBar(chain, change))];
  const longest = Math.max(...bars.map(({ segments }) => total(segments)));
  const used = new Set(bars.flatMap(({ segments }) => segments.map(({ colour }) => colour)));
  const names = Object.entries({ ...LAYER_NAMES, changed: CHANGED }).filter(([colour]) =>
    used.has(colour as Segment['colour']),
  );
  return `<figure><figcaption>Microseconds of work a request, without the application's</figcaption>
<div class="colours">${names.map(([colour, name]) => `<span><i class="part" style="background: var(--${colour})"></i>${escape(name)}</span>`).join('')}</div>
<div class="bars">${bars.map((bar) => drawn(bar, longest)).join('\n')}</div></figure>`;
}

function drawn({ name, segments }: Bar, longest: number): string {
  const parts = segments.map(({ colour, name: of, micros }) => {
    const width = ((100 * micros) / longest).toFixed(2);
    return `<i class="part" style="width: ${width}%; background: var(--${colour})" title="${escape(`${of}: ${formatTime(micros)}`)}"></i>`;
  });
  const label = `${name}: ${segments.map(({ name: of, micros }) => `${of} ${formatTime(micros)}`).join(', ')}`;
  return `<span class="name">${escape(name)}</span>
<span class="whole" role="img" aria-label="${escape(label)}">${parts.join('')}</span>
<span class="figure">${escape(formatTime(total(segments)))}</span>`;
}

function total(segments: readonly Segment[]): number {
  return segments.reduce((sum, { micros }) => sum + micros, 0);
}

/** Without the application. */
function barOf(chain: ChainVerdict): Bar {
  const segments = PARTS.flatMap((colour) => {
    const micros = layerNamed(chain, colour)?.median;
    return micros === undefined ? [] : [{ colour, name: LAYER_NAMES[colour], micros: Math.max(0, micros) }];
  });
  return { name: 'as it is', segments };
}

/** Of a change it is known what it does to the whole: all of it is taken for the hop's and the app server's. */
function changedBar(chain: ChainVerdict, { title, work }: ChangeVerdict): Bar {
  const { segments } = barOf(chain);
  const front = segments.filter(({ colour }) => colour === 'front');
  const rest = total(segments) - total(front) + work.median;
  return { name: title, segments: [...front, { colour: 'changed', name: CHANGED, micros: Math.max(0, rest) }] };
}

function table(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const rows: [string, Estimate | undefined][] = [
    ['all of a request', chain.whole],
    ['the application', layerNamed(chain, 'app')],
    ['the hop', chain.hop?.work],
    ...PARTS.toReversed().map((part): [string, Estimate | undefined] => [LAYER_NAMES[part], layerNamed(chain, part)]),
    ...changes.map(({ title, work }): [string, Estimate] => [`${title}: more or less`, work]),
  ];
  const body = rows.flatMap(([name, work]) =>
    work === undefined
      ? []
      : [
          `<tr><th scope="row">${escape(name)}</th><td>${[work.median, work.low, work.high].map((value) => escape(formatTime(value))).join('</td><td>')}</td></tr>`,
        ],
  );
  return `<div class="scroll"><table><thead><tr><th>work a request</th><th>median</th><th>from</th><th>to (95 %)</th></tr></thead>
<tbody>${body.join('\n')}</tbody></table></div>`;
}
