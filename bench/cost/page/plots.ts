/** What the page draws, worked out beforehand: the script in the page puts it on canvases and no more. */
import { digits } from '../../format.js';
import {
  arrange,
  curveGroups,
  familyPairs,
  hasLayers,
  LAYERS,
  layerOf,
  wholeCpu,
  type FamilyPair,
  type LanguageRows,
  type StackHead,
} from '../arrange.js';
import { formatFigure, formatRate, formatTime } from '../figures.js';
import { isHeld } from '../held.js';
import type { CostResult, Curve, Figure, Layer, Split, WorkName } from '../model.js';
import { wrap } from '../wrap.js';

/** Characters of a stack's title in one line beside its bar. */
const LABEL_WIDTH = 21;
/** Colours of the style sheet for kinds of stacks. */
export const KIND_COLOURS = 8;

export interface Bar {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly text: string;
}

/** A bar a stack, of the layers one after the other, for the work that is chosen. */
export interface LayerPlot {
  readonly kind: 'layers';
  readonly id: string;
  readonly title: string;
  readonly works: readonly {
    readonly work: WorkName;
    /** In lines. */
    readonly labels: readonly (readonly string[])[];
    readonly layers: readonly {
      readonly layer: Layer;
      readonly title: string;
      readonly bars: readonly (Bar | null)[];
    }[];
  }[];
}

/** TCP's figures against UNIX's, from the smallest work to the largest. */
export interface PairPlot {
  readonly kind: 'pair';
  readonly id: string;
  readonly title: string;
  readonly labels: readonly string[];
  readonly sets: readonly { readonly name: string; readonly colour: string; readonly bars: readonly (Bar | null)[] }[];
}

export interface CurvePlotLine {
  readonly title: string;
  readonly colour: string;
  readonly dashed: boolean;
  readonly hollow: boolean;
  /** `broken`: not held. */
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly broken: boolean;
    readonly text: string;
  }[];
}

/** Latency by the rate that is offered. */
export interface CurvePlot {
  readonly kind: 'curve';
  readonly id: string;
  readonly title: string;
  readonly lines: readonly CurvePlotLine[];
}

export type Plot = LayerPlot | PairPlot | CurvePlot;

export function plotsOf(result: CostResult): Plot[] {
  return [
    ...arrange(result).filter(hasLayers).flatMap(layerPlots),
    ...familyPairs(result).map(pairPlot),
    ...curvePlots(result),
  ];
}

function layerPlots(language: LanguageRows): LayerPlot[] {
  return (['time', 'cpu'] as const).flatMap((of) => {
    const works = language.works.flatMap(({ work, rows }) => {
      const split = rows.flatMap((row) => {
        const found = row[of];
        return found ? [{ stack: row.stack, found }] : [];
      });
      if (split.length === 0) return [];
      return [
        {
          work: work.name,
          labels: split.map(({ stack }) => wrap(stack.title, LABEL_WIDTH).split('\n')),
          layers: LAYERS.map(({ name, title }) => ({
            layer: name,
            title,
            bars: split.map(({ found }) => layerBar(found, name)),
          })),
        },
      ];
    });
    if (works.length === 0) return [];
    const what = of === 'time' ? 'time of a lone request' : 'CPU a request, of all processes';
    return [
      { kind: 'layers', id: `layers-${language.language}-${of}`, title: `${language.title}: ${what}, us`, works },
    ];
  });
}

function layerBar(split: Split, layer: Layer): Bar | null {
  const found = layerOf(split, layer);
  if (!found) return null;
  const text = `${formatFigure(found.figure, formatTime)}${found.inNoise ? ', inside the noise' : ''}`;
  return { value: found.figure.median, low: found.figure.low, high: found.figure.high, text };
}

function pairPlot({ title, unix, works }: FamilyPair): PairPlot {
  const against = (one: Figure | undefined, other: Figure | undefined): Bar | null => {
    if (!one || !other || one.median <= 0) return null;
    const ratio = (value: number): number => value / one.median;
    return {
      value: ratio(other.median),
      low: ratio(other.low),
      high: ratio(other.high),
      text: `${digits(ratio(other.median))}x: ${formatFigure(other, formatTime)}, over UNIX ${formatFigure(one, formatTime)}`,
    };
  };
  return {
    kind: 'pair',
    id: `pair-${unix.name}`,
    title,
    labels: works.map(({ work }) => work.name),
    sets: [
      {
        name: 'alone',
        colour: 'alone',
        bars: works.map((each) => against(each.unix.row.latency, each.tcp.row.latency)),
      },
      {
        name: 'CPU',
        colour: 'cpu',
        bars: works.map((each) =>
          against(wholeCpu(each.unix.row, each.unix.cpu), wholeCpu(each.tcp.row, each.tcp.cpu)),
        ),
      },
    ],
  };
}

/** Stacks that differ in family and connections alone have one colour. */
export function kindOf({ name }: Pick<StackHead, 'name'>): string {
  return name.replace(/-(?:unix|tcp)\b/, '').replace(/-(?:close|keep)$/, '');
}

function curvePlots(result: CostResult): CurvePlot[] {
  return curveGroups(result).map(({ title, language, work, curves }) => {
    const kinds = [...new Set(curves.map(({ head }) => kindOf(head)))];
    const lines = curves.map(({ head, points }): CurvePlotLine => ({
      title: head.title,
      colour: `kind-${String((kinds.indexOf(kindOf(head)) % KIND_COLOURS) + 1)}`,
      dashed: head.hop?.family === 'tcp' || /(?:^|-)tcp(?:-|$)/.test(head.name),
      hollow: head.hop?.connections === 'close',
      points: points.map((point) => ({ x: point.offered, y: point.p99, broken: !isHeld(point), text: textOf(point) })),
    }));
    return { kind: 'curve', id: `curve-${language}-${work.name}`, title: `${title}: p99 by offered rate`, lines };
  });
}

function textOf({ offered, served, p50, p99, errors }: Curve['points'][number]): string {
  return (
    `${formatRate(offered)} offered, ${formatRate(served)} served, p50 ${formatTime(p50)}, p99 ${formatTime(p99)}` +
    (errors > 0 ? `, ${String(errors)} errors` : '')
  );
}
