/**
 * Building blocks of SVG pictures: one width, one style for light and dark pages, and a description for screen readers.
 */

/**
 * In units of the coordinates, and in pixels if the page has room. On a page 400 pixels wide, text of 14 units has 10
 * pixels.
 */
export const WIDTH = 560;

/** Colors of bars and lines, light and dark: each is distinguishable from its background and from those before it. */
const COLOURS = [
  ['#2f6fdf', '#4f8ff7'],
  ['#14937c', '#2fb59a'],
  ['#b4541a', '#e8894c'],
  ['#7a53c4', '#a98bea'],
] as const;

function coloursOf(scheme: 0 | 1): string {
  return COLOURS.map((colour, at) => {
    const value = colour[scheme];
    return `.bar${String(at)} { fill: ${value} } .line${String(at)} { stroke: ${value} } .band${String(at)} { fill: ${value} }`;
  }).join('\n');
}

const STYLE = `<style>
text { font: 16px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 14px; fill: #59636e }
.value { font-size: 14px }
.grid { stroke: #d1d9e0 }
.one { stroke: #59636e; stroke-dasharray: 3 3 }
.range { stroke: #1f2328; stroke-width: 1.5 }
polyline { fill: none; stroke-width: 2.5 }
line[class^=line] { stroke-width: 2.5 }
.dashed { stroke-dasharray: 7 4 }
polygon { opacity: 0.2 }
${coloursOf(0)}
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .grid { stroke: #3d444d } .one { stroke: #9198a1 } .range { stroke: #f0f6fc }
${coloursOf(1)}
}
</style>`;

/** Text between two tags, without Markdown's marks. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('`', '');
}

type Attributes = Readonly<Record<string, string | number>>;

/** Coordinates have one decimal: a tenth of a pixel at most. */
export function element(name: string, attributes: Attributes, text?: string): string {
  const words = Object.entries(attributes).map(([key, value]) => {
    const shown = typeof value === 'number' ? String(Math.round(value * 10) / 10) : escapeText(value);
    return ` ${key}="${shown.replaceAll('"', '&quot;')}"`;
  });
  const start = `<${name}${words.join('')}`;
  return text === undefined ? `${start}/>` : `${start}>${escapeText(text)}</${name}>`;
}

export interface Picture {
  /** What the picture shows; drawn at the top too. */
  readonly title: string;
  /** The description for readers who do not see the picture, with the values. */
  readonly description: string;
  readonly height: number;
  readonly body: readonly string[];
}

export function renderSvg({ title, description, height, body }: Picture): string {
  const size = `viewBox="0 0 ${String(WIDTH)} ${String(height)}" width="${String(WIDTH)}" height="${String(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="title desc">`,
    element('title', { id: 'title' }, title),
    element('desc', { id: 'desc' }, description),
    STYLE,
    element('text', { x: 0, y: 18 }, title),
    ...body,
    '</svg>',
    '',
  ].join('\n');
}
