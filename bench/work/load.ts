/** What the handlers of case load do before they answer. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** Objects that a request replaces: those before them are garbage that has grown old. */
const REPLACED = 10;
/** Made between two looks at how large the heap is. */
const BATCH = 10_000;

interface Entry {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly string[];
}

function entryOf(id: number): Entry {
  return { id, name: `entry ${String(id)}`, tags: [`a${String(id)}`, `b${String(id)}`] };
}

/** With so many MB of small objects alive, which a collection has to mark. */
export function overHeap(megabytes: number, handler: RequestListener): RequestListener {
  const live: Entry[] = [];
  const full = process.memoryUsage().heapUsed + megabytes * 1e6;
  while (process.memoryUsage().heapUsed < full) {
    for (let left = BATCH; left > 0; left--) live.push(entryOf(live.length));
  }
  let next = 0;
  return (request, response) => {
    for (let left = REPLACED; left > 0; left--) {
      live[next] = entryOf(next);
      next = (next + 1) % live.length;
    }
    handler(request, response);
  };
}

/** Parses the body, and answers with what it says as JSON. */
export function answerJson(request: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const said: unknown = JSON.parse(Buffer.concat(parts).toString());
    const body = JSON.stringify(said);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}
