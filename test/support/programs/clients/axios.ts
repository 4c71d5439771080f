import { Readable } from 'node:stream';
import axios from 'axios';
import { originOf, type Address, type Seam } from '../seam.js';
import type { Sender } from '../work.js';

export function start(seam: Seam, address: Address): Sender {
  const client = axios.create({
    baseURL: originOf(address),
    socketPath: 'path' in address ? address.path : null,
    httpAgent: seam.agent({ keepAlive: true }),
    // Redirects are followed by keeping the body: 100 MiB of it.
    maxRedirects: 0,
    maxBodyLength: Number.POSITIVE_INFINITY,
    proxy: false,
    validateStatus: null,
  });
  return async ({ method, path, body, signal }) => {
    const isSmall = Buffer.isBuffer(body);
    const { status, data } = await client.request<Buffer | Readable>({
      method,
      url: path,
      data: body,
      signal,
      responseType: isSmall ? 'arraybuffer' : 'stream',
      headers: { 'Content-Type': 'application/octet-stream' },
    });
    return { status, body: Buffer.isBuffer(data) ? Readable.from([data]) : data };
  };
}
