/**
 * What the page's script uses of the browser and of Chart.js. The script is compiled together with code for Node, where
 * the DOM's own types must not be: they would make `document` a name that compiles everywhere.
 */
export interface PageElement {
  readonly dataset: Record<string, string | undefined>;
  readonly textContent: string | null;
}

export interface PageInput extends PageElement {
  readonly value: string;
  readonly checked: boolean;
  addEventListener(type: 'change', listener: () => void): void;
}

export interface PageDocument {
  readonly documentElement: PageElement;
  getElementById(id: string): PageElement | null;
  querySelectorAll(selector: 'canvas'): Iterable<PageElement>;
  querySelectorAll(selector: 'input'): Iterable<PageInput>;
}

export interface ColourScheme {
  readonly matches: boolean;
  addEventListener(type: 'change', listener: () => void): void;
}

export interface Context2D {
  strokeStyle: string;
  lineWidth: number;
  save(): void;
  restore(): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
  fillStyle: string;
  arc(x: number, y: number, radius: number, from: number, to: number): void;
  fill(): void;
}

/** A chart as its plugins see it. */
export interface DrawnChart {
  readonly ctx: Context2D;
  readonly scales: { readonly y: { getPixelForValue(value: number): number } };
  readonly chartArea: { readonly top: number; readonly bottom: number };
  getDatasetMeta(index: number): { readonly data: readonly { readonly x: number }[] };
  destroy(): void;
}

export type ChartMaker = new (canvas: PageElement, configuration: object) => DrawnChart;
