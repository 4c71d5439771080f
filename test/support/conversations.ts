/** What an http server makes of bytes that come in given pieces on one connection. */
import { once } from 'node:events';
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { listen } from './sockets.js';
import { reference, type Family, type Subject } from './subjects.js';

export interface Conversation {
  /** What the server told of, in order. */
  events: unknown[];
  /** All that it sent, without the time of day. */
  answers: string;
}

/** A request that is sure to be answered, and leaves the connection open. */
export const PLAIN_REQUEST = 'GET /before HTTP/1.1\r\nHost: x\r\n\r\n';

/** Resolves at once when it is so; asks again in each turn of the loop. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

function noteRequest(request: http.IncomingMessage, response: http.ServerResponse, events: unknown[]): void {
  const { method, url, httpVersion, rawHeaders, headers, rawTrailers } = request;
  const seen = { method, url, httpVersion, rawHeaders, headers };
  events.push(seen);
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('latin1');
    events.push({ ended: url, body, complete: request.complete, rawTrailers: [...rawTrailers] });
    response.setHeader('X-Keep-Alive', String(response.shouldKeepAlive));
    response.end(`${String(method)} ${String(url)}`);
  });
  request.on('error', (error: NodeJS.ErrnoException) => events.push({ failed: url, code: error.code }));
  request.on('close', () => events.push({ closed: url }));
}

/**
 * Sends each piece when the server has read those before it, then ends. The server's default answers to bad requests are
 * among what it sends.
 */
export async function converse(
  subject: Subject,
  family: Family,
  pieces: readonly (string | Buffer)[],
  options: http.ServerOptions = {},
): Promise<Conversation> {
  const events: unknown[] = [];
  const server = subject.http.createServer(options, (request, response) => {
    noteRequest(request, response, events);
  });
  server.on('dropRequest', () => events.push('dropRequest'));
  const accepted = once(server, 'connection');
  const address = await listen(server, family);
  const client = reference.connect(address);
  const answers: Buffer[] = [];
  client.on('data', (chunk: Buffer) => answers.push(chunk));
  // A server that has had enough closes; what is still to be sent then meets an error.
  client.on('error', () => undefined);
  const [peer] = (await accepted) as [Socket];
  peer.on('error', (error: NodeJS.ErrnoException) => {
    events.push({ error: error.code, bytesParsed: (error as { bytesParsed?: number }).bytesParsed });
  });
  const closed = Promise.all([client, peer].map((end) => new Promise((resolve) => end.on('close', resolve))));
  let sent = 0;
  for (const piece of pieces) {
    if (peer.destroyed) break;
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
    client.write(bytes);
    sent += bytes.length;
    await until(() => peer.destroyed || peer.bytesRead >= sent);
  }
  client.end();
  await closed;
  // What is told of requests that were cut off comes behind 'close'.
  await new Promise(setImmediate);
  return {
    events,
    answers: Buffer.concat(answers)
      .toString('latin1')
      .replace(/Date: .*\r\n/g, ''),
  };
}
