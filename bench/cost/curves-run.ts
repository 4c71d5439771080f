/** The curves of a run: which stacks have one, each started for it anew. */
import { isAborted } from './aborted.js';
import { measureCurve, STEPS } from './curves.js';
import type { Curve, Stack } from './model.js';
import type { Plan, StackPlan } from './plan.js';
import type { RoundsOptions } from './rounds.js';
import type { Samples } from './samples.js';
import { startStack } from './stacks/index.js';

/** Where so few stacks were asked for, all have one. */
const FEW = 8;
/** Of all stacks those whose limits are asked for: each family, a connection each and kept, with a front and without. */
const CURVED: readonly Stack['name'][] = [
  ...['nginx-uwsgi-unix', 'nginx-uwsgi-tcp', 'nginx-node-unix-close', 'nginx-node-tcp-close'],
  ...['nginx-node-unix-keep', 'nginx-nearwire-unix-close', 'nginx-nearwireuwsgi-unix', 'yaws'],
];
/** Seconds of each step. */
const STEP_SECONDS = 0.8;

export interface CurvesOptions extends RoundsOptions {
  onFailure(failure: string): void;
}

/** None in a first look: each takes some ten seconds. */
export async function measureCurves(plan: Plan, samples: Samples, options: CurvesOptions): Promise<Curve[]> {
  if (plan.quick) return [];
  const stacks = plan.stacks.filter(({ stack }) => plan.stacks.length <= FEW || CURVED.includes(stack.name));
  const curves: Curve[] = [];
  for (const [done, { stack, works }] of stacks.entries()) {
    if (options.signal.aborted) break;
    options.onProgress({
      ...{ done, total: stacks.length, round: 1, rounds: 1, label: stack.name, phase: 'rising rates' },
      remainingSeconds: (stacks.length - done) * STEP_SECONDS * STEPS.length,
    });
    try {
      const curve = await curveOf({ stack, works }, samples, options);
      if (curve) curves.push(curve);
    } catch (error) {
      if (isAborted(options.signal)) break;
      options.onFailure(`${stack.name} at rising rates: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return curves;
}

/** With the first of its works, hello world or the user's own. */
async function curveOf(
  { stack, works }: StackPlan,
  samples: Samples,
  options: CurvesOptions,
): Promise<Curve | undefined> {
  const [work] = works;
  if (!work) return undefined;
  const rate = samples.rate(stack.name, work.name);
  // It has failed before.
  if (!rate) return undefined;
  const running = await startStack(stack, options.context);
  try {
    return await measureCurve(stack, running, work, rate.value, { ...options, seconds: STEP_SECONDS });
  } finally {
    await running.stop();
  }
}
