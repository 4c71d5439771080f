/** A handler that answers as the request asks it to, and tells what it has seen of it. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pattern } from '../sockets.js';

/** What an answer is to be like; travels in the query. */
export interface Plan {
  status: number;
  message: string;
  headers: [name: string, value: string | string[]][];
  /** Bytes behind what has been seen. */
  bytes: number;
  /** Written in so many pieces; 0: at once, with its Content-Length. */
  pieces: number;
}

export interface Seen {
  method: string | undefined;
  url: string | undefined;
  httpVersion: string;
  headers: NodeJS.Dict<string | string[]>;
  body: { bytes: number; sha: string };
}

const FILLING = pattern(1_000_000);

export function sha(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function encodePlan(plan: Plan): string {
  return `plan=${Buffer.from(JSON.stringify(plan)).toString('base64url')}`;
}

function planOf(url: string): Plan {
  const [, encoded = ''] = /[?&]plan=([\w-]+)/.exec(url) ?? [];
  return JSON.parse(Buffer.from(encoded, 'base64url').toString()) as Plan;
}

async function see(request: IncomingMessage): Promise<Seen> {
  const { method, url, httpVersion, headers } = request;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { method, url, httpVersion, headers, body: { bytes, sha: hash.digest('hex') } };
}

/** What differs by nature of the two protocols, and is compared on its own: docs/uwsgi.md. */
export type Differences = (seen: Seen) => Seen;

async function answer(request: IncomingMessage, response: ServerResponse, adapt: Differences): Promise<void> {
  const plan = planOf(request.url ?? '');
  const seen = JSON.stringify(adapt(await see(request)));
  for (const [name, value] of plan.headers) response.setHeader(name, value);
  // Of answers without a body too.
  response.setHeader('X-Seen', sha(seen));
  response.statusCode = plan.status;
  if (plan.message !== '') response.statusMessage = plan.message;
  const filling = FILLING.subarray(0, plan.bytes);
  if (plan.pieces === 0) {
    response.end(Buffer.concat([Buffer.from(seen), filling]));
    return;
  }
  // As bytes: node:http sends a head that leaves with text in UTF-8, and by itself in latin1.
  response.write(Buffer.from(seen));
  const step = Math.ceil(plan.bytes / plan.pieces);
  for (let at = 0; at < plan.bytes; at += step) {
    response.write(filling.subarray(at, at + step));
    // By and by, so that a head or a piece may travel on its own.
    if (at % 3 === 0) await new Promise(setImmediate);
  }
  response.end();
}

export function echo(adapt: Differences): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answer(request, response, adapt).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  };
}
