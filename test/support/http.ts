/** Requests, raw and by node:http, for tests. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { readAll, type Address } from './sockets.js';
import type { Subject } from './subjects.js';

export interface Answer {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Where http.request finds the server. */
export function target({ path, host, port }: Address): http.RequestOptions {
  return path === undefined ? { host, port } : { socketPath: path };
}

/** One request by node:http. */
export async function request(options: http.RequestOptions, body?: Buffer | string): Promise<Answer> {
  const sent = http.request(options);
  const answered = once(sent, 'response') as Promise<[http.IncomingMessage]>;
  sent.end(body);
  const [response] = await answered;
  // A server may answer and close before it has read the body. A response that is cut short tells so itself.
  sent.on('error', () => undefined);
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(response, 'end');
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

/** Sends these bytes, and answers all that comes until the server closes. */
export async function rawRequest(subject: Subject, address: Address, text: string): Promise<string> {
  const socket: Socket = subject.connect(address);
  socket.write(text);
  return (await readAll(socket)).toString('latin1');
}
