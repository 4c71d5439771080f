/** When a server that has been started serves: asked of itself. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';

import type { Target } from './model.js';
import { StackError, type Launched } from './processes.js';

/** Erlang and Python with a large application take seconds on a busy machine. */
const PATIENCE_MS = 30_000;
/** One try: a server that has accepted and is still loading its application answers late, not never. */
const ANSWER_MS = 10_000;
/** From the first to the longest wait between two tries: most serve soon, and a failing one's log is to be readable. */
const ASK_AFTER_MS = { first: 10, last: 250 };
/** A front that is there and its app that is not, or fails: the one is over sooner than this, the other lasts. */
const DOUBT_MS = 2_000;
/** As much of a log's end as an error message should carry: its lines may be long. */
const LOG_LIMIT = { lines: 16, characters: 2_000 };
/** What apps answer errors with may be a page: as much of each of its ends. */
const BODY_LIMIT = 120;

export interface Waited {
  /** Those that have to be there: if one ends the wait is over. */
  readonly servers: readonly Launched[];
  readonly logs: readonly string[];
  readonly signal: AbortSignal;
  readonly patienceMs?: number | undefined;
}

/** Until something accepts connections there. For servers that speak no HTTP. */
export function untilListening(target: Target, waited: Waited): Promise<void> {
  return until(async () => {
    const socket = net.connect(target);
    try {
      await once(socket, 'connect');
    } finally {
      socket.destroy();
    }
  }, waited);
}

/**
 * What an answer says of a server: it serves; it may do so later; it may, but is not going to if it goes on saying so; it
 * is not going to.
 */
export type Judgement = 'good' | 'not yet' | 'doubtful' | 'bad';

/** Until a GET is answered as it should be. */
export function untilServing(
  target: Target,
  path: string,
  judge: (status: number, body: string) => Judgement,
  waited: Waited,
): Promise<void> {
  let doubtedSince: number | undefined;
  return until(async () => {
    const { status, body } = await get(target, path);
    const text = body.toString();
    const judgement = judge(status, text);
    if (judgement === 'good') return;
    const now = performance.now();
    doubtedSince = judgement === 'doubtful' ? (doubtedSince ?? now) : undefined;
    const isOver = judgement === 'bad' || now - (doubtedSince ?? now) > DOUBT_MS;
    throw new (isOver ? StackError : Error)(`GET ${path} is answered ${String(status)}: ${gist(text)}`);
  }, waited);
}

/** Throws StackError where a try does, and where it is of no use to try again. */
async function until(tryIt: () => Promise<void>, waited: Waited): Promise<void> {
  const { servers, logs, signal, patienceMs = PATIENCE_MS } = waited;
  const deadline = performance.now() + patienceMs;
  const names = servers.map(({ name }) => name).join(' and ');
  for (let pause = ASK_AFTER_MS.first; ; pause = Math.min(pause * 1.2, ASK_AFTER_MS.last)) {
    signal.throwIfAborted();
    try {
      await tryIt();
      return;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (error instanceof StackError) throw new StackError(`${names}: ${problem}${saidBy(servers, logs)}`);
      const ended = servers.find(({ end }) => end !== undefined);
      if (ended) throw new StackError(`${ended.name} ${ended.end ?? ''}${saidBy([ended], logs)}`);
      if (performance.now() > deadline) {
        const late = `${names} did not serve within ${String(patienceMs / 1000)} s: ${problem}`;
        throw new StackError(late + saidBy(servers, logs));
      }
    }
    await after(pause);
  }
}

/** A page without its marks; of what is too long both ends, as Node names an error in the first line, Python in the last. */
function gist(body: string): string {
  const text = /^\s*<(?:!doctype|html)/i.test(body) ? body.replace(/<head>[^]*?<\/head>|<[^>]*>/gi, ' ') : body;
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= 2 * BODY_LIMIT) return line;
  return `${line.slice(0, BODY_LIMIT)} ... ${line.slice(-BODY_LIMIT)}`;
}

/** What the logs say last. */
function saidBy(servers: readonly Launched[], logs: readonly string[]): string {
  const files = new Set([...servers.map(({ log }) => log), ...logs]);
  return [...files]
    .map(endOf)
    .filter(Boolean)
    .map((text) => `\n${text}`)
    .join('');
}

/** From a line's beginning on, if it is cut. */
function endOf(log: string): string {
  try {
    const text = readFileSync(log, 'utf8').trim();
    const end = text.slice(-LOG_LIMIT.characters);
    const whole = end === text ? text : end.slice(end.indexOf('\n') + 1);
    return whole.split('\n').slice(-LOG_LIMIT.lines).join('\n');
  } catch {
    // The server was ended before it wrote any.
    return '';
  }
}

/** On a connection of its own, unless an agent has some. */
export async function get(
  target: Target,
  path: string,
  agent: http.Agent | false = false,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  const where = 'path' in target ? { socketPath: target.path } : target;
  const request = http.get({ ...where, path, agent, timeout: ANSWER_MS });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  // One that comes within the answer is told by that too.
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, body: await buffer(response) };
}
