/**
 * Requests from the plain C generator through nginx to an application, each on its own connection, in a separate
 * network namespace if possible; and their outcomes.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

import { quantileOf } from '../../histogram.js';
import { describeFailures, LoadGenerator, type LoadOptions } from '../load.js';
import type { Hop, Target } from '../model.js';
import { StackError } from '../processes.js';
import { nodeCommand } from '../stacks/javascript.js';
import { HELLO } from '../works.js';
import type { Outcome } from './model.js';
import { startFront, within, withParts, type Directives, type Lab } from './servers.js';

/** TCP_LISTEN as written in /proc/net/tcp. */
const LISTEN = '0A';

export interface Requests extends Directives {
  readonly load: LoadOptions['load'];
  /** Milliseconds from the start during which the application accepts nothing. */
  readonly paused?: number;
  readonly family: Hop['family'];
  readonly backlog?: number;
  /** Set after nginx listens, and before the application does. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

export function request(
  lab: Lab,
  { load, paused, family, backlog, sysctls = {}, ...directives }: Requests,
): Promise<Outcome> {
  const { signal, namespace } = lab;
  return withParts(lab, async (parts) => {
    const target = await parts.freeTarget(family);
    const { pid, path, logged } = await startFront(parts, target, directives, namespace.make);
    const node = nodeCommand({ server: 'node:http', listen: { ...target, backlog } });
    const app = await parts.launch(within(namespace.join(pid, sysctls), node));
    await parts.untilServing({ path }, HELLO.path);
    // Discards messages about the application that had not started yet.
    logged('');
    // No connection is opened in advance.
    const order = { floor: parts.program('floor'), signal, target: { path }, work: HELLO, load, warmup: 0 };
    const generator = await LoadGenerator.open(order);
    try {
      const pausing = paused === undefined ? undefined : pause(app.pid, target, paused, signal);
      const [figures, waiting] = await Promise.all([generator.stretch(), pausing]);
      const { begun, operations: answered, latency, statuses } = figures;
      // There are connections for all: a request that was not sent in time is the generator's own delay, and was not
      // begun.
      const other = describeFailures({ ...figures, statuses: {}, unsent: 0 });
      if (other !== '') throw new StackError(`only the application was expected to fail, but nginx did: ${other}`);
      // Over TCP, connections that find no room are served in the end.
      const well = waiting ?? answered;
      return {
        ...{ gaveOut: well < begun ? well : null, driven: begun, p99: quantileOf(latency, 0.99) / 1e3 },
        statuses: { ...statuses, 200: answered },
        logged: logged('while connecting to upstream'),
      };
    } finally {
      await generator.stop();
    }
  });
}

/**
 * Stops an application for a while, and returns how many connections are then in its accept queue; that is only known
 * over TCP.
 */
async function pause(pid: number, target: Target, ms: number, signal: AbortSignal): Promise<number | undefined> {
  process.kill(pid, 'SIGSTOP');
  await after(ms, undefined, { signal });
  const waiting = 'port' in target ? waitingAt(target.port, pid) : undefined;
  process.kill(pid, 'SIGCONT');
  return waiting;
}

/** From /proc/net/tcp, in the network namespace of a process. */
function waitingAt(port: number, pid: number): number {
  const rows = readFileSync(`/proc/${String(pid)}/net/tcp`, 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  const end = `:${port.toString(16).toUpperCase()}`;
  const listener = rows.find(([, local = '', , state]) => state === LISTEN && local.endsWith(end));
  return parseInt(listener?.[4]?.split(':')[1] ?? '', 16);
}
