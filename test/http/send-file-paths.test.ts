/** Which path the body of a file takes to its socket, and that it arrives on each. */
import type * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import compression from 'compression';
import send from 'send';
import { describe, expect, it } from 'vitest';
import { Agent, fetch } from 'undici';
import { gunzipSync } from 'node:zlib';
import { install } from 'nearwire';
import { sendFile, sendFileStats, type SendFileStats } from 'nearwire/http';
import { serverCertificate, serverKey } from '../support/certificates.js';
import { makeFile } from '../support/files.js';
import { request, target } from '../support/http.js';
import { cleanup, listen, nextTurn } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

install();

const SIZE = 300_000;

/** What has been counted since. */
function since(before: SendFileStats): unknown {
  const now = sendFileStats();
  const reasons = Object.entries(now.reasons)
    .map(([reason, count]) => [reason, count - (before.reasons[reason as keyof typeof before.reasons] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return {
    byReference: now.byReference - before.byReference,
    byCopy: now.byCopy - before.byCopy,
    reasons: Object.fromEntries(reasons),
  };
}

describe.each(everyWay)('the path of a file: $name over $family', ({ subject, family }) => {
  const native = subject.name === 'native';
  /** A body on this subject's sockets, which would go by reference where they are native ones. */
  const plain = native
    ? { byReference: 1, byCopy: 0, reasons: {} }
    : { byReference: 0, byCopy: 1, reasons: { transport: 1 } };
  const copied = (reason: string): unknown => ({
    byReference: 0,
    byCopy: 1,
    reasons: { [native ? reason : 'transport']: 1 },
  });

  it('is by reference on native sockets', async () => {
    const { path, bytes } = makeFile(SIZE);
    const server = subject.http.createServer({}, (_, res) => {
      void sendFile(res, path);
    });
    const address = await listen(server, family);
    const before = sendFileStats();
    expect((await request({ ...target(address), agent: false })).body.equals(bytes)).toBe(true);
    expect(since(before)).toEqual(plain);
  });

  it('counts no answer without a body', async () => {
    const { path } = makeFile(SIZE);
    const server = subject.http.createServer({}, (_, res) => {
      void sendFile(res, path);
    });
    const address = await listen(server, family);
    const before = sendFileStats();
    await request({ ...target(address), agent: false, method: 'HEAD' });
    await request({ ...target(address), agent: false, headers: { 'If-None-Match': '*' } });
    expect(since(before)).toEqual({ byReference: 0, byCopy: 0, reasons: {} });
  });

  it('is by copy under TLS', async () => {
    const { path, bytes } = makeFile(SIZE);
    const server = https.createServer({ key: serverKey, cert: serverCertificate }, (_, res) => {
      void sendFile(res, path);
    });
    const front = subject.createServer({}, (socket) => server.emit('connection', socket));
    const address = await listen(front, family);
    const before = sendFileStats();
    const options = { ...target(address), agent: false, rejectUnauthorized: false };
    const body = await new Promise<Buffer>((resolve, reject) => {
      https
        .get(options, (res) => {
          const chunks: Buffer[] = [];
          res
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('end', () => {
              resolve(Buffer.concat(chunks));
            });
        })
        .on('error', reject);
    });
    expect(body.equals(bytes)).toBe(true);
    expect(since(before)).toEqual({ byReference: 0, byCopy: 1, reasons: { tls: 1 } });
  });

  it('is by copy through a middleware that compresses', async () => {
    const { path, bytes } = makeFile(SIZE);
    const compress = compression() as unknown as (req: unknown, res: unknown, next: () => void) => void;
    const server = subject.http.createServer({}, (req, res) => {
      compress(req, res, () => {
        void sendFile(res, path, { headers: { 'Content-Type': 'text/plain' } });
      });
    });
    const address = await listen(server, family);
    const before = sendFileStats();
    const answer = await request({ ...target(address), agent: false, headers: { 'Accept-Encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.headers['content-length']).toBeUndefined();
    expect(gunzipSync(answer.body).equals(bytes)).toBe(true);
    expect(since(before)).toEqual(copied('replaced'));
  });

  it('is by copy where the length is not to be told, or to be counted by node', async () => {
    const { path, bytes } = makeFile(SIZE);
    const server = subject.http.createServer({}, (req, res) => {
      if (req.url === '/chunked') res.setHeader('Transfer-Encoding', 'chunked');
      else res.strictContentLength = true;
      void sendFile(res, path);
    });
    const address = await listen(server, family);
    for (const reason of ['chunked', 'strict']) {
      const before = sendFileStats();
      const answer = await request({ ...target(address), agent: false, path: `/${reason}` });
      expect(answer.headers['content-length']).toBe(reason === 'chunked' ? undefined : String(SIZE));
      expect(answer.body.equals(bytes)).toBe(true);
      expect(since(before)).toEqual(copied(reason));
    }
  });

  it("is by reference though the response was corked, and its end is somebody else's", async () => {
    const { path, bytes } = makeFile(SIZE);
    let ends = 0;
    const server = subject.http.createServer({}, (_, res) => {
      const { end } = res;
      res.end = ((...args: unknown[]) => {
        ends++;
        return (end as (...args: unknown[]) => typeof res).apply(res, args);
      }) as typeof end;
      res.cork();
      void sendFile(res, path);
    });
    const address = await listen(server, family);
    const before = sendFileStats();
    expect((await request({ ...target(address), agent: false })).body.equals(bytes)).toBe(true);
    // The client may have it all before the response is ended.
    while (ends === 0) await nextTurn();
    expect(ends).toBe(1);
    expect(since(before)).toEqual(plain);
  });

  it('is by copy over HTTP/2', async () => {
    const { path, bytes } = makeFile(SIZE);
    const server = http2.createServer((_, res) => {
      void sendFile(res as unknown as http.ServerResponse, path);
    });
    const front = subject.createServer({}, (socket) => server.emit('connection', socket));
    const address = await listen(front, family);
    const before = sendFileStats();
    const session = http2.connect('http://localhost', {
      createConnection: () => subject.connect(address),
    });
    cleanup(() => {
      session.destroy();
    });
    const stream = session.request({ ':path': '/' });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(since(before)).toEqual({ byReference: 0, byCopy: 1, reasons: { transport: 1 } });
  });

  it('carries many at once to undici', async () => {
    const { path, bytes } = makeFile(SIZE);
    const server = subject.http.createServer({}, (_, res) => {
      void sendFile(res, path);
    });
    const address = await listen(server, family);
    const dispatcher = new Agent({
      connections: 8,
      ...(address.path === undefined ? {} : { connect: { socketPath: address.path } }),
    });
    cleanup(() => dispatcher.destroy());
    const url = `http://127.0.0.1:${String(address.port ?? 80)}/`;
    const answers = Array.from({ length: 100 }, async (_, i) => {
      const range = { Range: `bytes=${String(i)}-${String(i + 99_999)}` };
      const answer = await fetch(url, { dispatcher, headers: range });
      return Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(i, i + 100_000));
    });
    expect(await Promise.all(answers)).toEqual(answers.map(() => true));
  });

  it('gives the answers that `send` gives', async () => {
    const { path, bytes } = makeFile(SIZE);
    const server = subject.http.createServer({}, (req, res) => {
      if (req.url === '/send') send(req, path, { cacheControl: false, etag: false }).pipe(res);
      else void sendFile(res, path, { headers: { 'Content-Type': 'application/octet-stream', ETag: null } });
    });
    const address = await listen(server, family);
    const date = (year: number): string => new Date(Date.UTC(year, 0)).toUTCString();
    const requests: Record<string, string>[] = [
      {},
      ...['0-0', '0-', '-1', '5-9', '299999-', '299999-400000', '300000-', '1-2,4-5', 'x'].map((range) => ({
        Range: `bytes=${range}`,
      })),
      ...[2019, 2020, 2021].flatMap((year): Record<string, string>[] => [
        { 'If-Modified-Since': date(year) },
        { 'If-Unmodified-Since': date(year) },
        { 'If-Modified-Since': date(year), Range: 'bytes=0-9' },
      ]),
      { 'If-None-Match': '*' },
      { 'If-None-Match': '"x"', 'If-Modified-Since': date(2021) },
      { Range: 'bytes=0-9', 'If-Range': date(2020) },
      { Range: 'bytes=0-9', 'If-Range': date(2019) },
    ];
    for (const headers of requests) {
      const ask = async (path: string): Promise<unknown> => {
        const { status, headers: got, body } = await request({ ...target(address), agent: false, path, headers });
        const {
          'content-range': range,
          'content-length': length,
          'last-modified': modified,
          'content-type': type,
        } = got;
        const refused = status === 412 || status === 416;
        return [
          headers,
          status,
          range,
          ...(refused ? [] : [length, modified, type, bytes.includes(body), body.length]),
        ];
      };
      expect(await ask('/ours')).toEqual(await ask('/send'));
    }
  });
});
