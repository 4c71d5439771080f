/** Requests of the plain C generator to nginx, each with a connection to the application, and what came of them. */
import { describeFailures, LoadGenerator, type LoadOptions } from '../load.js';
import { StackError } from '../processes.js';
import { HELLO } from '../works.js';
import type { Outcome } from './model.js';
import { withServers, type Lab, type Settings } from './servers.js';

export interface Requests extends Settings {
  readonly load: LoadOptions['load'];
  /** Milliseconds for which the application accepts nothing, from their begin. */
  readonly paused?: number;
}

export function request(lab: Lab, { load, paused, ...settings }: Requests): Promise<Outcome> {
  const { floor, signal } = lab;
  // None waits for a connection, and none is opened beforehand.
  const connections = load.kind === 'open' ? Math.ceil(load.rate * load.seconds) : load.connections;
  return withServers(lab, settings, async ({ path, pause, logged }) => {
    const order = { floor, signal, target: { path }, work: HELLO, load, warmup: 0, connections };
    const generator = await LoadGenerator.open(order);
    try {
      const resumed = paused === undefined ? undefined : pause(paused);
      const [{ begun, answered, p99, failures }, waiting] = await Promise.all([generator.stretch(), resumed]);
      // There are connections for all: what was not sent in time is the generator's own lateness, and was not begun.
      const other = describeFailures({ ...failures, statuses: new Map(), unsent: 0 });
      if (other !== '') throw new StackError(`only the application was to fail, and nginx did: ${other}`);
      // Over TCP who finds no room is served in the end.
      const well = waiting ?? answered;
      return {
        ...{ gaveOut: well < begun ? well : null, driven: begun, p99: p99 / 1e3 },
        statuses: { 200: answered, ...Object.fromEntries(failures.statuses) },
        logged: logged('while connecting to upstream'),
      };
    } finally {
      await generator.stop();
    }
  });
}
