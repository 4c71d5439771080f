/** Servers of uwsgi on each transport, and node's of HTTP as their reference: the same requests as packets and as text. */
import * as http from 'node:http';
import { createServer } from 'nearwire/uwsgi';
import { subjects } from '../subjects.js';
import { packet } from './packets.js';

export interface Way {
  readonly name: string;
  createServer(listener: http.RequestListener): http.Server;
  /** A POST with a body of this length, up to the body; its connection is closed after it. */
  head(length: number, expect?: string): Buffer;
}

const reference: Way = {
  name: 'node:http',
  createServer: (listener) => http.createServer(listener),
  head(length, expect) {
    const lines = ['POST /path HTTP/1.1', 'Host: x', 'Connection: close', `Content-Length: ${String(length)}`];
    if (expect !== undefined) lines.push(`Expect: ${expect}`);
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  },
};

function ours(transport: 'native' | 'js'): Way {
  return {
    name: transport,
    createServer: (listener) => createServer({ transport }, listener),
    head: (length, expect) =>
      packet({
        REQUEST_METHOD: 'POST',
        CONTENT_LENGTH: String(length),
        ...(expect !== undefined && { HTTP_EXPECT: expect }),
      }),
  };
}

export const ways: Way[] = subjects.map(({ name }) => (name === 'node:net' ? reference : ours(name)));
