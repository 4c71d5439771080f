/** A made-up run of `nearwire cost`. */
import { chainOf, changeOf } from '../../bench/cost/configurations.js';
import type { CostResult } from '../../bench/cost/index.js';
import { laneName } from '../../bench/cost/measure.js';
import type { CostPlan } from '../../bench/cost/plan.js';
import { configurationsOf, type Samples } from '../../bench/cost/run.js';
import { stackNamed } from '../../bench/cost/stacks/index.js';
import { verdictOf, type Measured } from '../../bench/cost/verdict.js';
import { jsonWork } from '../../bench/cost/works.js';

const chain = chainOf(stackNamed('nginx-node-unix-keep'), 12, jsonWork(1));
export const PLAN: CostPlan = {
  chains: [chain],
  changes: [
    changeOf('TCP', 'nginx-node-tcp-keep', chain),
    changeOf('nearwire/http', 'nginx-nearwire-unix-keep', chain),
  ],
  notes: [],
};

/** Microseconds a request, in the order of the plan's configurations. */
export function samplesOf(works: readonly number[], spread = 0): Samples {
  return new Map(
    configurationsOf(PLAN).flatMap((configuration, i) => {
      const work = works[i];
      if (work === undefined) return [];
      // What the host does is the same for all slices of a sweep.
      const block = Array.from(
        { length: 20 },
        (_, sweep) => work + ((sweep % 5) - 2) * 3 + spread * (((sweep * (3 + i)) % 11) - 5),
      );
      return [[laneName(configuration, 32), [block, block, block]] as const];
    }),
  );
}

export function measured(works: readonly number[], spread = 0): Measured {
  const [front = '', server = '', end = ''] = [0, 2, 3].map((step) => chain.steps[step]?.configuration.name);
  return {
    samples: samplesOf(works, spread),
    waits: new Map([
      [front, [[82, 83, 84]]],
      [end, [[1500, 1510, 1520]]],
    ]),
    calls: new Map([[server, { front: { recvfrom: 2, writev: 2 }, app: { read: 1, writev: 1.25 } }]]),
  };
}

/** Of the plan's configurations: nginx, the least hop, an empty handler, the application, and two changes. */
export const WORKS = [19, 40, 57, 1417, 69, 46];

export function resultOf(run: Measured, more: Partial<CostResult> = {}): CostResult {
  return {
    host: { cpu: 'a processor', cores: 2, kernel: 'Linux 6.18', load: 0, sandbox: null },
    versions: { node: '24.1.0', nearwire: '0.1.0', commit: 'none' },
    ...{ programs: [], command: 'nearwire cost', started: '2026-11-30T05:00:00Z', seconds: 160 },
    ...{ notes: [], failures: [], interrupted: false, verdicts: new Map([[32, verdictOf(PLAN, run, 32)]]) },
    ...run,
    ...more,
  };
}
