/** How the figures of the fan-in grow with the connections: each against the one at 16 connections. */
import { growth, GROWTH_BASE } from '../cases/messages.js';
import { formatSpread } from '../format.js';
import type { BenchResult, MeasureName, Sample, SeriesResult } from '../model.js';
import { ratioWithinRounds, valuesByRound } from '../statistics.js';
import { blockOf, measured, type Figure } from './blocks.js';
import type { Block } from './model.js';

const PLOTTED: readonly MeasureName[] = ['cpu', 'p50'];

const NOTE = `Against ${String(GROWTH_BASE)} connections, within each round. Each connection has one message outstanding, which \
waits for those of all the others: the round trip divided by the connections is what would stay the same.`;

/** None where there is no growth to tell of: one number of connections, or none to compare with. */
export function growthBlocks(result: BenchResult, results: readonly SeriesResult[]): Block[] {
  const points = results
    .filter(({ series }) => series.family === 'unix')
    .map((entry) => ({ entry, label: describe(entry), at: busyIn(entry) + idleIn(entry), apart: idleIn(entry) > 0 }));
  const base = points.find(({ entry, apart }) => busyIn(entry) === GROWTH_BASE && !apart);
  if (!base || points.length < 2) return [];
  const grown = (name: string, valueOf: (sample: Sample, entry: SeriesResult) => number | undefined): Figure => ({
    name,
    cellOf(entry, subject) {
      const [own, before] = [entry, base.entry].map((of) =>
        valuesByRound(of, subject.name, (sample) => valueOf(sample, of)),
      );
      const ratio = own && before && ratioWithinRounds(own, before);
      return ratio ? formatSpread(ratio) : '';
    },
  });
  const figures = [
    ...growth.measures.map(({ name }) => grown(name, ({ values }) => values[name])),
    // In a server whose cost does not grow, the round trip grows as the connections do.
    grown('p50 / connections', ({ values: { p50 } }, entry) => p50 && p50 / busyIn(entry)),
  ];
  const plots = growth.measures
    .filter(({ name }) => PLOTTED.includes(name))
    .map((measure) => measured(result, measure, measure.meaning));
  const axis = { title: 'connections; apart: idle ones included', logarithmic: true };
  const others = points.filter((point) => point !== base);
  const { charts } = blockOf(result, 'growth-lines', points, plots, axis);
  return [{ ...blockOf(result, 'growth', others, figures), charts, note: NOTE }];
}

function busyIn({ series }: SeriesResult): number {
  return Number(series.params['connections']);
}

function idleIn({ series }: SeriesResult): number {
  return Number(series.params['idle'] ?? 0);
}

/** `256 connections, 8192 idle`. */
function describe(entry: SeriesResult): string {
  const busy = `${String(busyIn(entry))} connection${busyIn(entry) === 1 ? '' : 's'}`;
  return idleIn(entry) === 0 ? busy : `${busy}, ${String(idleIn(entry))} idle`;
}
