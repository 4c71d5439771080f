import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import got, { type Response } from 'got';
import { originOf, type Address, type Seam } from '../seam.js';
import type { Sender } from '../work.js';

export function start(seam: Seam, address: Address): Sender {
  const base = 'path' in address ? `http://unix:${address.path}:` : originOf(address);
  const http = seam.agent({ keepAlive: true });
  const client = got.extend({ agent: { http }, enableUnixSockets: true, retry: { limit: 0 }, throwHttpErrors: false });
  return async ({ method, path, body, signal }) => {
    if (Buffer.isBuffer(body)) {
      const headers = { 'content-type': 'application/octet-stream' };
      const { statusCode, rawBody } = await client(base + path, {
        method,
        body,
        signal,
        headers,
        responseType: 'buffer',
      });
      return { status: statusCode, body: Readable.from([rawBody]) };
    }
    const stream = client.stream(base + path, { method, signal });
    const answered = once(stream, 'response') as Promise<[Response]>;
    if (body !== undefined) {
      const [[response]] = await Promise.all([answered, pipeline(body, stream)]);
      return { status: response.statusCode, body: stream };
    }
    const [response] = await answered;
    return { status: response.statusCode, body: stream };
  };
}
