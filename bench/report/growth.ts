/** How the numbers of the fan-in grow with the connections, relative to those at 16 connections. */
import { growth, GROWTH_BASE } from '../cases/messages.js';
import { formatSpread } from '../format.js';
import type { MeasureName, Params, Sample, SeriesResult } from '../model.js';
import { ratioWithinRounds, valuesByRound } from '../statistics.js';
import { blockOf, entryOf, measured, type Entry, type Figure, type Lineup } from './blocks.js';
import type { Block } from './model.js';

const PLOTTED: readonly MeasureName[] = ['cpu', 'p50'];

const NOTE = `Against ${String(GROWTH_BASE)} connections, within each round. Each connection has one message outstanding, which \
waits for those of all the others: ideally, the round trip divided by the connections stays the same.`;

/** Empty if there is no growth to show: a single number of connections, or no baseline. */
export function growthBlocks(result: Lineup, results: readonly SeriesResult[]): Block[] {
  const points = results
    .filter(({ series }) => series.family === 'unix')
    .map((of) => {
      const { busy, idle } = connectionsOf(of.series.params);
      const label = `${String(busy)} connection${busy === 1 ? '' : 's'}${idle === 0 ? '' : `, ${String(idle)} idle`}`;
      return entryOf(result, of, { label, at: busy + idle, apart: idle > 0 });
    });
  const base = points.find(({ at, apart }) => at === GROWTH_BASE && !apart);
  if (!base || points.length < 2) return [];
  const grown = (name: string, valueOf: (sample: Sample, params: Params) => number | undefined): Figure => ({
    name,
    cellOf(entry, subject) {
      const valuesOf = ({ of }: Entry): Map<number, number> =>
        valuesByRound(of, subject.name, (sample) => valueOf(sample, of.series.params));
      const ratio = ratioWithinRounds(valuesOf(entry), valuesOf(base));
      return ratio ? formatSpread(ratio) : '';
    },
  });
  const figures = [
    ...growth.measures.map(({ name }) => grown(name, ({ values }) => values[name])),
    // If a server's cost per message is constant, the round trip grows in proportion to the connections.
    grown('p50 / connections', ({ values: { p50 } }, params) => p50 && p50 / connectionsOf(params).busy),
  ];
  const plots = growth.measures
    .filter(({ name }) => PLOTTED.includes(name))
    .map((measure) => measured(measure, measure.meaning));
  const axis = { title: 'connections; apart: idle ones included', logarithmic: true };
  const others = points.filter((point) => point !== base);
  const { charts } = blockOf(result, 'growth-lines', points, plots, axis);
  return [{ ...blockOf(result, 'growth', others, figures), charts, note: NOTE }];
}

function connectionsOf(params: Params): { busy: number; idle: number } {
  return { busy: Number(params['connections']), idle: Number(params['idle'] ?? 0) };
}
