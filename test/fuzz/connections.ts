/** Packets over connections to a real server, and what it answers against what is expected. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import net from 'node:net';
import type { UwsgiRequest } from 'nearwire/uwsgi';
import { sha } from '../support/uwsgi/echo.js';
import { nextTurn } from '../support/sockets.js';
import { expectedOf, type Expected, type ExpectedRequest } from './expected.js';
import type { FuzzedPacket } from './packets.js';

/** No packet takes a server nearly as long as this. */
const PATIENCE_MILLIS = 20_000;

export interface Told {
  served: number;
  aborted: number;
}

interface Seen {
  method: string;
  url: string;
  rawHeaders: string[];
  variables: [string, string][];
  body: Buffer;
}

/** The same for a handler and for what is expected of it. */
function digest({ method, url, rawHeaders, variables, body }: Seen): string {
  const sorted = variables.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sha(JSON.stringify([method, url, rawHeaders, sorted, body.toString('latin1')]));
}

/** Answers with the digest of what it got; counts. */
export function digester(told: Told): RequestListener {
  const collect = async (request: IncomingMessage): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return (request, response) => {
    collect(request).then(
      (body) => {
        told.served++;
        const { method = '', url = '', rawHeaders } = request;
        const variables = Object.entries((request as UwsgiRequest).uwsgi);
        response.setHeader('X-Seen', digest({ method, url, rawHeaders, variables, body })).end('seen');
      },
      () => {
        told.aborted++;
      },
    );
  };
}

/** How many of these a handler is to be called for, and how the call ends. */
export function expectCall(told: Told, expected: Expected): void {
  if (!('request' in expected) || specialStatus(expected.request) !== undefined) return;
  if (expected.request.complete) told.served++;
  else told.aborted++;
}

/** What is answered without asking the handler. */
function specialStatus({ upgrade, expect }: ExpectedRequest): number | undefined {
  if (upgrade !== undefined && /\bwebsocket\b/i.test(upgrade)) return 501;
  if (expect !== undefined && !/(^|\W)100-continue($|\W)/i.test(expect)) return 417;
  return undefined;
}

/** The first line that is to come, or nothing at all. */
function answerTo(expected: Expected, length: number): number | undefined {
  if ('status' in expected) return expected.status;
  if ('cut' in expected) return length === 0 ? undefined : 400;
  return specialStatus(expected.request) ?? (expected.request.complete ? 200 : undefined);
}

/** Sends it in its pieces, and checks what comes until the server closes. `bytes` are its own. */
export async function checkConnection(path: string, { bytes, cuts }: FuzzedPacket): Promise<Expected> {
  const expected = expectedOf(bytes);
  const socket = net.connect(path);
  const timer = setTimeout(() => socket.destroy(new Error('the server neither answers nor closes')), PATIENCE_MILLIS);
  const answer: Buffer[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  socket.on('data', (chunk: Buffer) => answer.push(chunk));
  socket.on('error', (error) => (failure = error));
  const closed = once(socket, 'close').catch(() => once(socket, 'close'));
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (socket.destroyed) break;
    socket.write(bytes.subarray(at, cut));
    at = cut;
    if (cut < bytes.length) await nextTurn();
  }
  const isCut = 'cut' in expected || ('request' in expected && !expected.request.complete);
  // A server can't know that no more will come.
  if (isCut) socket.end();
  await closed;
  clearTimeout(timer);
  const text = Buffer.concat(answer).toString('latin1');
  if (failure !== undefined) {
    if (!['EPIPE', 'ECONNRESET'].includes(failure.code ?? '')) throw failure;
    // Closed while we were still writing what belongs to nothing: the kernel may have dropped the answer.
    if (text === '' && 'request' in expected && expected.request.surplus > 0) return expected;
  }
  const [, status] = /^HTTP\/1\.1 (\d{3}) [^\r\n]+\r\n/.exec(text) ?? [];
  assert.equal(status === undefined ? undefined : Number(status), answerTo(expected, bytes.length));
  if (status === undefined) assert.equal(text, '');
  if (status === '200' && 'request' in expected) {
    const { request } = expected;
    const [, seen] = /\r\nX-Seen: (\w+)\r\n/.exec(text) ?? [];
    assert.equal(seen, digest({ ...request, variables: [...request.variables] }));
    assert.ok(text.endsWith(request.method === 'HEAD' ? '\r\n\r\n' : '\r\n\r\nseen'));
  }
  return expected;
}
