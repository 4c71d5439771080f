/** Detects when started servers serve, by sending them requests. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import * as http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';

import type { StackPlace, Target } from './model.js';
import { StackError, type Launched } from './processes.js';

/** Erlang, and Python with a large application, take seconds on a busy machine. */
const PATIENCE_MS = 30_000;
/** For one try: a server that has accepted and is still loading its application responds late, not never. */
const ANSWER_MS = 10_000;
/** Between two tries. */
const PAUSE_MS = 30;
/** The responses of a reverse proxy while its app server starts. */
const FRONT_WAITS = [502, 503, 504];
/** The part of a log's end that an error message should include: its lines may be long. */
const LOG_LIMIT = { lines: 16, characters: 2_000 };
/** Apps may respond with an error page: this many characters of each of its ends. */
const BODY_LIMIT = 120;

/** Waits until a GET gets one of these statuses. Fails if a server ends, or responds with anything else. */
export async function untilServing(
  target: Target,
  path: string,
  servers: readonly Launched[],
  { signal, patienceMs = PATIENCE_MS }: Pick<StackPlace, 'signal' | 'patienceMs'>,
  good = [200],
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  const names = servers.map(({ name }) => name).join(' and ');
  for (;;) {
    signal.throwIfAborted();
    let problem = '';
    try {
      const { status, body } = await get(target, path);
      if (good.includes(status)) return;
      problem = `GET ${path} returned ${String(status)}: ${gist(body.toString())}`;
      if (!FRONT_WAITS.includes(status)) throw new StackError(`${names}: ${problem}${saidBy(servers)}`);
    } catch (error) {
      if (error instanceof StackError) throw error;
      problem = (error as Error).message;
    }
    const ended = servers.find(({ end }) => end !== undefined);
    if (ended) throw new StackError(`${ended.name} ${ended.end ?? ''}${saidBy([ended])}`);
    if (performance.now() > deadline) {
      const seconds = String(patienceMs / 1000);
      throw new StackError(`${names} did not serve within ${seconds} s: ${problem}${saidBy(servers)}`);
    }
    await after(PAUSE_MS);
  }
}

/**
 * A page without its markup; if it is too long, both ends, as Node has the error in the first line, and Python in the
 * last.
 */
function gist(body: string): string {
  const text = /^\s*<(?:!doctype|html)/i.test(body) ? body.replace(/<head>[^]*?<\/head>|<[^>]*>/gi, ' ') : body;
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= 2 * BODY_LIMIT) return line;
  return `${line.slice(0, BODY_LIMIT)} ... ${line.slice(-BODY_LIMIT)}`;
}

/** The last lines of the logs, if their folder still exists. */
function saidBy(servers: readonly Launched[]): string {
  return servers
    .filter(({ log }) => existsSync(log))
    .map(({ log }) => readFileSync(log, 'utf8').trim().slice(-LOG_LIMIT.characters))
    .filter(Boolean)
    .map((text) => `\n${text.split('\n').slice(-LOG_LIMIT.lines).join('\n')}`)
    .join('');
}

/** On a connection of its own, unless an agent is given. */
export async function get(
  target: Target,
  path: string,
  agent: http.Agent | false = false,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  const where = 'path' in target ? { socketPath: target.path } : target;
  const request = http.get({ ...where, path, agent, timeout: ANSWER_MS });
  request.on('timeout', () => request.destroy(new Error('no response')));
  // An error within the response is also reported by the response itself.
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, body: await buffer(response) };
}
