/** node:http's own client, over an agent. */
import { once } from 'node:events';
import * as http from 'node:http';
import { Readable } from 'node:stream';
import { targetOf, type Address, type Seam } from '../seam.js';
import type { Sender } from '../work.js';

/** One request in so many has a connection of its own: nginx's way until 1.29. */
const ALONE = 25;

export function start(seam: Seam, address: Address): Sender {
  const kept = seam.agent({ keepAlive: true });
  const alone = seam.agent({ keepAlive: false });
  let count = 0;
  return async ({ method, path, body, signal }) => {
    const agent = ++count % ALONE === 0 ? alone : kept;
    const headers = Buffer.isBuffer(body) ? { 'content-type': 'application/octet-stream' } : {};
    const request = http.request({ ...targetOf(address), agent, method, path, signal, headers });
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    if (body instanceof Readable) body.pipe(request);
    else request.end(body);
    const [response] = await answered;
    return { status: response.statusCode ?? 0, body: response };
  };
}
