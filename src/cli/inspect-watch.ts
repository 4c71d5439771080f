/** `nearwire inspect --watch`: samples a listener repeatedly, and shows it as the output allows. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { ListenerReport, ListenerReporter } from '../inspection/report.js';
import { LiveView, type View } from './inspect-live.js';
import { countText, printable, totalsOf } from './inspect-text.js';
import { abortOnSignals } from './signals.js';

export interface WatchOptions {
  reporter: ListenerReporter;
  /** Milliseconds between samples. */
  interval: number;
  /** The number of samples after which to end; may be Infinity. */
  looks: number;
  json: boolean;
  /** More queued connections than this mark a sample as exceeded. */
  maxQueued: number | undefined;
}

export interface WatchOutcome {
  /** A sample had more than `maxQueued` queued connections. */
  exceeded: boolean;
  /** The error of the last sample. */
  lastError: NodeJS.ErrnoException | undefined;
}

/** Ends at a signal, which also sets the exit code; after the last sample; or when the output's reader has gone. */
export async function watchListener(options: WatchOptions): Promise<WatchOutcome> {
  const { reporter, interval, looks, maxQueued } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const undo = abortOnSignals(abort);
  const view = viewOf(options);
  const outcome: WatchOutcome = { exceeded: false, lastError: undefined };
  // A reader that has seen enough (head) closes the pipe.
  const onBroken = (): void => {
    abort.abort();
  };
  process.stdout.on('error', onBroken);
  try {
    for (let look = 1; !signal.aborted; look++) {
      const report = lookAt(reporter, outcome);
      view.show(report, outcome.lastError);
      if (maxQueued !== undefined && (report?.queue?.queued ?? 0) > maxQueued) outcome.exceeded = true;
      if (look >= looks) break;
      await sleep(interval, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    view.close();
    undo();
  }
  return outcome;
}

function lookAt(reporter: ListenerReporter, outcome: WatchOutcome): ListenerReport | undefined {
  try {
    outcome.lastError = undefined;
    return reporter.report();
  } catch (error) {
    // A server that is being restarted comes back. An error without a code is a bug.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    outcome.lastError = error as NodeJS.ErrnoException;
    return undefined;
  }
}

function viewOf({ json, maxQueued, interval }: WatchOptions): View {
  if (json) return { show: writeJson, close: nothing };
  return process.stdout.isTTY ? new LiveView(maxQueued, interval) : { show: writeLine, close: nothing };
}

function nothing(): void {
  // Lines need no cleanup.
}

function writeJson(report: ListenerReport | undefined, error: NodeJS.ErrnoException | undefined): void {
  const failed = { at: new Date().toISOString(), error: { code: error?.code, message: error?.message } };
  process.stdout.write(`${JSON.stringify({ schema: 1, ...(report ?? failed) })}\n`);
}

/** `key=value` pairs, which tools can parse without knowing the columns. */
function writeLine(report: ListenerReport | undefined, error: NodeJS.ErrnoException | undefined): void {
  if (report === undefined) {
    process.stdout.write(`${new Date().toISOString()} ${printable(error?.message ?? '')}\n`);
    return;
  }
  const { at, queue, connections } = report;
  const { toServer, toClient } = totalsOf(report);
  const words = {
    queued: queue?.queued,
    backlog: queue?.backlog,
    'high-water': queue?.highWater,
    connections: connections.length,
    'for-server': queue === undefined ? undefined : toServer,
    'for-clients': queue === undefined ? undefined : toClient,
  };
  const text = Object.entries(words).map(([key, value]) => `${key}=${countText(value).replaceAll(',', '')}`);
  process.stdout.write(`${at} ${text.join(' ')}${queue?.full === true ? ' FULL' : ''}\n`);
}
