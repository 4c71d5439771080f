/** What the sweep's page has beside the look of the bench's. Blue is better and orange worse, which all eyes tell apart. */
import { MEASURES } from '../model.js';

/** A view has the figures and colours of one measure: the radio button that is chosen shows one of them. */
const VIEWS = MEASURES.map(
  ({ name }) => `
main:has(#view-${name}:checked) .heat td.cell { background: var(--of-${name}); }
main:has(#view-${name}:checked) .heat .${name} { display: block; }
main:has(#view-${name}:checked) .how.${name} { display: block; }`,
).join('');

export const SWEEP_STYLE = `
:root { --file: #9457c9; --page: #2f6fdd; --better: #6ea8fe; --worse: #ffab6b; --mark: #1b1f26; }
@media (prefers-color-scheme: dark) {
  :root { --file: #b98ae6; --page: #6ba1ff; --better: #1d5bc0; --worse: #99480f; --mark: #ffffff; }
}
.heat { border-collapse: separate; border-spacing: 3px; }
.heat th, .heat td { border: 0; }
.heat thead th { padding: 2px 4px; font-weight: 500; text-align: center; }
.heat tbody th { white-space: nowrap; }
.heat tbody th small, .heat td.memory { color: var(--muted); font-weight: 400; }
.heat tbody th small { display: block; font-size: 11px; }
.heat td.cell { background: var(--raised); border-radius: 5px; min-width: 88px; padding: 5px 8px; text-align: center; line-height: 1.3; }
.heat td.cell > span { display: none; }
.heat td.cell small { display: block; margin: 0; min-width: 0; color: inherit; font-size: 12px; }
main:has(#view-rate:checked) .heat td.set, main:has(#view-held:checked) .heat td.whole { box-shadow: inset 0 0 0 2px var(--mark); }
p.how.view { display: none; }
.scale { display: inline-flex; align-items: center; gap: 8px; color: var(--muted); font-size: 13px; }
.scale i { width: 120px; height: 12px; border-radius: 3px;
  background: linear-gradient(to right, var(--worse), var(--raised), var(--better)); }
.clamped::after { content: "*"; }
fieldset { flex-wrap: wrap; margin: 0; }
td.change { font-weight: 600; }
td.change small { font-weight: 400; }
td small.why { display: block; margin: 0; }
.settings h3 { margin: 18px 0 0; font-size: 15px; }
.settings p { margin: 2px 0 0; color: var(--muted); }
${VIEWS}
`;
