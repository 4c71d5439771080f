/** A server whose every answer is a file, for tests. */
import type * as http from 'node:http';
import { sendFile, type FileSource, type HttpSendFileOptions } from 'nearwire/http';
import { failure } from './files.js';
import { request, target, type Answer } from './http.js';
import { listen, type Address } from './sockets.js';
import type { Family, Subject } from './subjects.js';

export interface Serving {
  address: Address;
  /** What became of each call, in the order of their ends: a code, or nothing. */
  outcomes: (string | undefined)[];
}

/** Serves this file to every request. */
export async function serveFile(
  subject: Subject,
  family: Family,
  file: FileSource,
  options?: HttpSendFileOptions,
  before?: (response: http.ServerResponse, request: http.IncomingMessage) => void,
): Promise<Serving> {
  const outcomes: (string | undefined)[] = [];
  const server = subject.http.createServer({}, (req, res) => {
    before?.(res, req);
    void failure(sendFile(res, file, options)).then((error) => {
      outcomes.push(error?.code);
      if (error !== undefined && !res.headersSent) res.writeHead(404).end(error.message);
    });
  });
  return { address: await listen(server, family), outcomes };
}

/** One request, on a connection of its own. */
export function ask(address: Address, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return request({ ...target(address), agent: false, method, headers });
}
