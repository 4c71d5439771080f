/** The page of `nearwire cost --html`: the verdict, and one plot with the layers as bars. It needs no script. */
import { escape, pageHeader, wholePage } from '../page/parts.js';
import { formatTime } from '../format.js';
import type { CostResult } from './index.js';
import { CROWD } from './measure.js';
import type { ChainVerdict, ChangeVerdict } from './verdict.js';
import { LAYER_NAMES, layerNamed, notesOf, partsOf, sentencesOf } from './verdict-text.js';

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
.front { background: var(--front); }
.hop { background: var(--hop); }
.server { background: var(--server); }
.changed { background: var(--changed); }
.colours .part { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
tbody th { white-space: normal; font-weight: normal; }
@media (max-width: 700px) {
  .bars { grid-template-columns: 1fr max-content; }
  .bars .name { grid-column: 1 / -1; margin-top: 6px; }
}
`;

/** A layer in a bar. */
interface Part {
  readonly layer: 'front' | 'hop' | 'server' | 'changed';
  readonly micros: number;
}

const NAMES: Readonly<Record<Part['layer'], string>> = { ...LAYER_NAMES, changed: 'hop and app server, changed' };

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
  return `<section><h2>${escape(chain.title)}</h2>
<p class="verdict">${escape(sentencesOf(chain).join('\n\n'))}</p>
${plot(chain, changes)}
${table(chain, changes)}</section>`;
}

/** Without the application, next to which the rest might be invisible. */
function plot(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const asItIs = (['front', 'hop', 'server'] as const).flatMap((layer): Part[] => {
    const work = layerNamed(chain, layer);
    return work === undefined ? [] : [{ layer, micros: Math.max(0, work.median) }];
  });
  // For a change, only its effect on the whole is known: it is attributed to the hop and the app server.
  const front = asItIs.filter(({ layer }) => layer === 'front');
  const behind = total(asItIs) - total(front);
  const bars: [string, readonly Part[]][] = [
    ['as it is', asItIs],
    ...changes.map(({ title, work }): [string, Part[]] => [
      title,
      [...front, { layer: 'changed', micros: Math.max(0, behind + work.median) }],
    ]),
  ];
  const longest = Math.max(...bars.map(([, parts]) => total(parts)));
  const colours = [...new Set(bars.flatMap(([, parts]) => parts.map(({ layer }) => layer)))];
  return `<figure><figcaption>Microseconds of work per request, without the application's</figcaption>
<div class="colours">${colours.map((layer) => `<span><i class="part ${layer}"></i>${escape(NAMES[layer])}</span>`).join('')}</div>
<div class="bars">${bars.map(([name, parts]) => bar(name, parts, longest)).join('\n')}</div></figure>`;
}

function bar(name: string, parts: readonly Part[], longest: number): string {
  const drawn = parts.map((part) => {
    const width = ((100 * part.micros) / longest).toFixed(2);
    return `<i class="part ${part.layer}" style="width: ${width}%" title="${escape(described(part))}"></i>`;
  });
  return `<span class="name">${escape(name)}</span>
<span class="whole" role="img" aria-label="${escape(`${name}: ${parts.map(described).join(', ')}`)}">${drawn.join('')}</span>
<span class="figure">${escape(formatTime(total(parts)))}</span>`;
}

function described({ layer, micros }: Part): string {
  return `${NAMES[layer]} ${formatTime(micros)}`;
}

function total(parts: readonly Part[]): number {
  return parts.reduce((sum, { micros }) => sum + micros, 0);
}

function table(chain: ChainVerdict, changes: readonly ChangeVerdict[]): string {
  const rows = [
    { name: 'all of a request', work: chain.whole },
    ...partsOf(chain),
    ...changes.map(({ title, work }) => ({ name: `${title}: more or less`, work })),
  ].map(({ name, work: { median, low, high } }) => {
    const figures = [median, low, high].map((value) => `<td>${escape(formatTime(value))}</td>`);
    return `<tr><th scope="row">${escape(name)}</th>${figures.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>work per request</th><th>median</th><th>from</th><th>to (95 %)</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}
