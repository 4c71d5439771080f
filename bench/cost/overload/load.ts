/** Requests to a front: at a rate, whatever becomes of them, or one after the other. */
import * as http from 'node:http';
import { setTimeout as after } from 'node:timers/promises';

const MS = 1e3;
/** How often what is due is sent and the queue is looked at: finer than what an application of milliseconds takes in. */
const TICK_MS = 2;

export interface Burst {
  readonly sent: number;
  /** How many ended with each status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Milliseconds from when a request was due to its last byte. */
  readonly median: number;
  readonly slowest: number;
  /** Requests that took a second or more. */
  readonly late: number;
}

/** Where requests go. */
export type Where =
  { readonly socketPath: string } | { readonly host: string; readonly port: number; readonly path: string };

export interface BurstOrder {
  readonly where: Where;
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Called at each tick. */
  readonly look?: () => void;
  /** Default: kept connections, as many as it takes. */
  readonly agent?: http.Agent | undefined;
}

/** Sends each request when it is due, though none before it has been answered, and waits until all have ended. */
export async function burst({ where, rate, seconds, signal, look, agent }: BurstOrder): Promise<Burst> {
  const connections = agent ?? new http.Agent({ keepAlive: true });
  const total = Math.round(rate * seconds);
  const ends: Promise<End>[] = [];
  const begin = performance.now();
  const watch = setInterval(() => look?.(), TICK_MS);
  try {
    while (ends.length < total) {
      const due = Math.min(total, Math.floor(((performance.now() - begin) / MS) * rate) + 1);
      while (ends.length < due) {
        const options = { ...where, agent: connections, signal };
        ends.push(ask(options, begin + (ends.length / rate) * MS));
      }
      await after(TICK_MS, undefined, { signal });
    }
    return summaryOf(await Promise.all(ends));
  } finally {
    clearInterval(watch);
    connections.destroy();
  }
}

interface End {
  readonly status: number;
  readonly millis: number;
}

function ask(options: http.RequestOptions, due: number): Promise<End> {
  return new Promise((resolve, reject) => {
    const request = http.get(options, (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode ?? 0, millis: performance.now() - due });
      });
    });
    // Of the front itself, which is not what is loaded beyond its limits: the demonstration is void.
    request.on('error', reject);
  });
}

function summaryOf(ends: readonly End[]): Burst {
  const statuses = new Map<number, number>();
  for (const { status } of ends) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const times = ends.map(({ millis }) => millis).sort((a, b) => a - b);
  return {
    sent: ends.length,
    statuses,
    median: times[Math.floor(times.length / 2)] ?? 0,
    slowest: times.at(-1) ?? 0,
    late: times.filter((time) => time >= MS).length,
  };
}

export interface Row {
  /** Requests that were answered with 200 before the first that was not, or before all were. */
  readonly served: number;
  /** Of the one that was not. */
  readonly failed: number | undefined;
}

/** One request after the other, up to so many, until one is not answered with 200. */
export async function inARow(where: Where, most: number, signal: AbortSignal): Promise<Row> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (let served = 0; served < most; served++) {
      const { status } = await ask({ ...where, agent, signal }, performance.now());
      if (status !== 200) return { served, failed: status };
    }
    return { served: most, failed: undefined };
  } finally {
    agent.destroy();
  }
}
