/**
 * Single requests, where the plain C generator (burst.ts) is no help: it goes on after a failure, which is what a row of
 * them ends with, and it can not stand in for nearwire's own client, whose waiting is what is shown.
 */
import * as http from 'node:http';

/** Where a request goes. */
export interface Where {
  readonly socketPath: string;
  readonly path: string;
}

export interface Row {
  /** Requests that were answered with 200 before the first that was not, or before all were. */
  readonly served: number;
  /** Of the one that was not. */
  readonly failed: number | undefined;
  /** Milliseconds. */
  readonly took: number;
}

/** One request after the other, up to so many, until one is not answered with 200. */
export async function inARow(where: Where, most: number, signal: AbortSignal): Promise<Row> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const begin = performance.now();
  try {
    let failed: number | undefined;
    let served = 0;
    while (served < most && failed === undefined) {
      const status = await ask({ ...where, agent, signal });
      if (status === 200) served++;
      else failed = status;
    }
    return { served, failed, took: performance.now() - begin };
  } finally {
    agent.destroy();
  }
}

export interface AtOnce {
  readonly sent: number;
  readonly served: number;
  /** Statuses other than 200, and codes of errors. */
  readonly failures: ReadonlyMap<string, number>;
  /** Milliseconds until all had ended. */
  readonly took: number;
}

/** So many requests in one turn of the loop. */
export async function atOnce(where: Where, sent: number, agent: http.Agent, signal: AbortSignal): Promise<AtOnce> {
  const begin = performance.now();
  const ended = await Promise.all(
    Array.from({ length: sent }, () =>
      ask({ ...where, agent, signal }).then(String, (error: unknown) => codeOf(error)),
    ),
  );
  signal.throwIfAborted();
  const failures = new Map<string, number>();
  for (const end of ended.filter((each) => each !== '200')) failures.set(end, (failures.get(end) ?? 0) + 1);
  return { sent, served: ended.filter((end) => end === '200').length, failures, took: performance.now() - begin };
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

/** The status of the answer, once all of it is there. */
function ask(options: http.RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.get(options, (response) => {
      response.on('error', reject);
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    request.on('error', reject);
  });
}
