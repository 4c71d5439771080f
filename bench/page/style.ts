import type { Subject } from '../subjects.js';

/** A custom property's name has no colons and no signs. */
export function colourName(subject: string): string {
  return `--${subject.replace(/[^a-zA-Z0-9-]/g, '-')}`;
}

/** Colours of subjects without one below: hues far apart, by the golden angle. */
export function coloursOf(lineup: readonly Subject[]): string {
  const more = lineup.filter(({ name }) => !STYLE.includes(`${colourName(name)}:`));
  const rootOf = (tone: string): string =>
    `:root { ${more.map(({ name }, at) => `${colourName(name)}: hsl(${((330 + 137.5 * at) % 360).toFixed(0)} ${tone});`).join(' ')} }`;
  return `${rootOf('60% 40%')}\n@media (prefers-color-scheme: dark) { ${rootOf('70% 70%')} }\n`;
}

/**
 * The style of the page, light and dark. Each subject has the same colour everywhere; those of node:net and js are
 * related.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --surface: #ffffff; --raised: #f5f6f8; --text: #1b1f26; --muted: #5a6270; --grid: #e2e5ea;
  --good: #11795a; --bad: #b3261e; --note: #fff4d6;
  --c: #8b919c; --c-send: #c3c8d0; --nginx: #9457c9; --channel: #2f6fdd; --native: #12936b; --js: #f0b56a; --node-net: #d97912; --node-net-tuned: #b8474f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --surface: #14171c; --raised: #1d2128; --text: #e7eaef; --muted: #a0a8b5; --grid: #323842;
    --good: #4fd0a2; --bad: #ff8f85; --note: #3a3115;
    --c: #9aa1ad; --c-send: #5c6470; --nginx: #b98ae6; --channel: #6ba1ff; --native: #35c796; --js: #a8783a; --node-net: #f39c3d; --node-net-tuned: #e87a82;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--surface); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { margin: 0 0 4px; font-size: 26px; }
h2 { margin: 44px 0 0; font-size: 20px; }
h2 + p { margin: 0 0 12px; color: var(--muted); }
h3 { margin: 24px 0 6px; font-size: 16px; }
.findings { margin: 0 0 10px; padding-left: 20px; }
.host, .how { color: var(--muted); margin: 0 0 6px; }
.notes { background: var(--note); border-radius: 8px; padding: 10px 14px 10px 32px; margin: 16px 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 12px; margin: 20px 0; }
.tile { background: var(--raised); border-radius: 10px; padding: 12px 14px; }
.tile h3 { margin: 0; font-size: 14px; }
.tile p { margin: 0 0 6px; font-size: 12px; color: var(--muted); }
.tile p.params { color: var(--text); }
.tile div { display: flex; justify-content: space-between; font-variant-numeric: tabular-nums; }
.tile div b { font-size: 17px; }
.bar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 6px 18px; align-items: center;
  background: var(--surface); border-bottom: 1px solid var(--grid); padding: 10px 0; margin-bottom: 10px; }
.bar span { display: inline-flex; align-items: center; gap: 6px; }
.bar i { width: 12px; height: 12px; border-radius: 3px; display: inline-block; }
@media (max-width: 600px) { .bar { position: static; } }
fieldset { border: 0; margin: 0 0 0 auto; padding: 0; display: flex; gap: 12px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 16px; }
.chart { position: relative; height: 260px; background: var(--raised); border-radius: 10px; padding: 10px 12px; }
pre { background: var(--raised); border-radius: 8px; padding: 10px 14px; overflow-x: auto; margin: 6px 0 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 14px 0 0; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: 4px 12px; text-align: right; border-bottom: 1px solid var(--grid); }
th:first-child { text-align: left; padding-left: 0; font-weight: 500; }
td small { color: var(--muted); margin-left: 6px; display: inline-block; min-width: 4.2em; }
.good { color: var(--good); } .bad { color: var(--bad); }
td small.good { color: var(--good); } td small.bad { color: var(--bad); }
.scroll + .how { margin-top: 6px; }
tr.share td, tr.share th { color: var(--muted); }
tr.share td { padding-right: calc(18px + 3.5em); }
`;
