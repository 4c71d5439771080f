/** A made-up run of `nearwire cost verdict`. */
import { chainOf, changeOf } from '../../bench/cost/layers/configurations.js';
import type { LayersResult } from '../../bench/cost/layers/index.js';
import { laneName } from '../../bench/cost/layers/measure.js';
import { configurationsOf, type LayersPlan, type LayerSamples } from '../../bench/cost/layers/run.js';
import { verdictOf, type Measured } from '../../bench/cost/layers/verdict.js';
import { jsonWork } from '../../bench/cost/works.js';

const APP = jsonWork(1);
const chain = chainOf('nginx-node-unix-keep', 12, APP);
export const PLAN: LayersPlan = {
  chains: [chain],
  changes: [
    changeOf('TCP', 'nginx-node-tcp-keep', chain),
    changeOf('nearwire/http', 'nginx-nearwire-unix-keep', chain),
  ],
};

/** Microseconds a request, in the order of the plan's configurations. */
export function samplesOf(works: readonly number[], spread = 0): LayerSamples {
  return new Map(
    configurationsOf(PLAN).flatMap((configuration, i) => {
      const work = works[i];
      if (work === undefined) return [];
      // What the host does is the same for all slices of a sweep.
      const block = Array.from(
        { length: 20 },
        (_, sweep) => work + (sweep % 5) * 3 + spread * (((sweep * (3 + i)) % 11) - 5),
      );
      return [[laneName(configuration, 32), [block, block, block]] as const];
    }),
  );
}

export function measured(works: readonly number[], spread = 0): Measured {
  const [front, end] = [chain.steps[1], chain.steps.at(-1)].map((step) => step?.configuration.name ?? '');
  const waits = new Map([
    [front ?? '', [[82, 83, 84]]],
    [end ?? '', [[1500, 1510, 1520]]],
  ]);
  return { samples: samplesOf(works, spread), waits };
}

/** Of the plan's configurations: client, nginx, the least hop, an empty handler, the application, and two changes. */
export const WORKS = [4, 23, 44, 61, 1421, 1433, 1410];

export function resultOf(run: Measured, more: Partial<LayersResult> = {}): LayersResult {
  return {
    host: { cpu: 'a processor', cores: 2, kernel: 'Linux 6.18', load: 0, sandbox: null },
    versions: { node: '24.1.0', nearwire: '0.1.0', commit: 'none' },
    ...{ programs: [], command: 'nearwire cost verdict', started: '2026-11-30T05:00:00Z', seconds: 160 },
    ...{ notes: [], failures: [], interrupted: false, verdicts: new Map([[32, verdictOf(PLAN, run, 32)]]) },
    ...run,
    ...more,
  };
}
