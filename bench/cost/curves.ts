/** A stack under an open loop of rising rates, up to where it does not hold and a step beyond. */
import { isHeld } from './held.js';
import { OPEN_LOOP_CONNECTIONS, runLoad, type LoadFigures } from './load.js';
import { warmStack, type MeasureOptions } from './measure.js';
import type { Curve, RunningStack, Stack, Work } from './model.js';

/** Of what the stack served in a closed loop, which is about what it can. */
export const STEPS = [0.2, 0.4, 0.6, 0.75, 0.9, 1, 1.15, 1.35, 1.6, 2, 3];
/** Steps after one that was not held: what collapse looks like. */
const STEPS_BEYOND = 1;
/** Seconds for requests that are under way: an overloaded server is not to be waited for at each step. */
const PATIENCE = 2;

type Point = Curve['points'][number];

export interface CurveOptions extends MeasureOptions {
  /** Seconds of each step. */
  readonly seconds: number;
}

/** `capacity`: answers a second in a closed loop. */
export async function measureCurve(
  stack: Pick<Stack, 'name' | 'language'>,
  running: RunningStack,
  work: Work,
  capacity: number,
  options: CurveOptions,
): Promise<Curve> {
  const { floor, signal, seconds } = options;
  await warmStack(stack, running, work, options);
  return climb(stack.name, work, capacity, async (rate) => {
    const figures = await runLoad({
      ...{ floor, signal, work, target: running.target, load: { kind: 'open', rate, seconds } },
      ...{ warmup: 0.1, patience: PATIENCE, connections: OPEN_LOOP_CONNECTIONS },
    });
    return pointOf(rate, figures);
  });
}

/** Apart from servers: `measure` tells what became of a rate. */
export async function climb(
  stack: string,
  { name }: Pick<Work, 'name'>,
  capacity: number,
  measure: (rate: number) => Promise<Point>,
): Promise<Curve> {
  const points: Point[] = [];
  let holds: number | undefined;
  let beyond = 0;
  for (const step of STEPS) {
    const rate = Math.max(1, Math.round(capacity * step));
    const point = await measure(rate);
    points.push(point);
    if (isHeld(point)) {
      // One that was not held before it was the host's doing.
      holds = rate;
      beyond = 0;
    } else if (++beyond > STEPS_BEYOND) {
      break;
    }
  }
  return { stack, work: name, points, holds };
}

function pointOf(offered: number, { rate, p50, p99, errors }: LoadFigures): Point {
  return { offered, served: rate, p50, p99, errors };
}
