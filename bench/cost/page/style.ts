/** What the page of the cost has beside the look of all pages. */
import type { WorkName } from '../model.js';

const STYLE = `
:root {
  --front: #7a5cc7; --hop: #d9622b; --protocol: #2f7ed8; --application: #9aa1ad; --alone: #2f7ed8; --cpu: #d9622b;
  --kind-1: #2f6fdd; --kind-2: #12936b; --kind-3: #d97912; --kind-4: #9457c9; --kind-5: #c2368a; --kind-6: #6b7280;
  --kind-7: #0d8ea8; --kind-8: #8a6d1f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --front: #a58ae8; --hop: #ff8a54; --protocol: #62a4f5; --application: #6d7583; --alone: #62a4f5; --cpu: #ff8a54;
    --kind-1: #6ba1ff; --kind-2: #35c796; --kind-3: #f39c3d; --kind-4: #b98ae6; --kind-5: #f074bd; --kind-6: #a7afbd;
    --kind-7: #45c3dd; --kind-8: #cfae52;
  }
}
h3 { margin: 26px 0 0; font-size: 16px; }
.host code, .notes { overflow-wrap: anywhere; }
.answers { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 14px; margin: 18px 0; }
.answer { background: var(--raised); border-radius: 10px; padding: 14px 16px; min-width: 0; }
.answer h3 { margin: 0 0 4px; font-size: 15px; }
.answer p { margin: 0; white-space: pre-line; }
.answer details { margin-top: 8px; font-size: 13px; color: var(--muted); }
.answer table { white-space: normal; margin-top: 4px; }
.answer table td, .answer table th { padding: 2px 8px 2px 0; text-align: left; overflow-wrap: anywhere; }
summary { cursor: pointer; }
.legend { flex-wrap: wrap; gap: 6px 18px; font-size: 13px; color: var(--muted); }
.legend i { flex: none; }
.legend i.line { height: 0; width: 30px; border-radius: 0; border-top: 3px solid; position: relative; }
.legend i.dashed { border-top-style: dashed; }
.legend i.line::after { content: ''; position: absolute; top: -7px; left: 9px; width: 7px; height: 7px; border-radius: 50%;
  border: 2px solid; background: currentColor; }
.legend i.hollow::after { background: var(--surface); }
.chart.tall { height: auto; }
.chart.curve { height: 360px; }
.charts.wide { grid-template-columns: minmax(0, 1fr); }
.charts { margin: 10px 0; }
.charts > * { min-width: 0; }
fieldset { flex-wrap: wrap; margin: 0; padding: 0; }
.of-work { display: none; }
tbody th[scope=row] { white-space: normal; min-width: 130px; max-width: 300px; }
td { vertical-align: top; }
td small { display: block; margin: 0; min-width: 0; font-size: 12px; }
td.noise { color: var(--muted); font-style: italic; }
.prose { white-space: normal; min-width: 1080px; table-layout: fixed; }
.prose thead th:nth-child(n + 3):nth-child(-n + 4) { width: 120px; }
.prose thead th:nth-child(n + 5) { width: 300px; }
.prose td, .prose th { text-align: left; vertical-align: top; }
.prose code { overflow-wrap: anywhere; }
.prose ul { margin: 0; padding-left: 16px; }
@media (max-width: 700px) {
  .prose { min-width: 0; width: 100%; }
  .prose thead { display: none; }
  .prose tbody tr, .prose tbody th, .prose td { display: block; max-width: none; }
  .prose tbody th { border-bottom: 0; padding-top: 16px; font-weight: 600; }
  .prose td { border-bottom: 0; padding: 4px 0; }
  .prose td:empty { display: none; }
  .prose td::before { content: attr(data-name); display: block; font-size: 12px; color: var(--muted); }
}
.missing { padding-left: 20px; }
`;

/** A work's tables are shown when its radio button is chosen, without any script. */
export function costStyle(works: readonly WorkName[]): string {
  return STYLE + works.map((work) => `main:has(#work-${work}:checked) .of-work.${work} { display: block; }\n`).join('');
}
